// actors/capture/capture_actor.hpp - the shell of capture_core: the worker process on one side, chunk on the other.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "actors/capture/capture_core.hpp"
#include "messages/ports/capture_worker.hpp"
#include "messages/ports/pin_table.hpp"
#include "runtime/supervision/specs.hpp"

namespace lucid {

/// What the composition root hands to the capture actor of one session.
struct capture_parts {
  capture_options options;
  capture_worker_starter start_worker;
  std::shared_ptr<pin_table> pins;
  pin_policy policy = pin_policy::first_use;
  /// A worker that says nothing for so long hangs. It says something every 2 s, except while it connects.
  std::chrono::milliseconds silence_max{60'000};
  /// The session's password, for a capture that was restarted; empty when there is none. From any thread.
  std::function<std::string()> password;
  /// The worker's own log lines. From any thread.
  std::function<void(const worker_log&)> log;
  /// False in a session that is only being finished: then a restarted capture does not go on by itself.
  bool resumes = true;
};

/// Child spec of the capture actor of one session.
/// A restarted one remembers nothing: the journal's end tells it number and position, the store's row whether the
/// session still records; then it goes on by itself.
/// Detached, since it starts processes and writes pins; not where a test's scheduler has no threads.
child_spec capture_child(capture_parts parts, bool detached = true);

} // namespace lucid
