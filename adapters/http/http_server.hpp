// adapters/http/http_server.hpp - HTTP/1.1 and WebSockets over a Unix socket and over TCP: one handler, two doors.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "adapters/http/http_message.hpp"
#include "messages/outcome.hpp"

namespace lucid {

/// Bounds of a server. Each door has its own connections, so that a flood on TCP leaves the Unix socket usable.
/// Memory: 2 x connections_max x (header_bytes_max + request_bytes_max + 64 KiB + one response)
///         + streams_max x stream_queue_bytes_max: 139 MiB and the responses under way + 128 MiB.
struct http_limits {
  std::uint32_t header_bytes_max = 16u << 10;
  std::uint64_t request_bytes_max = 1u << 20;
  std::uint32_t connections_max = 64;
  std::chrono::seconds idle_max{60};    ///< A connection without a request, or a stream without a sign of life, is closed.
  std::chrono::seconds request_max{10}; ///< From a request's first byte to its last; also for the TLS handshake.
  std::chrono::seconds answer_max{60};  ///< A request that nobody answers in this time gets 504.
  std::uint32_t streams_max = 8;
  std::uint32_t stream_message_bytes_max = 64u << 10;   ///< What a client may say at once.
  std::uint32_t stream_messages_per_s_max = 50;
  std::uint32_t stream_queue_bytes_max = 16u << 20;     ///< A full list of 10,000 busy actors has 9.5 MB.
  std::uint32_t stream_queue_messages_max = 16;
};

/// The files of a certificate, both PEM.
struct http_tls_files {
  std::filesystem::path certificate; ///< The chain, the server's own certificate first.
  std::filesystem::path key;
};

/// A door for browsers and programs. Nothing is known of who comes in: the handler asks for a credential.
struct http_tcp_door {
  std::string address = "127.0.0.1"; ///< An IP address. Anything but loopback needs `tls`.
  std::uint16_t port = 0;            ///< 0: one that is free; see `http_server::port`.
  std::optional<http_tls_files> tls;
};

/// Where a server listens. At least one of the two.
struct http_doors {
  std::optional<std::filesystem::path> socket; ///< Mode 0600; only processes of the same user, or root, are heard.
  std::optional<http_tcp_door> tcp;
};

/// What a server tells. All are called on its thread and must not block; only the first is needed.
struct http_handlers {
  std::function<void(http_request)> on_request;
  /// A client's message on a stream.
  std::function<void(std::uint64_t stream, std::string text)> on_message = nullptr;
  /// A message given to `send` was left out, since the client is slow: it is told the whole next time.
  std::function<void(std::uint64_t stream)> on_skipped = nullptr;
  /// The last thing heard of a stream.
  std::function<void(std::uint64_t stream)> on_closed = nullptr;
  /// What was turned away before it became a request: in words, without anything the client sent.
  std::function<void(http_peer from, std::string what)> on_refused = nullptr;
};

/// Serves a Unix socket, a TCP port, or both.
///
/// Owns: one thread, the socket file, all connections.
/// Threads: `reply`, `send` and `close` from any thread.
/// Errors of `listen`: `already_exists` when somebody serves this place; `invalid_input` for an address or certificate
/// that cannot be used; `permission_denied` for an address beyond loopback without TLS.
class http_server {
public:
  using handler = std::function<void(http_request)>;

  static outcome<std::unique_ptr<http_server>> listen(const http_doors& doors, http_limits limits,
                                                      http_handlers handlers);
  /// The Unix socket alone, without streams' messages.
  static outcome<std::unique_ptr<http_server>> listen(const std::filesystem::path& socket, http_limits limits,
                                                      handler on_request);
  ~http_server();
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  /// Answers the request `id`. One that is gone, or answered already, is ignored. Status 101 to a request that
  /// `wants_stream` makes it the stream `id`.
  void reply(std::uint64_t id, http_response response);

  /// Sends a text message on a stream, or leaves it out as a whole and says so: `on_skipped`. A stream that is gone is ignored.
  void send(std::uint64_t stream, std::string text);

  /// Ends a stream in an orderly way; `on_closed` follows.
  void close(std::uint64_t stream);

  /// The TCP port; 0 without one.
  std::uint16_t port() const noexcept;

  struct impl; ///< Private to http_server.cpp.

private:
  explicit http_server(std::unique_ptr<impl> parts);
  std::unique_ptr<impl> impl_;
};

} // namespace lucid
