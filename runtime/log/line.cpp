// runtime/log/line.cpp - lines for people and for machines.
#include "runtime/log/line.hpp"

#include <algorithm>

#include <fmt/chrono.h>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "runtime/log/text.hpp"

namespace lucid::log {
namespace {

constexpr std::size_t session_digits = 64, short_digits = 12;

std::string time_text(std::chrono::system_clock::time_point at) {
  auto since = at.time_since_epoch();
  auto whole = std::chrono::floor<std::chrono::seconds>(since);
  auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(since - whole);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::time_t{whole.count()}), rest.count());
}

std::string_view colour_of(level at) {
  switch (at) {
    case level::trace:
    case level::debug: return "\x1b[2m";
    case level::warn: return "\x1b[33m";
    case level::error: return "\x1b[31m";
    default: return "";
  }
}

} // namespace

std::string_view session_in(std::string_view path) noexcept {
  auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  while (!path.empty()) {
    auto component = path.substr(0, path.find('/'));
    if (component.size() == session_digits && std::all_of(component.begin(), component.end(), hex)) return component;
    path.remove_prefix(std::min(path.size(), component.size() + 1));
  }
  return {};
}

std::string text_line(const record& said, bool colour) {
  auto path = printable(said.path);
  auto session = printable(said.session);
  auto in_path = session.empty() ? std::string::npos : path.find(session);
  if (in_path != std::string::npos) path.erase(in_path + short_digits, session.size() - std::min(session.size(), short_digits));
  else if (!session.empty()) path += fmt::format(" ({})", session.substr(0, short_digits));
  auto paint = colour ? colour_of(said.severity) : std::string_view();
  return fmt::format("{} {}{:<5}{} {}: {}", time_text(said.at), paint, to_string(said.severity), paint.empty() ? "" : "\x1b[0m",
                     path, printable(said.message));
}

std::string json_line(const record& said) {
  nlohmann::ordered_json line;
  line["time"] = time_text(said.at);
  line["level"] = to_string(said.severity);
  line["path"] = said.path;
  if (!said.session.empty()) line["session"] = said.session;
  line["message"] = said.message;
  // Bytes that are no UTF-8 become U+FFFD; everything beyond ASCII is escaped, so that no line can be forged.
  return line.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

} // namespace lucid::log
