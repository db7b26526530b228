// runtime/log/text.hpp - makes foreign text fit to be shown: on a terminal, in a log line.
#pragma once

#include <string>
#include <string_view>

namespace lucid {

/// `text` with everything escaped that could forge a line or steer a terminal: control characters and bytes that
/// are no UTF-8 as "\xNN", "\n" and "\t" by name, marks of text direction as "\u{202E}".
std::string printable(std::string_view text);

/// `text` with the user information of every URL in it replaced: "rdp://***@host".
/// Rather too much than too little: everything from "://" to the last "@" before a blank or quote goes.
std::string without_credentials(std::string_view text);

} // namespace lucid
