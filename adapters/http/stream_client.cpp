// adapters/http/stream_client.cpp - the client's half of a WebSocket, by Boost.Beast.
#include "adapters/http/stream_client.hpp"

#include <deque>
#include <optional>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>

#include "adapters/http/http_failure.hpp"

namespace lucid {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using local = asio::local::stream_protocol;
using error_code = boost::system::error_code;

namespace {

constexpr std::chrono::milliseconds goodbye_max{100};

} // namespace

struct stream_client::impl {
  explicit impl(std::string path) : socket(std::move(path)) {}

  outcome<void> open(const std::string& target, std::chrono::milliseconds patience);
  void read();
  void write();
  void work() {
    context.restart(); // It stops whenever there is nothing under way.
    context.poll();
  }
  bool has_room() const { return received.size() < waiting_messages_max && received_bytes < waiting_bytes_max; }
  void end(error_code failed) {
    if (!ended) ended = explain_failure(failed, socket).value();
  }

  std::string socket;
  asio::io_context context{1};
  websocket::stream<beast::basic_stream<local>> ws{context};
  websocket::response_type answer;
  beast::flat_buffer buffer;
  bool is_reading = false;
  std::vector<std::string> received;
  std::size_t received_bytes = 0;
  std::deque<std::string> unsent; // The first one is being written.
  std::optional<error> ended;
};

outcome<void> stream_client::impl::open(const std::string& target, std::chrono::milliseconds patience) {
  error_code failed;
  auto& lowest = beast::get_lowest_layer(ws);
  lowest.expires_after(patience);
  ws.set_option(websocket::stream_base::timeout{patience, websocket::stream_base::none(), false});
  ws.set_option(websocket::stream_base::decorator(
    [](websocket::request_type& request) { request.set(beast::http::field::origin, "http://lucid"); }));
  ws.read_message_max(message_bytes_max);
  ws.text(true);
  lowest.async_connect(local::endpoint(socket), [&](error_code connect_failed) {
    if ((failed = connect_failed)) return;
    lowest.expires_never(); // From here on the WebSocket has a timer of its own.
    ws.async_handshake(answer, "lucid", target, [&](error_code shake_failed) { failed = shake_failed; });
  });
  context.run();
  if (failed == websocket::error::upgrade_declined)
    return fail(errc::refused, "control", "the node opened no stream: it answered " + std::to_string(answer.result_int()));
  if (failed) return explain_failure(failed, socket);
  return {};
}

void stream_client::impl::read() {
  is_reading = true;
  ws.async_read(buffer, [this](error_code failed, std::size_t) {
    is_reading = false;
    if (failed) return end(failed);
    received_bytes += buffer.size();
    received.push_back(beast::buffers_to_string(buffer.data()));
    buffer.consume(buffer.size());
    if (has_room()) read();
  });
}

void stream_client::impl::write() {
  ws.async_write(asio::buffer(unsent.front()), [this](error_code failed, std::size_t) {
    if (failed) return end(failed);
    unsent.pop_front();
    if (!unsent.empty()) write();
  });
}

stream_client::stream_client(std::unique_ptr<impl> parts) : impl_(std::move(parts)) {}

stream_client::~stream_client() {
  if (impl_->ended) return;
  impl_->ws.async_close(websocket::close_code::normal, [](error_code) {});
  impl_->context.restart();
  impl_->context.run_for(goodbye_max);
}

outcome<std::unique_ptr<stream_client>> stream_client::open(const std::filesystem::path& socket, const std::string& target,
                                                            std::chrono::milliseconds patience) {
  try {
    auto parts = std::make_unique<impl>(socket.string());
    if (auto opened = parts->open(target, patience); !opened) return pass_on(std::move(opened));
    return std::unique_ptr<stream_client>(new stream_client(std::move(parts)));
  } catch (const std::exception& e) { // A path that is too long for a socket, say.
    return fail(errc::internal, "control", e.what());
  }
}

outcome<void> stream_client::send(std::string text) {
  if (impl_->unsent.size() >= unsent_messages_max)
    return fail(errc::limit_exceeded, "control", "the node does not take what it is told on its stream");
  impl_->unsent.push_back(std::move(text));
  if (impl_->unsent.size() == 1 && !impl_->ended) impl_->write();
  return {};
}

outcome<std::vector<std::string>> stream_client::poll() {
  if (!impl_->ended && !impl_->is_reading && impl_->has_room()) impl_->read();
  if (!impl_->ended) impl_->work();
  if (impl_->received.empty() && impl_->ended) return tl::unexpected(*impl_->ended);
  impl_->received_bytes = 0;
  return std::exchange(impl_->received, {});
}

} // namespace lucid
