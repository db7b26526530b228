// actors/node/session_text.hpp - sessions as people read them.
#pragma once

#include <string>

#include "messages/session.hpp"

namespace lucid {

std::string duration_text(unix_time_us length_us);  ///< "0:00:12", "1:02:03"
std::string size_text(std::uint64_t size_bytes);    ///< "12.3 MiB"
std::string time_text(unix_time_us at_us);          ///< "2026-11-20 12:00:07 UTC"; "-" for 0.

/// How long was recorded so far.
unix_time_us recorded_length_us(const session_summary& s) noexcept;

} // namespace lucid
