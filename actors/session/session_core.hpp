// actors/session/session_core.hpp - the life cycle of one session; pure logic.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "messages/manifest.hpp"
#include "messages/outcome.hpp"
#include "messages/pipeline.hpp"
#include "messages/session.hpp"

namespace lucid {

/// What the core wants done. The shell does it and reports back by the call named in the comment.
namespace session_action {
struct persist { session_summary summary; };      ///< -> nothing, or `trouble`
struct start_capture {};                          ///< -> `capture_started` or `capture_ended`
struct stop_capture { std::string reason; };      ///< -> `capture_ended`
struct finish_chunks {};                          ///< -> `chunks_finished` or `trouble`
struct build_manifest { bool interrupted; };      ///< -> `manifest_built` or `trouble`
struct anchor { anchor_entry entry; };            ///< -> `anchored` or `trouble`
struct wake_after { std::chrono::milliseconds delay; }; ///< -> `woken`
struct finished { session_state state; };         ///< The session is final: its subtree may end.
} // namespace session_action

using session_command =
  std::variant<session_action::persist, session_action::start_capture, session_action::stop_capture,
               session_action::finish_chunks, session_action::build_manifest, session_action::anchor,
               session_action::wake_after, session_action::finished>;
using session_commands = std::vector<session_command>;

/// Bounds of a session's life.
struct session_limits {
  std::chrono::seconds length_max{8 * 3600};
  std::chrono::milliseconds retry_min{250};   ///< First wait after trouble; doubles each time.
  std::chrono::milliseconds retry_max{10'000};
};

/// Moves one session through its states. Every state can be entered again after a restart of actor or node: the work
/// of a state is asked for again, and whoever does it answers the same.
///
///     created -> recording -> sealing -> storing -> anchoring -> completed | interrupted
///     created -> failed, recording -> sealing -> failed when nothing at all was recorded
///
/// Trouble behind the capture (disk full, store gone) ends the capture, keeps all that was acknowledged, and is tried
/// again with growing pauses until it is mended: a session never gives up what it has.
///
/// Threads: none. One owner calls it. Units: times are Unix microseconds.
class session_core {
public:
  /// `summary` as the store has it. `fresh_node`: this process did not start the recording, so whatever was in
  /// `recording` has been interrupted.
  session_core(session_summary summary, session_limits limits, bool fresh_node);

  session_commands start(unix_time_us now);
  session_commands capture_started(unix_time_us now);
  session_commands capture_ended(const capture_end& end, unix_time_us now);
  session_commands chunks_finished(const chunk_totals& totals, unix_time_us now);
  session_commands manifest_built(const anchor_entry& entry, unix_time_us now);
  session_commands anchored(const stored_anchor& anchor, unix_time_us now);
  session_commands trouble(const error& cause, unix_time_us now);
  session_commands woken(unix_time_us now);

  session_commands stop_requested(const std::string& reason, unix_time_us now);
  outcome<session_commands> extend(std::chrono::seconds by, unix_time_us now);
  void progress(const session_progress& seen);

  const session_summary& summary() const noexcept { return summary_; }
  session_state state() const noexcept { return summary_.state; }

private:
  session_commands go_on(unix_time_us now);
  session_commands enter(session_state next, unix_time_us now);
  session_commands work_of_state(unix_time_us now);
  session_commands retry_later();
  session_state end_state() const noexcept;
  unix_time_us deadline() const noexcept;

  session_summary summary_;
  session_limits limits_;
  std::chrono::seconds length_max_;
  bool stopping_ = false;       // Capture was asked to stop; its end is awaited.
  anchor_entry entry_;          // What to anchor, once the manifest is built.
  std::chrono::milliseconds retry_{0};
  bool retry_set_ = false;      // A `wake_after` of a retry has not come back yet.
};

} // namespace lucid
