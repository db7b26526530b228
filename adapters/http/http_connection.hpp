// adapters/http/http_connection.hpp - one client's connection; private to this folder.
#pragma once

#include <map>
#include <memory>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>

#include "adapters/http/http_server.hpp"

namespace lucid {

/// A client: it asks and is answered, again and again, until it leaves or becomes a stream.
/// Owns: itself, while something is under way. Threads: the server's.
class http_connection {
public:
  virtual ~http_connection() = default;
  virtual void start() = 0;
  virtual void answer(http_response response) = 0;
  virtual void send(std::string text) = 0;
  virtual void close() = 0;
};

/// What all connections of a server share. Outlives them.
struct http_hub {
  using clients = std::map<std::uint64_t, std::weak_ptr<http_connection>>;

  http_limits bounds;
  http_handlers handlers;
  std::uint64_t last_id = 0;
  std::map<http_peer, std::uint32_t> open_count;
  clients waiting; ///< Requests without an answer; at most one a connection.
  clients streams;
  boost::asio::io_context context{1}; ///< Destroyed first: with it go the connections, which use what is above.

  void refused(http_peer from, std::string what) const {
    if (handlers.on_refused) handlers.on_refused(from, std::move(what));
  }
};

using http_socket = boost::asio::generic::stream_protocol::socket;

/// A connection on `socket`, with TLS if `tls` is given.
std::shared_ptr<http_connection> make_connection(http_socket socket, http_peer peer, http_hub& hub,
                                                 boost::asio::ssl::context* tls);

} // namespace lucid
