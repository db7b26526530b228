// adapters/http/http_server.hpp - HTTP/1.1 over a Unix socket, for people and programs of the same user.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

#include "adapters/http/http_message.hpp"
#include "messages/outcome.hpp"

namespace lucid {

/// Bounds of a server. Memory: connections_max x (header_bytes_max + request_bytes_max + one response).
struct http_limits {
  std::uint32_t header_bytes_max = 16u << 10;
  std::uint64_t request_bytes_max = 1u << 20;
  std::uint32_t connections_max = 64;
  std::chrono::seconds idle_max{60};   ///< A connection that sends no whole request in this time is closed.
  std::chrono::seconds answer_max{60}; ///< A request that nobody answers in this time gets 504.
};

/// Serves a Unix socket (mode 0600). Only processes of the same user, or root, are heard: others are cut off at once.
///
/// Owns: one thread, the socket file, all connections.
/// Threads: `reply` from any thread; the handler is called on the server's thread and must not block.
/// Errors: `listen` answers `already_exists` when somebody serves this socket.
class http_server {
public:
  using handler = std::function<void(http_request)>;

  static outcome<std::unique_ptr<http_server>> listen(const std::filesystem::path& socket, http_limits limits,
                                                      handler on_request);
  ~http_server();
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  /// Answers the request `id`. One that is gone, or answered already, is ignored.
  void reply(std::uint64_t id, http_response response);

  struct impl; ///< Private to http_server.cpp.

private:
  explicit http_server(std::unique_ptr<impl> parts);
  std::unique_ptr<impl> impl_;
};

} // namespace lucid
