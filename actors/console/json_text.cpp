// actors/console/json_text.cpp - names, commas and values.
#include "actors/console/json_text.hpp"

#include <cmath>
#include <iterator>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace lucid {
namespace {

using nlohmann::json;

constexpr double thousand = 1000;

/// Anything but a plain character costs the library's care.
bool is_plain(char c) noexcept { return c >= ' ' && c < 0x7f && c != '"' && c != '\\'; }

} // namespace

void separate(std::string& json) {
  if (!json.empty() && json.back() != '{' && json.back() != '[') json.push_back(',');
}

void write_name(std::string_view name, std::string& json) {
  separate(json);
  write_json(name, json);
  json.push_back(':');
}

void write_json(std::string_view value, std::string& text) {
  for (auto c : value)
    if (!is_plain(c)) {
      text += json(value).dump(-1, ' ', false, json::error_handler_t::replace);
      return;
    }
  text.push_back('"');
  text.append(value);
  text.push_back('"');
}

void write_json(bool value, std::string& text) { text += value ? "true" : "false"; }

void write_json(double value, std::string& text) {
  fmt::format_to(std::back_inserter(text), "{}", std::isfinite(value) ? std::round(value * thousand) / thousand : 0.0);
}

void write_json(std::int64_t value, std::string& text) { fmt::format_to(std::back_inserter(text), "{}", value); }
void write_json(std::uint64_t value, std::string& text) { fmt::format_to(std::back_inserter(text), "{}", value); }

void write_json(const json& value, std::string& text) {
  text += value.dump(-1, ' ', false, json::error_handler_t::replace);
}

bool is_same_number(double a, double b) noexcept {
  return a == b || std::round(a * thousand) == std::round(b * thousand);
}

} // namespace lucid
