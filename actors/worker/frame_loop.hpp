// actors/worker/frame_loop.hpp - from a frame source to fragments on the link, at the pace of credit and frame rate.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "actors/worker/picture_pipeline.hpp"
#include "actors/worker/worker_link.hpp"
#include "messages/ports/clock.hpp"
#include "messages/ports/frame_source.hpp"

namespace lucid {

/// What the loops of a worker share: sending, statistics, waiting.
class worker_voice {
public:
  explicit worker_voice(worker_link& link) : link_(link) {}

  outcome<void> send(pipeline_output& output);
  outcome<void> log(worker_log_level level, std::string text);

  /// Takes orders for up to `patience`; sends statistics when they are due.
  outcome<void> pump(std::chrono::milliseconds patience);

  /// Waits until there is credit or the node wants an end.
  outcome<void> wait_for_credit();

  worker_link& link() noexcept { return link_; }
  std::uint64_t merged_count = 0;
  std::uint64_t frame_count = 0;

private:
  worker_link& link_;
  std::chrono::steady_clock::time_point stats_due_{};
};

/// The clocks of this process.
class process_clock final : public clock_port {
public:
  unix_time_us wall_us() const override;
  std::chrono::nanoseconds monotonic() const override;
};

/// Runs a source to its end.
///
/// A live source that fails is opened again, with growing pauses, and what was not seen becomes one `gap` event. Without
/// credit nothing is taken from it; it merges its changes, and what was merged becomes a `merged` event. A repeatable
/// source simply waits.
///
/// Uses: voice, start and clock, which must outlive it. Threads: one owner calls it.
class frame_loop {
public:
  frame_loop(worker_voice& voice, const worker_start& start, std::unique_ptr<frame_source> source, bool repeatable,
             const clock_port& clock);

  /// How the recording ended. An error is one of the link's.
  outcome<worker_end> run();

private:
  using time = std::chrono::nanoseconds; ///< Of the monotonic clock.

  outcome<std::optional<worker_end>> connect();
  outcome<std::optional<worker_end>> reconnect(error why);
  outcome<void> pause_before_attempt();
  outcome<std::optional<worker_end>> step();
  outcome<std::optional<worker_end>> take(source_poll poll);
  outcome<worker_end> finish(worker_end end);
  outcome<void> starve();
  void correct_clock(frame_view& picture);
  void note_gap(unix_time_us until_us, pipeline_output& output);
  unix_time_us now_us() const;
  std::int64_t steady_us() const;

  worker_voice& voice_;
  const worker_start& start_;
  std::unique_ptr<frame_source> source_;
  bool repeatable_;
  const clock_port& clock_;
  picture_pipeline pipeline_;
  pipeline_output output_;
  time next_frame_due_{};
  std::uint32_t attempt_count_ = 0;       ///< To reconnect, since the last frame.
  std::chrono::milliseconds pause_;       ///< Before the next of them.
  std::optional<error> lost_;             ///< Why the connection was lost; until the next frame.
  unix_time_us last_seen_us_ = 0;         ///< When the source was last known to be watched.
  std::int64_t clock_offset_us_ = 0; ///< The recording's clock less the steady clock.
  std::int64_t clock_step_us_ = 0;   ///< The wall clock less the recording's clock.
};

} // namespace lucid
