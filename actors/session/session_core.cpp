// actors/session/session_core.cpp - the life cycle of one session.
#include "actors/session/session_core.hpp"

#include <algorithm>
#include <utility>

namespace lucid {

using namespace session_action;
using namespace std::chrono;

session_core::session_core(session_summary summary, session_limits limits, bool fresh_node)
  : summary_(std::move(summary)), limits_(limits), length_max_(limits.length_max) {
  bool was_cut_short = summary_.state == session_state::recording || summary_.state == session_state::created;
  if (fresh_node && was_cut_short) summary_.interrupted = true;
}

session_commands session_core::start(unix_time_us now) {
  bool anchored_already = summary_.state == session_state::anchoring && summary_.block_height != 0;
  if (anchored_already) return enter(end_state(), now);
  if (summary_.state >= session_state::sealing) return work_of_state(now);
  if (!summary_.interrupted) return go_on(now);
  if (summary_.state == session_state::created) {
    summary_.reason = "the node stopped before anything was recorded";
    return enter(session_state::failed, now);
  }
  summary_.reason = "the node stopped without warning while it recorded";
  return enter(session_state::sealing, now);
}

// The news of an incarnation that died may have been lost: capture is asked again for what it was asked for, and says
// again how it ended. A reason that is there already is that of a wish to stop.
session_commands session_core::go_on(unix_time_us now) {
  session_commands commands;
  if (!summary_.reason.empty()) {
    stopping_ = true;
    commands.push_back(stop_capture{summary_.reason});
  } else {
    commands.push_back(start_capture{});
  }
  if (summary_.state == session_state::recording && !stopping_) {
    auto more = woken(now);
    commands.insert(commands.end(), more.begin(), more.end());
  }
  return commands;
}

session_commands session_core::capture_started(unix_time_us now) {
  if (summary_.state != session_state::created) return {};
  return enter(session_state::recording, now);
}

session_commands session_core::capture_ended(const capture_end& end, unix_time_us now) {
  bool running = summary_.state == session_state::created || summary_.state == session_state::recording;
  if (!running) return {};
  stopping_ = false;
  if (summary_.reason.empty()) summary_.reason = end.reason;
  if (summary_.state == session_state::created) return enter(session_state::failed, now);
  return enter(session_state::sealing, now);
}

session_commands session_core::chunks_finished(const chunk_totals& totals, unix_time_us now) {
  if (summary_.state != session_state::sealing) return {};
  if (totals.chunk_count == 0) {
    if (summary_.reason.empty()) summary_.reason = "nothing was recorded";
    return enter(session_state::failed, now);
  }
  summary_.chunk_count = totals.chunk_count;
  summary_.fragment_count = totals.last_sequence;
  return enter(session_state::storing, now);
}

session_commands session_core::manifest_built(const anchor_entry& entry, unix_time_us now) {
  if (summary_.state != session_state::storing && summary_.state != session_state::anchoring) return {};
  entry_ = entry;
  if (summary_.state == session_state::anchoring) return work_of_state(now);
  return enter(session_state::anchoring, now);
}

session_commands session_core::anchored(const stored_anchor& anchor, unix_time_us now) {
  if (summary_.state != session_state::anchoring) return {};
  summary_.block_height = anchor.record.block_height;
  if (anchor.block) summary_.block_producer = anchor.block->producer;
  return enter(end_state(), now);
}

session_state session_core::end_state() const noexcept {
  return summary_.interrupted ? session_state::interrupted : session_state::completed;
}

// Capture is not asked to go on over a pipeline that cannot keep what it delivers: recording fails closed.
session_commands session_core::trouble(const error& cause, unix_time_us now) {
  if (is_final(summary_.state)) return {};
  if (summary_.state == session_state::created) {
    summary_.reason = cause.what;
    return enter(session_state::failed, now);
  }
  if (summary_.state == session_state::recording) {
    if (summary_.reason.empty()) summary_.reason = "recording ended: " + cause.what + " (" + std::string(to_string(cause.code)) + ")";
    auto commands = enter(session_state::sealing, now);
    commands.insert(commands.begin() + 1, stop_capture{summary_.reason});
    return commands;
  }
  return retry_later();
}

session_commands session_core::woken(unix_time_us now) {
  retry_set_ = false;
  if (is_final(summary_.state)) return {};
  if (summary_.state > session_state::recording) return work_of_state(now);
  if (now >= deadline()) return stop_requested("the maximum length was reached", now);
  return {wake_after{duration_cast<milliseconds>(microseconds(deadline() - now)) + milliseconds(1)}};
}

session_commands session_core::stop_requested(const std::string& reason, unix_time_us) {
  bool running = summary_.state == session_state::created || summary_.state == session_state::recording;
  if (!running || std::exchange(stopping_, true)) return {};
  if (summary_.reason.empty()) summary_.reason = reason;
  return {stop_capture{reason}, persist{summary_}}; // The wish must outlive this actor, and need not wait for the disk.
}

outcome<session_commands> session_core::extend(seconds by, unix_time_us now) {
  if (summary_.state > session_state::recording || stopping_)
    return fail(errc::wrong_state, "session",
                "only a running session can be extended; this one is " + std::string(to_string(summary_.state)));
  length_max_ += by;
  return woken(now);
}

void session_core::progress(const session_progress& seen) {
  summary_.started_us = seen.started_us;
  summary_.ended_us = seen.ended_us;
  summary_.frame_count = seen.frame_count;
  summary_.fragment_count = seen.fragment_count;
  summary_.gap_count = seen.gap_count;
  summary_.captured_bytes = seen.captured_bytes;
  summary_.stored_bytes = seen.stored_bytes;
  summary_.chunk_count = seen.chunk_count;
}

session_commands session_core::enter(session_state next, unix_time_us now) {
  summary_.state = next;
  retry_ = milliseconds(0);
  session_commands commands{persist{summary_}};
  auto work = work_of_state(now);
  commands.insert(commands.end(), work.begin(), work.end());
  return commands;
}

session_commands session_core::work_of_state(unix_time_us now) {
  switch (summary_.state) {
    case session_state::created: return {start_capture{}};
    case session_state::recording: return woken(now);
    case session_state::sealing: return {finish_chunks{}};
    case session_state::storing: return {build_manifest{summary_.interrupted}};
    case session_state::anchoring:
      // After a restart the entry is not known any more; building the manifest again answers the stored one.
      if (entry_ == anchor_entry{}) return {build_manifest{summary_.interrupted}};
      return {anchor{entry_}};
    case session_state::completed:
    case session_state::interrupted:
    case session_state::failed: return {finished{summary_.state}};
  }
  return {};
}

session_commands session_core::retry_later() {
  if (std::exchange(retry_set_, true)) return {}; // However often trouble is told, one retry is under way.
  retry_ = retry_ == milliseconds(0) ? limits_.retry_min : std::min(retry_ * 2, limits_.retry_max);
  return {wake_after{retry_}};
}

unix_time_us session_core::deadline() const noexcept {
  auto from = summary_.started_us != 0 ? summary_.started_us : summary_.created_us;
  return from + duration_cast<microseconds>(length_max_).count();
}

} // namespace lucid
