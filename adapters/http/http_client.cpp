// adapters/http/http_client.cpp - the client, by Boost.Beast.
#include "adapters/http/http_client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "adapters/http/http_failure.hpp"

namespace lucid {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using local = asio::local::stream_protocol;
using error_code = boost::system::error_code;

outcome<http_response> http_call(const std::filesystem::path& socket, const std::string& method,
                                 const std::string& target, const std::string& body,
                                 std::chrono::milliseconds patience) {
  asio::io_context context(1);
  beast::basic_stream<local> stream(context);
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(http_response_bytes_max);
  http::request<http::string_body> request;
  request.method_string(method);
  request.target(target);
  request.version(11);
  request.set(http::field::host, "lucid");
  request.keep_alive(false);
  request.body() = body;
  request.prepare_payload();

  // One chain of three steps; the time limit covers all of them.
  error_code failed;
  stream.expires_after(patience);
  try {
    stream.async_connect(local::endpoint(socket.string()), [&](error_code connect_failed) {
      if ((failed = connect_failed)) return;
      http::async_write(stream, request, [&](error_code write_failed, std::size_t) {
        if ((failed = write_failed)) return;
        http::async_read(stream, buffer, parser,
                         [&](error_code read_failed, std::size_t) { failed = read_failed; });
      });
    });
    context.run();
  } catch (const std::exception& e) {
    return fail(errc::internal, "control", e.what());
  }
  if (failed) return explain_failure(failed, socket.string());
  auto response = parser.release();
  return http_response{response.result_int(), std::string(response[http::field::content_type]),
                       std::move(response.body())};
}

} // namespace lucid
