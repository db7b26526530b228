// runtime/log/log.hpp - what the process says about its work: `log::info("sessions/<id>/chunk", "cut {}", n)`.
//
// Lines are for people (text) or machines (one JSON object a line). Before `start`, warnings and errors go to
// standard error as text. Never log a secret; as a safety net the user information of URLs is blotted out.
#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "messages/identity.hpp"
#include "messages/outcome.hpp"

namespace lucid::log {

enum class level : std::uint8_t { trace, debug, info, warn, error, off };

std::string_view to_string(level at) noexcept;
std::optional<level> level_from(std::string_view name) noexcept;

/// The longest message; what is beyond is cut off and counted in the line.
inline constexpr std::size_t message_bytes_max = 4096;
/// A line after escaping: every byte of a message can become six ("\u00NN" in JSON), and 1 KiB for the rest.
inline constexpr std::size_t line_bytes_max = 6 * message_bytes_max + 1024;
/// Lines that wait for a slow disk or terminal. 1024 x 25 KiB = 25 MiB at the very worst, some 200 KiB as a rule.
/// When it is full the oldest line gives way: whoever logs is never held up.
inline constexpr std::size_t waiting_lines_max = 1024;
/// Lines kept in memory to be looked at, and how much of the text of each. 2,000 x 1.5 KiB = 3 MiB, path and all.
inline constexpr std::size_t recent_lines_max = 2000;
inline constexpr std::size_t recent_text_bytes_max = 1024;

/// Who speaks. A view: valid for the call. An actor's path has the names that levels are set for.
struct speaker {
  std::string_view path;
  std::string_view session = {}; ///< Hexadecimal id; taken from the path where that holds one.

  template <class Text>
    requires std::convertible_to<const Text&, std::string_view>
  speaker(const Text& path_text, std::string_view session_hex = {}) : path(path_text), session(session_hex) {}
};

/// Where lines go, and which.
struct settings {
  level standard = level::info;
  std::map<std::string, level> levels; ///< By subsystem: a component of the speaker's path; the last one counts.
  bool json = false;
  bool colour = false;                 ///< Levels in colour, in text only.
  std::filesystem::path file;          ///< Empty: standard error.
  std::uint64_t file_bytes_max = 16u << 20;
  std::uint32_t file_count_max = 5;
  bool in_background = true;           ///< Lines are written by a thread of their own. False for short commands.
  std::function<void(std::string_view)> sink; ///< Instead of file and standard error: each line, without its end.
};

/// Sets up logging, in place of an earlier set-up. Errors: `io_failed` if the file cannot be opened.
/// Threads: any, as all of this header.
outcome<void> start(const settings& wanted);

/// Writes what waits and goes back to the state before `start`.
void stop();

/// Changes the level of a subsystem, or with "" the standard level. Effective at once.
void set_level(std::string_view subsystem, level at);

/// The levels in force; "" is the standard one.
std::map<std::string, level> levels();

/// Lines that gave way because too many waited.
std::uint64_t dropped_line_count();

/// A line that was written.
struct recent_line {
  unix_time_us at_us = 0;
  level severity = level::info;
  std::string path;
  std::string session; ///< Hexadecimal id; empty if it concerns none.
  std::string text;    ///< Fit to be shown: control characters are escaped. At most recent_text_bytes_max.
};

/// Which lines. Views: valid for the call.
struct recent_query {
  std::string_view path = {};    ///< Of this path and all below it; empty: any.
  std::string_view session = {}; ///< Empty: any.
  level lowest = level::trace;
  std::size_t count = recent_lines_max; ///< The newest so many.
};

/// The last lines, oldest first, of at most `recent_lines_max` that are remembered.
std::vector<recent_line> recent(const recent_query& wanted);

/// Whether a line would be written: for messages that are dear to make.
bool enabled(level at, std::string_view path) noexcept;

/// Writes a line. The five functions below are what is called as a rule.
void write(level at, const speaker& who, fmt::string_view text, fmt::format_args args);

template <class... Args>
void trace(const speaker& who, fmt::format_string<Args...> text, Args&&... args) {
  write(level::trace, who, text, fmt::make_format_args(args...));
}
template <class... Args>
void debug(const speaker& who, fmt::format_string<Args...> text, Args&&... args) {
  write(level::debug, who, text, fmt::make_format_args(args...));
}
template <class... Args>
void info(const speaker& who, fmt::format_string<Args...> text, Args&&... args) {
  write(level::info, who, text, fmt::make_format_args(args...));
}
template <class... Args>
void warn(const speaker& who, fmt::format_string<Args...> text, Args&&... args) {
  write(level::warn, who, text, fmt::make_format_args(args...));
}
template <class... Args>
void error(const speaker& who, fmt::format_string<Args...> text, Args&&... args) {
  write(level::error, who, text, fmt::make_format_args(args...));
}

} // namespace lucid::log
