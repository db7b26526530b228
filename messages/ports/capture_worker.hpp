// messages/ports/capture_worker.hpp - the worker process of one session, as the node sees it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <variant>

#include "messages/outcome.hpp"
#include "messages/worker_protocol.hpp"

namespace lucid {

/// The worker is gone. Always the last thing heard of it.
struct worker_gone {
  std::optional<error> failure; ///< Empty after an orderly end; `crashed` with the signal's name, `protocol_violation` ...
};

/// What is heard of a worker, in order.
using worker_news = std::variant<worker_message, worker_gone>;

/// Takes what is heard. Called from one thread of the worker object's own; must not block for long.
using worker_sink = std::function<void(worker_news)>;

/// A running worker. Destroying it ends the worker at once and hears nothing more of it.
///
/// Threads: `send` and `kill` from any one thread; the sink runs on another.
/// Errors: `unreachable` when the worker is gone, `busy` when it does not read.
class capture_worker {
public:
  virtual ~capture_worker() = default;

  /// Hands a message over. Waits a bounded time for room.
  virtual outcome<void> send(const node_message& message) = 0;

  /// Ends the worker at once; `worker_gone` follows.
  virtual void kill() noexcept = 0;
};

/// Starts a worker. Errors: `missing_dependency`, `io_failed`, `limit_exceeded`.
using capture_worker_starter = std::function<outcome<std::unique_ptr<capture_worker>>(worker_sink)>;

} // namespace lucid
