// runtime/log/text.hpp - makes foreign text fit to be shown: on a terminal, in a log line.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lucid {

/// `text` with everything escaped that could forge a line or steer a terminal: control characters and bytes that
/// are no UTF-8 as "\xNN", "\n" and "\t" by name, marks of text direction as "\u{202E}".
std::string printable(std::string_view text);

/// The front of `text`, at most `size_bytes` (3 or more): cut between two characters of UTF-8 and ended by "..".
std::string shortened(std::string text, std::size_t size_bytes);

/// `text` with the user information of every URL in it replaced: "rdp://***@host".
/// Rather too much than too little: everything from "://" to the last "@" before a blank or quote goes.
std::string without_credentials(std::string_view text);

} // namespace lucid
