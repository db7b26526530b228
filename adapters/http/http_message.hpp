// adapters/http/http_message.hpp - a request and a response as the rest of the project sees them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lucid {

struct http_header {
  std::string name;  ///< Lower case in requests.
  std::string value;
};

/// What is known of whoever sent a request.
enum class http_peer : std::uint8_t {
  same_user = 1, ///< On the Unix socket: a process of this user, or root.
  network,       ///< On TCP: anybody who can reach the port, also from this machine.
};

/// One request, already bounded by the server's limits. Headers that name who asks (host, origin, cookie) are there once.
struct http_request {
  std::uint64_t id = 0;   ///< The server's name for it; goes into `http_server::reply`, and names the stream it becomes.
  std::string method;     ///< "GET", "POST" ...
  std::string target;     ///< Path and query, percent-encoded as received.
  std::string body;
  http_peer peer = http_peer::same_user;
  bool wants_stream = false; ///< A correct request for a WebSocket: a reply of status 101 makes it one.
  std::vector<http_header> headers = {};

  /// The value of a header by its lower-case name; empty if there is none.
  std::string_view header(std::string_view name) const noexcept {
    for (auto& each : headers)
      if (each.name == name) return each.value;
    return {};
  }
};

struct http_response {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<http_header> headers = {}; ///< Beside what the server writes; "cache-control" here replaces "no-store".
};

} // namespace lucid
