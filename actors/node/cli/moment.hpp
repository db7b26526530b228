// actors/node/cli/moment.hpp - moments of a recording as people write them: 12.5, 1:30, 1:02:03.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "messages/outcome.hpp"

namespace lucid {

/// Microseconds since the start of a recording: "12.5" (seconds), "mm:ss" or "hh:mm:ss", each with up to six decimals.
/// Errors: `invalid_input`, naming `option`.
outcome<std::int64_t> parse_moment(std::string_view text, std::string_view option);

/// "00:01:02.5", as `parse_moment` reads it; tenths of a second, cut off.
std::string show_moment(std::int64_t since_start_us);

} // namespace lucid
