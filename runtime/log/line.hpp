// runtime/log/line.hpp - a log record as a line: pure functions, used by log.cpp and its tests.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "runtime/log/log.hpp"

namespace lucid::log {

/// One thing said.
struct record {
  std::chrono::system_clock::time_point at;
  level severity = level::info;
  std::string_view path;
  std::string_view session; ///< Empty if it concerns none.
  std::string_view message;
};

/// The first component of `path` that is a session id (64 hexadecimal digits); empty if there is none.
std::string_view session_in(std::string_view path) noexcept;

/// "2026-01-31T08:15:30.123Z info  sessions/0123456789ab/chunk: cut chunk 3"
std::string text_line(const record& said, bool colour);

/// {"time":"...","level":"info","path":"...","session":"...","message":"..."}
std::string json_line(const record& said);

} // namespace lucid::log
