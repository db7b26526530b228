// actors/node/cli/top/top_text.hpp - numbers and foreign text, fit for a screen of some width; pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lucid {

/// Printable, whatever it is, within `width` bytes; "..." where something was left out.
std::string cut_to(std::string_view foreign, int width);

/// A path cut at its front, since its end tells more: "...a36737fa7750/seal".
std::string cut_path_to(std::string_view path, int width);

/// Text in as many lines as it takes, each within `width`; all but the first begin with `indent` blanks.
std::vector<std::string> wrapped(std::string_view foreign, int width, int indent = 0);

std::string nanoseconds_text(std::uint64_t ns);   ///< "930 ns", "12 us", "3400 ms"
std::string rate_text(double rate);               ///< "3.2", "1250"
std::string counted(std::uint64_t count, std::string_view what); ///< "1 restart", "2 restarts"
std::string clock_text(std::int64_t at_us);       ///< "12:00:07.125", UTC; "-" for 0.

} // namespace lucid
