// runtime/log/log.cpp - levels, and the way of a line to spdlog's sinks.
#include "runtime/log/log.hpp"

#include <array>
#include <atomic>
#include <mutex>
#include <shared_mutex>

#include <spdlog/async.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "runtime/log/line.hpp"
#include "runtime/log/recent.hpp"
#include "runtime/log/text.hpp"

namespace lucid::log {
namespace {

constexpr std::array<std::string_view, 6> names{"trace", "debug", "info", "warn", "error", "off"};

/// Hands lines to a function: for tests, and for whoever shows them elsewhere.
class function_sink final : public spdlog::sinks::base_sink<std::mutex> {
public:
  explicit function_sink(std::function<void(std::string_view)> take) : take_(std::move(take)) {}

private:
  void sink_it_(const spdlog::details::log_msg& line) override { take_({line.payload.data(), line.payload.size()}); }
  void flush_() override {}
  std::function<void(std::string_view)> take_;
};

spdlog::sink_ptr make_sink(const settings& wanted) {
  if (wanted.sink) return std::make_shared<function_sink>(wanted.sink);
  if (wanted.file.empty()) return std::make_shared<spdlog::sinks::stderr_sink_mt>();
  auto older_count = wanted.file_count_max > 0 ? wanted.file_count_max - 1 : 0;
  return std::make_shared<spdlog::sinks::rotating_file_sink_mt>(wanted.file.string(), wanted.file_bytes_max, older_count);
}

spdlog::level::level_enum to_spdlog(level at) {
  constexpr std::array<spdlog::level::level_enum, 6> same{spdlog::level::trace, spdlog::level::debug, spdlog::level::info,
                                                          spdlog::level::warn,  spdlog::level::err,   spdlog::level::off};
  return same[static_cast<std::size_t>(at)];
}

/// The one log of the process.
class journal_of_lines {
public:
  journal_of_lines() { replace(make(quiet()), quiet()); }

  outcome<void> start(const settings& wanted) {
    try {
      replace(make(wanted), wanted);
    } catch (const spdlog::spdlog_ex& e) {
      return fail(errc::io_failed, "log", e.what());
    }
    return {};
  }

  void stop() { replace(make(quiet()), quiet()); }

  void set_level(std::string_view subsystem, level at) {
    std::unique_lock lock(mutex_);
    if (subsystem.empty()) standard_ = at;
    else levels_[std::string(subsystem)] = at;
    find_lowest();
  }

  std::map<std::string, level> levels() const {
    std::shared_lock lock(mutex_);
    std::map<std::string, level> all(levels_.begin(), levels_.end());
    all[""] = standard_;
    return all;
  }

  bool enabled(level at, std::string_view path) const noexcept {
    if (at < lowest_.load(std::memory_order_relaxed)) return false;
    std::shared_lock lock(mutex_);
    return at >= level_of(path);
  }

  void write(const record& said) {
    recent_.add(said);
    output to;
    {
      std::shared_lock lock(mutex_);
      to = output_;
    }
    auto line = to.json ? json_line(said) : text_line(said, to.colour);
    to.logger->log(to_spdlog(said.severity), line);
  }

  std::vector<recent_line> recent(const recent_query& wanted) const { return recent_.find(wanted); }

  std::uint64_t dropped_line_count() const {
    std::shared_lock lock(mutex_);
    return output_.pool ? output_.pool->overrun_counter() : 0;
  }

private:
  struct output {
    std::shared_ptr<spdlog::logger> logger;
    std::shared_ptr<spdlog::details::thread_pool> pool; ///< Goes first: its thread has ended when the logger closes its file.
    bool json = false, colour = false;
  };

  static settings quiet() {
    settings before_start;
    before_start.standard = level::warn;
    before_start.in_background = false;
    return before_start;
  }

  static output make(const settings& wanted) {
    output made;
    made.json = wanted.json;
    made.colour = wanted.colour;
    auto sink = make_sink(wanted);
    if (wanted.in_background) {
      made.pool = std::make_shared<spdlog::details::thread_pool>(waiting_lines_max, 1);
      made.logger = std::make_shared<spdlog::async_logger>("lucid", sink, made.pool, spdlog::async_overflow_policy::overrun_oldest);
    } else {
      made.logger = std::make_shared<spdlog::logger>("lucid", sink);
    }
    made.logger->set_pattern("%v"); // The line is complete.
    made.logger->set_level(spdlog::level::trace);
    made.logger->flush_on(wanted.in_background ? spdlog::level::warn : spdlog::level::trace);
    return made;
  }

  void replace(output made, const settings& wanted) {
    std::unique_lock lock(mutex_);
    std::swap(output_, made);
    standard_ = wanted.standard;
    levels_ = {wanted.levels.begin(), wanted.levels.end()};
    find_lowest();
    lock.unlock();
    // The old thread ends here, after it has written what waits. A flush sent to it would only displace a line.
    if (made.logger && !made.pool) made.logger->flush();
  }

  void find_lowest() {
    auto lowest = standard_;
    for (auto& [name, at] : levels_) lowest = std::min(lowest, at);
    lowest_.store(lowest, std::memory_order_relaxed);
  }

  level level_of(std::string_view path) const {
    while (!levels_.empty()) {
      auto slash = path.rfind('/');
      auto found = levels_.find(slash == std::string_view::npos ? path : path.substr(slash + 1));
      if (found != levels_.end()) return found->second;
      if (slash == std::string_view::npos) break;
      path = path.substr(0, slash);
    }
    return standard_;
  }

  mutable std::shared_mutex mutex_;
  output output_;
  level standard_ = level::warn;
  std::map<std::string, level, std::less<>> levels_;
  std::atomic<level> lowest_{level::warn};
  recent_lines recent_;
};

journal_of_lines& the_log() {
  // Never destroyed: threads may still speak while the process ends.
  static auto* one = new journal_of_lines;
  return *one;
}

} // namespace

std::string_view to_string(level at) noexcept { return names[static_cast<std::size_t>(at)]; }

std::optional<level> level_from(std::string_view name) noexcept {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return static_cast<level>(i);
  return {};
}

outcome<void> start(const settings& wanted) { return the_log().start(wanted); }
void stop() { the_log().stop(); }
void set_level(std::string_view subsystem, level at) { the_log().set_level(subsystem, at); }
std::map<std::string, level> levels() { return the_log().levels(); }
std::uint64_t dropped_line_count() { return the_log().dropped_line_count(); }
std::vector<recent_line> recent(const recent_query& wanted) { return the_log().recent(wanted); }
bool enabled(level at, std::string_view path) noexcept { return the_log().enabled(at, path); }

void write(level at, const speaker& who, fmt::string_view text, fmt::format_args args) {
  if (!enabled(at, who.path)) return;
  auto message = without_credentials(fmt::vformat(text, args));
  if (message.size() > message_bytes_max) {
    auto beyond = message.size() - message_bytes_max;
    message.resize(message_bytes_max);
    message += fmt::format("... ({} bytes more)", beyond);
  }
  auto session = who.session.empty() ? session_in(who.path) : who.session;
  the_log().write({std::chrono::system_clock::now(), at, who.path, session, message});
}

} // namespace lucid::log
