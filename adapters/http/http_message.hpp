// adapters/http/http_message.hpp - a request and a response as the rest of the project sees them.
#pragma once

#include <cstdint>
#include <string>

namespace lucid {

/// One request, already bounded by the server's limits.
struct http_request {
  std::uint64_t id = 0;   ///< The server's name for it; goes into `http_server::reply`.
  std::string method;     ///< "GET", "POST" ...
  std::string target;     ///< Path and query, percent-encoded as received.
  std::string body;
};

struct http_response {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
};

} // namespace lucid
