// runtime/config/quantity.hpp - sizes and durations as people write them, "10 MiB" or "500 ms", there and back.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "messages/outcome.hpp"

namespace lucid {

/// The bytes that `text` names: a number with B, KiB, MiB, GiB, TiB, kB, MB, GB, TB, or with nothing for bytes.
/// Errors: `invalid_input` for another grammar, for a fraction of a byte and for more than 2^63 - 1.
outcome<std::uint64_t> parse_size(std::string_view text);

/// The duration that `text` names: a number with ms, s, min, h, d, or with nothing for `bare_unit`.
/// Errors: as above; also a fraction of a millisecond.
outcome<std::chrono::milliseconds> parse_duration(std::string_view text, std::chrono::milliseconds bare_unit);

/// "10 MiB": the largest unit that divides evenly, so that it reads back as the same number.
std::string show_size(std::uint64_t size_bytes);

/// "8 h": likewise.
std::string show_duration(std::chrono::milliseconds duration);

/// "9.5 MiB": rounded to three digits, for people only.
std::string show_size_rounded(std::uint64_t size_bytes);

} // namespace lucid
