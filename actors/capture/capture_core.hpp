// actors/capture/capture_core.hpp - what the capture actor decides: numbers, credit, resending, restarts, gaps.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "messages/pipeline.hpp"
#include "messages/worker_protocol.hpp"

namespace lucid {

struct capture_options {
  session_id session{};
  std::uint64_t credit_bytes = 32u << 20; ///< Unacknowledged at most, but for one step of the worker's.
  int crash_count_max = 5;                ///< Workers in a row that ended without a single frame.
  std::chrono::milliseconds crash_pause_min{100}; ///< Doubles up to 10 s.
  worker_limits limits;
};

/// What the shell is to do, in order.
namespace capture_action {
struct send_fragment {
  fragment what;
  std::uint64_t round = 0; ///< Handed back with a failure.
};
struct grant_credit {
  std::uint64_t bytes = 0;
};
struct start_worker {
  worker_start how;
};
struct stop_worker {};
struct kill_worker {};
struct resend_later {
  std::chrono::milliseconds after{};
};
struct restart_later {
  std::chrono::milliseconds after{};
};
/// The first frames of this incarnation are numbered: the source delivers.
struct delivering {};
/// Everything is acknowledged and nothing more will come.
struct finished {
  capture_end end;
};
} // namespace capture_action

using capture_step =
  std::variant<capture_action::send_fragment, capture_action::grant_credit, capture_action::start_worker,
               capture_action::stop_worker, capture_action::kill_worker, capture_action::resend_later,
               capture_action::restart_later, capture_action::delivering, capture_action::finished>;
using capture_steps = std::vector<capture_step>;

/// The decisions of one capture actor.
///
/// Owns: the fragments not yet acknowledged, `credit_bytes` and one step of the worker's at most.
/// Threads: none. One owner calls it. Times are the wall clock's.
class capture_core {
public:
  /// Bytes a worker may be ahead of its credit before it counts as hostile: an init segment and two fragments.
  static constexpr std::uint64_t overdraft_bytes_max = 3 * fragment_size_bytes_max;

  /// `position` is what the journal has; `base_us` the session's creation.
  capture_core(capture_options options, capture_request what, capture_position position, unix_time_us base_us);

  capture_steps begin();
  capture_steps worker_said(worker_message message);
  capture_steps worker_gone(const std::optional<error>& failure, unix_time_us now_us);
  capture_steps worker_not_started(const error& why, unix_time_us now_us);
  capture_steps acknowledged(std::uint64_t sequence);
  capture_steps send_failed(std::uint64_t round);
  capture_steps resend();
  capture_steps restart();
  capture_steps stop(unix_time_us now_us);

  /// An event of the node's own.
  capture_steps record_event(const source_event& event);

  /// The session ends by this, whatever the worker says: a refused certificate.
  void decide_end(capture_end end) { decided_ = std::move(end); }

  /// After the last acknowledged fragment.
  const capture_position& position() const noexcept { return acknowledged_; }
  std::uint64_t last_sequence() const noexcept { return last_sequence_; }
  std::size_t unacknowledged_count() const noexcept { return unacknowledged_.size(); }
  std::uint64_t unacknowledged_bytes() const noexcept { return unacknowledged_bytes_; }
  std::uint64_t acknowledged_bytes() const noexcept { return acknowledged_bytes_; } ///< Since it was made.
  std::uint64_t restart_count() const noexcept { return restart_count_; }
  bool is_finished() const noexcept { return finished_; }
  bool has_delivered() const noexcept { return delivered_; }

private:
  struct pending {
    fragment what;
    std::uint64_t cost_bytes = 0; ///< Credit to return.
  };
  /// Nothing was seen since `from_us`. Stated once, when something is seen again or nothing will be: the worker's word
  /// of a gap and its death within it are one gap.
  struct open_gap {
    unix_time_us from_us = 0;
    std::string reason;
    std::string detail;           ///< More of it, if the worker said more.
    std::uint64_t cost_bytes = 0; ///< Credit that the worker's word took.
  };

  void number(fragment piece, std::uint64_t cost_bytes, capture_steps& steps);
  void number_event(const source_event& event, std::uint64_t cost_bytes, capture_steps& steps);
  void open_or_extend_gap(const source_event& told);
  void close_gap(unix_time_us until_us, capture_steps& steps);
  void finish_when_drained(capture_steps& steps);
  capture_steps lost(const std::string& reason, const error& why, unix_time_us now_us);

  capture_options options_;
  capture_request what_;
  unix_time_us base_us_;
  bool repeatable_;
  capture_position acknowledged_;
  source_position received_;     ///< After the last numbered fragment: where a new worker goes on.
  std::uint64_t last_sequence_;
  std::deque<pending> unacknowledged_;
  std::uint64_t unacknowledged_bytes_ = 0;
  std::uint64_t acknowledged_bytes_ = 0;
  std::uint64_t round_ = 1;      ///< Of sending; failures of earlier rounds are old news.
  bool waiting_to_resend_ = false;
  bool worker_runs_ = false;
  bool stopping_ = false;
  bool delivered_ = false;
  bool finished_ = false;
  int crash_count_ = 0;
  std::uint64_t restart_count_ = 0;
  std::optional<capture_end> end_;     ///< The worker's last word, or ours.
  std::optional<capture_end> decided_;
  std::optional<open_gap> gap_;
};

/// Whether a server's first certificate may be pinned without anybody looking at it.
enum class pin_policy : std::uint8_t {
  first_use, ///< "pin"
  strict,    ///< Only a server that an administrator has pinned.
};

/// What to do about a server's certificate.
struct pin_decision {
  bool accepted = false;
  bool pin_now = false;   ///< First use.
  std::string reason;     ///< For people, with both fingerprints when they differ.
};
pin_decision decide_pin(const std::optional<std::string>& pinned, const worker_certificate& shown, pin_policy policy);

/// What the recording says of it.
source_event certificate_event(const worker_certificate& shown, const pin_decision& decision, unix_time_us at_us);

/// An event as a line of the events track.
std::string event_line(const source_event& event);

} // namespace lucid
