// adapters/http/stream_client.hpp - one WebSocket over a Unix socket, looked at now and then.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "messages/outcome.hpp"

namespace lucid {

/// A stream from its opening to its end. Nothing happens between two calls of `poll`: what a slow owner does not take waits
/// with the server, which leaves messages out and tells how many.
///
/// Owns: the connection. Threads: one. Memory: `waiting_bytes_max` + `message_bytes_max`, and what is to be sent.
class stream_client {
public:
  static constexpr std::size_t message_bytes_max = 16u << 20; ///< The most a server queues for one stream.
  static constexpr std::size_t waiting_bytes_max = 8u << 20; ///< Beyond it nothing is read until it was taken.
  static constexpr std::size_t waiting_messages_max = 64;
  static constexpr std::size_t unsent_messages_max = 16;

  /// Threads: blocks the caller for at most `patience`.
  /// Errors: as `http_call`; `refused` with the status when the server opens no stream.
  static outcome<std::unique_ptr<stream_client>> open(const std::filesystem::path& socket, const std::string& target,
                                                      std::chrono::milliseconds patience);
  ~stream_client(); ///< Says goodbye if that does not take long.
  stream_client(const stream_client&) = delete;
  stream_client& operator=(const stream_client&) = delete;

  /// Sends a text message, at the latest with the next `poll`. Errors: `limit_exceeded` while too many are not yet sent.
  outcome<void> send(std::string text);

  /// What has come since; does not wait. Errors: how the stream ended, once all that came before was taken.
  outcome<std::vector<std::string>> poll();

private:
  struct impl;
  explicit stream_client(std::unique_ptr<impl> parts);
  std::unique_ptr<impl> impl_;
};

} // namespace lucid
