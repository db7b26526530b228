// actors/worker/worker_link.hpp - the worker's end of its socket: messages out within credit, orders in.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>

#include "messages/worker_protocol.hpp"

namespace lucid {

/// Sends and receives the worker protocol.
///
/// Owns: the descriptor; closes it.
/// Threads: safe to call from any thread; orders are kept until asked for.
/// Errors: `unreachable` when the node is gone or does not read for 30 s, `protocol_violation` for what it may not say.
class worker_link {
public:
  explicit worker_link(int fd);
  worker_link(const worker_link&) = delete;
  worker_link& operator=(const worker_link&) = delete;
  ~worker_link();

  /// Blocks until the message is written. Fragments and events take from the credit, which may fall below zero by one.
  outcome<void> send(const worker_message& message);

  /// Waits up to `patience` for orders and takes what has come.
  outcome<void> pump(std::chrono::milliseconds patience);

  /// The start order, once.
  std::optional<worker_start> take_start();

  /// The node's answer to the last certificate, once.
  std::optional<worker_certificate_verdict> take_verdict();

  bool stop_wanted() const noexcept { return stop_wanted_; }
  bool has_credit() const noexcept { return credit_bytes_ > 0; }
  std::int64_t credit_bytes() const noexcept { return credit_bytes_; }
  std::uint64_t sent_bytes() const noexcept { return sent_bytes_; }

private:
  outcome<void> write_all(const wire_message& wire);
  void take(node_message message);

  int fd_;
  std::mutex sending_;
  std::mutex receiving_;
  worker_decoder<node_message> decoder_;
  std::optional<worker_start> start_;
  std::optional<worker_certificate_verdict> verdict_;
  std::atomic<bool> stop_wanted_ = false;
  std::atomic<std::int64_t> credit_bytes_ = 0;
  std::atomic<std::uint64_t> sent_bytes_ = 0;
};

} // namespace lucid
