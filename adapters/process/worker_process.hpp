// adapters/process/worker_process.hpp - a worker as a process of its own, with one end of a socket pair.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "messages/ports/capture_worker.hpp"

namespace lucid {

struct worker_process_options {
  std::string executable = "/proc/self/exe";
  std::vector<std::string> arguments{"worker", "--fd", "3"}; ///< After the program's name.
  std::optional<int> input_fd; ///< Becomes the worker's standard input, for the source `-`; else it has none.
};

/// Runs `lucid worker` and listens to it.
///
/// The worker's standard error arrives as log lines. A worker that breaks the protocol, or says more than 2000 lines of
/// log and statistics a second, is killed. When it ends, its exit status becomes the `worker_gone`.
/// Owns: the process, one socket, one pipe, one thread; at most one message of the worker's.
/// Threads: as the port.
class worker_process final : public capture_worker {
public:
  static outcome<std::unique_ptr<capture_worker>> start(const worker_process_options& options, worker_sink sink);

  /// A starter for the capture actor.
  static capture_worker_starter starter(worker_process_options options);

  ~worker_process() override;
  worker_process(const worker_process&) = delete;
  worker_process& operator=(const worker_process&) = delete;

  outcome<void> send(const node_message& message) override;
  void kill() noexcept override;

  /// For tests that kill it from outside.
  int process_id() const noexcept;

private:
  class impl;
  explicit worker_process(std::unique_ptr<impl> made);
  std::unique_ptr<impl> impl_;
};

} // namespace lucid
