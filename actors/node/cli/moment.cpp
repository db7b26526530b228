// actors/node/cli/moment.cpp - moments there and back.
#include "actors/node/cli/moment.hpp"

#include <charconv>
#include <optional>
#include <vector>

#include <fmt/core.h>

#include "runtime/log/text.hpp"

namespace lucid {
namespace {

constexpr std::int64_t second_us = 1'000'000;
constexpr std::size_t digits_max = 9;   // 10^9 hours fit 63 bits as microseconds.
constexpr std::size_t decimals_max = 6; // Down to the microsecond.

std::optional<std::int64_t> read_number(std::string_view digits, std::size_t length_max) {
  std::int64_t value = 0;
  if (digits.empty() || digits.size() > length_max) return std::nullopt;
  for (char c : digits)
    if (c < '0' || c > '9') return std::nullopt;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

std::optional<std::int64_t> read_seconds(std::string_view text) {
  auto point = text.find('.');
  auto whole = read_number(text.substr(0, point), digits_max);
  if (!whole || point == text.npos) return whole ? std::optional(*whole * second_us) : whole;
  auto decimals = text.substr(point + 1);
  auto part = read_number(decimals, decimals_max);
  if (!part) return std::nullopt;
  for (auto i = decimals.size(); i < decimals_max; ++i) *part *= 10;
  return *whole * second_us + *part;
}

std::optional<std::int64_t> read_moment(std::string_view text) {
  std::int64_t before_us = 0; // What stands before the seconds.
  int colons = 0;
  for (auto colon = text.find(':'); colon != text.npos; colon = text.find(':')) {
    auto part = read_number(text.substr(0, colon), digits_max);
    if (!part || ++colons > 2 || (colons == 2 && *part > 59)) return std::nullopt;
    before_us = (before_us + *part * second_us) * 60;
    text.remove_prefix(colon + 1);
  }
  auto seconds = read_seconds(text);
  if (!seconds || (colons > 0 && *seconds >= 60 * second_us)) return std::nullopt;
  return before_us + *seconds;
}

} // namespace

outcome<std::int64_t> parse_moment(std::string_view text, std::string_view option) {
  if (auto moment = read_moment(text)) return *moment;
  return fail(errc::invalid_input, "lucid",
              fmt::format("{} {}: expected a time since the start of the recording, such as 12.5 (seconds), 1:30 or 1:02:03",
                          option, printable(text)));
}

std::string show_moment(std::int64_t since_start_us) {
  auto tenths = since_start_us < 0 ? 0 : since_start_us / (second_us / 10);
  auto seconds = tenths / 10;
  return fmt::format("{:02}:{:02}:{:02}.{}", seconds / 3600, seconds / 60 % 60, seconds % 60, tenths % 10);
}

} // namespace lucid
