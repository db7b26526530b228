// runtime/config/quantity.cpp - exact integer arithmetic for "1.5 GiB" and its kind.
#include "runtime/config/quantity.hpp"

#include <array>
#include <limits>
#include <span>

#include <fmt/core.h>

namespace lucid {
namespace {

struct unit {
  std::string_view name;
  std::int64_t factor;
};

constexpr std::int64_t kib = 1024, mib = 1024 * kib, gib = 1024 * mib, tib = 1024 * gib;
constexpr std::array<unit, 9> size_units{{{"TiB", tib}, {"GiB", gib}, {"MiB", mib}, {"KiB", kib}, {"B", 1},
                                          {"TB", 1000000000000}, {"GB", 1000000000}, {"MB", 1000000}, {"kB", 1000}}};
constexpr std::array<unit, 5> duration_units{{{"d", 86400000}, {"h", 3600000}, {"min", 60000}, {"s", 1000}, {"ms", 1}}};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string_view take_digits(std::string_view& text) {
  std::size_t n = 0;
  while (n < text.size() && text[n] >= '0' && text[n] <= '9') ++n;
  auto digits = text.substr(0, n);
  text.remove_prefix(n);
  return digits;
}

std::string names(std::span<const unit> units) {
  std::string list;
  for (auto& u : units) list += fmt::format("{}{}", list.empty() ? "" : ", ", u.name);
  return list;
}

tl::unexpected<error> refuse(std::string what) { return fail(errc::invalid_input, "config", std::move(what)); }

/// whole[.fraction] x factor, exactly.
outcome<std::int64_t> scale(std::string_view whole, std::string_view fraction, std::int64_t factor) {
  constexpr auto max = std::numeric_limits<std::int64_t>::max();
  std::int64_t value = 0;
  for (char digit : whole) {
    if (value > (max - 9) / 10) return refuse("the number is too large");
    value = value * 10 + (digit - '0');
  }
  if (value > max / factor) return refuse("the number is too large");
  value *= factor;
  // The fraction's digits are worth factor / 10, factor / 100 ...; a digit that is worth no whole unit is refused.
  std::int64_t numerator = 0, denominator = 1;
  for (char digit : fraction) {
    if (denominator >= 1000000) return refuse("there are more than six digits after the point");
    numerator = numerator * 10 + (digit - '0');
    denominator *= 10;
  }
  if (numerator > max / factor || numerator * factor % denominator != 0)
    return refuse("the fraction is smaller than the smallest unit");
  auto rest = numerator * factor / denominator;
  if (value > max - rest) return refuse("the number is too large");
  return value + rest;
}

outcome<std::int64_t> parse(std::string_view text, std::span<const unit> units, std::int64_t bare_factor) {
  auto rest = trimmed(text);
  auto whole = take_digits(rest);
  std::string_view fraction;
  if (whole.empty()) return refuse("there is no number at its start");
  if (!rest.empty() && rest.front() == '.') {
    rest.remove_prefix(1);
    fraction = take_digits(rest);
    if (fraction.empty()) return refuse("there is no digit after the point");
  }
  rest = trimmed(rest);
  if (rest.empty()) return scale(whole, fraction, bare_factor);
  for (auto& u : units)
    if (u.name == rest) return scale(whole, fraction, u.factor);
  return refuse(fmt::format("the unit must be one of {}", names(units)));
}

std::string show(std::int64_t value, std::span<const unit> units) {
  for (auto& u : units)
    if (value != 0 && value % u.factor == 0) return fmt::format("{} {}", value / u.factor, u.name);
  return "0";
}

} // namespace

outcome<std::uint64_t> parse_size(std::string_view text) {
  return parse(text, size_units, 1).map([](std::int64_t v) { return static_cast<std::uint64_t>(v); });
}

outcome<std::chrono::milliseconds> parse_duration(std::string_view text, std::chrono::milliseconds bare_unit) {
  return parse(text, duration_units, bare_unit.count()).map([](std::int64_t v) { return std::chrono::milliseconds(v); });
}

std::string show_size(std::uint64_t size_bytes) {
  // The five binary units come first in the table, largest first.
  return show(static_cast<std::int64_t>(size_bytes), std::span(size_units).first(5));
}

std::string show_duration(std::chrono::milliseconds duration) { return show(duration.count(), duration_units); }

std::string show_size_rounded(std::uint64_t size_bytes) {
  for (auto& u : std::span(size_units).first(4)) {
    auto value = static_cast<double>(size_bytes) / static_cast<double>(u.factor);
    if (value >= 1.0) return fmt::format("{:.{}f} {}", value, value < 10 ? 2 : value < 100 ? 1 : 0, u.name);
  }
  return fmt::format("{} B", size_bytes);
}

} // namespace lucid
