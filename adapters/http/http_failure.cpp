// adapters/http/http_failure.cpp - codes of Boost.Asio and Beast to ours.
#include "adapters/http/http_failure.hpp"

#include <boost/asio/error.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/websocket/error.hpp>

namespace lucid {

namespace asio = boost::asio;
namespace beast = boost::beast;

tl::unexpected<error> explain_failure(const boost::system::error_code& failed, const std::string& socket) {
  if (failed == beast::error::timeout)
    return fail(errc::timeout, "control", "the node at " + socket + " did not answer in time");
  if (failed == asio::error::access_denied)
    return fail(errc::permission_denied, "control", "this user may not use " + socket);
  if (failed == boost::system::errc::connection_refused || failed == boost::system::errc::no_such_file_or_directory)
    return fail(errc::unreachable, "control", "no node serves " + socket);
  if (failed == beast::http::error::end_of_stream || failed == asio::error::connection_reset ||
      failed == asio::error::broken_pipe || failed == asio::error::eof || failed == beast::websocket::error::closed)
    return fail(errc::unreachable, "control", "the node at " + socket + " closed the connection");
  return fail(errc::protocol_violation, "control", socket + ": " + failed.message());
}

} // namespace lucid
