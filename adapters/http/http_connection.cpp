// adapters/http/http_connection.cpp - requests, answers and streams of one client, by Boost.Beast.
#include "adapters/http/http_connection.hpp"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

namespace lucid {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using error_code = boost::system::error_code;
using plain_stream = beast::basic_stream<asio::generic::stream_protocol>;
using tls_stream = beast::ssl_stream<plain_stream>;
using http_message = http::request<http::string_body>;

constexpr std::size_t read_bytes_max = 64u << 10; // What Beast reads at once, behind what a buffer holds.
constexpr std::chrono::seconds drain_max{1};

/// Why a request is turned away before anybody is asked.
struct refusal {
  unsigned status;
  std::string what;
  std::vector<http_header> headers = {};
};

/// The rules of RFC 6455, section 4.2.1, with an answer for each.
std::optional<refusal> refuse_upgrade(const http_message& message) {
  if (!websocket::is_upgrade(message))
    return refusal{400, "a WebSocket is asked for by GET in HTTP/1.1 with Connection: Upgrade"};
  if (message[http::field::sec_websocket_version] != "13")
    return refusal{426, "this server speaks version 13 of WebSocket", {{"sec-websocket-version", "13"}}};
  if (message[http::field::sec_websocket_key].size() != 24)
    return refusal{400, "Sec-WebSocket-Key must be 16 bytes in base64"};
  if (!message.body().empty()) return refusal{400, "a request for a WebSocket has no body"};
  return {};
}

std::optional<refusal> refuse_request(const http_message& message) {
  if (message.method() != http::verb::get && message.method() != http::verb::post &&
      message.method() != http::verb::delete_)
    return refusal{405, "this server answers GET, POST and DELETE", {{"allow", "GET, POST, DELETE"}}};
  // Two of them could make one part of the house believe the first, and another the second.
  for (auto field : {http::field::host, http::field::origin, http::field::cookie, http::field::upgrade})
    if (message.count(field) > 1)
      return refusal{400, std::string("the header ") + std::string(http::to_string(field)) + " stands there twice"};
  if (message.count(http::field::upgrade) == 0) return {};
  if (!beast::iequals(message[http::field::upgrade], "websocket"))
    return refusal{400, "the only upgrade here is to websocket"};
  return refuse_upgrade(message);
}

http_request request_of(std::uint64_t id, http_peer peer, http_message& message) {
  http_request request{id, std::string(message.method_string()), std::string(message.target()),
                       std::move(message.body()), peer, message.count(http::field::upgrade) != 0};
  for (auto& field : message) {
    std::string name(field.name_string());
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    request.headers.push_back({std::move(name), std::string(field.value())});
  }
  return request;
}

template <class Stream>
class connection_on final : public http_connection, public std::enable_shared_from_this<connection_on<Stream>> {
public:
  template <class... TlsContext>
  connection_on(http_socket socket, http_peer peer, http_hub& hub, TlsContext&... tls)
    : ws_(std::move(socket), tls...), timer_(hub.context), hub_(&hub), peer_(peer),
      buffer_(std::max(hub.bounds.header_bytes_max, hub.bounds.stream_message_bytes_max) + read_bytes_max) {
    ++hub_->open_count[peer_];
  }
  ~connection_on() override { --hub_->open_count[peer_]; }

  void start() override {
    if constexpr (is_tls) {
      deadline(hub_->bounds.request_max);
      stream().async_handshake(asio::ssl::stream_base::server, [self = this->shared_from_this()](error_code failed) {
        if (failed) return self->hub_->refused(self->peer_, "no TLS handshake: " + failed.message());
        self->wait();
      });
    } else {
      wait();
    }
  }

  void answer(http_response response) override {
    timer_.cancel();
    auto upgrade = std::exchange(upgrade_, {});
    if (upgrade && response.status == 101) {
      if (hub_->streams.size() < hub_->bounds.streams_max) return become_stream(std::move(*upgrade));
      hub_->refused(peer_, "there are as many streams as this server allows");
      response = {503, "text/plain", "there are as many streams as this server allows\n"};
    }
    write(std::move(response));
  }

  void send(std::string text) override {
    auto& bounds = hub_->bounds;
    if (queue_.size() >= bounds.stream_queue_messages_max || queued_bytes_ + text.size() > bounds.stream_queue_bytes_max) {
      if (hub_->handlers.on_skipped) hub_->handlers.on_skipped(id_);
      return;
    }
    queued_bytes_ += text.size();
    queue_.push_back(std::move(text));
    if (is_open_ && queue_.size() == 1) write_message();
  }

  void close() override {
    is_unwanted_ = true; // While hands are being shaken, it is closed right after.
    close_stream(websocket::close_code::normal);
  }

private:
  static constexpr bool is_tls = std::is_same_v<Stream, tls_stream>;

  Stream& stream() { return ws_.next_layer(); }
  void deadline(std::chrono::seconds from_now) { beast::get_lowest_layer(ws_).expires_after(from_now); }

  // --- requests ---

  /// A client may take its time until it asks, not while it asks.
  void wait() {
    if (buffer_.size() > 0) return read();
    deadline(hub_->bounds.idle_max);
    stream().async_read_some(buffer_.prepare(4096), [self = this->shared_from_this()](error_code failed, std::size_t size) {
      if (failed) return;
      self->buffer_.commit(size);
      self->read();
    });
  }

  void read() {
    parser_.emplace();
    parser_->header_limit(hub_->bounds.header_bytes_max);
    parser_->body_limit(hub_->bounds.request_bytes_max);
    deadline(std::min(hub_->bounds.request_max, hub_->bounds.idle_max));
    http::async_read(stream(), buffer_, *parser_, [self = this->shared_from_this()](error_code failed, std::size_t) {
      if (failed) return self->read_failed(failed);
      self->ask(self->parser_->release());
    });
  }

  void read_failed(error_code failed) {
    if (failed == http::error::body_limit || failed == http::error::header_limit)
      return refuse({413, "the request is larger than this server allows"});
    if (failed == beast::error::timeout) return hub_->refused(peer_, "a request did not come to its end in time");
    bool is_parse_error = failed.category() == make_error_code(http::error::bad_method).category();
    if (is_parse_error && failed != http::error::end_of_stream && failed != http::error::partial_message)
      return refuse({400, "this is no HTTP request: " + failed.message()});
  }

  void ask(http_message message) {
    keep_alive_ = message.keep_alive();
    auto bad = refuse_request(message);
    auto upgrades = !bad && message.count(http::field::upgrade) != 0;
    if (upgrades && buffer_.size() > 0) bad = refusal{400, "a client waits for the answer before it speaks WebSocket"};
    if (bad) return refuse(std::move(*bad));

    beast::get_lowest_layer(ws_).expires_never();
    id_ = ++hub_->last_id;
    hub_->waiting[id_] = this->weak_from_this();
    timer_.expires_after(hub_->bounds.answer_max);
    timer_.async_wait([self = this->shared_from_this(), id = id_](error_code cancelled) {
      if (!cancelled && self->hub_->waiting.erase(id) != 0)
        self->answer({504, "application/json", R"({"error":{"code":"timeout","what":"no answer in time"}})"});
    });
    auto request = request_of(id_, peer_, message);
    if (upgrades) upgrade_ = std::move(message);
    hub_->handlers.on_request(std::move(request));
  }

  void refuse(refusal why) {
    hub_->refused(peer_, why.what);
    keep_alive_ = false;
    write({why.status, "text/plain", why.what + "\n", std::move(why.headers)});
  }

  void write(http_response response) {
    answer_.emplace(static_cast<http::status>(response.status), 11);
    answer_->set(http::field::content_type, response.content_type);
    answer_->set(http::field::cache_control, "no-store");
    for (auto& header : response.headers) answer_->set(header.name, header.value);
    answer_->body() = std::move(response.body);
    answer_->keep_alive(keep_alive_);
    answer_->prepare_payload();
    deadline(hub_->bounds.idle_max);
    http::async_write(stream(), *answer_, [self = this->shared_from_this()](error_code failed, std::size_t) {
      self->answer_.reset();
      if (failed) return;
      if (self->keep_alive_) return self->wait();
      self->leave();
    });
  }

  /// What is still on its way in is read and dropped: closing on it would take the answer back.
  void leave() {
    deadline(drain_max);
    if constexpr (is_tls) {
      stream().async_shutdown([self = this->shared_from_this()](error_code) {});
    } else {
      error_code ignored;
      beast::get_lowest_layer(ws_).socket().shutdown(asio::socket_base::shutdown_send, ignored);
      buffer_.clear();
      drain();
    }
  }

  void drain() {
    stream().async_read_some(buffer_.prepare(4096), [self = this->shared_from_this()](error_code failed, std::size_t) {
      if (!failed) self->drain();
    });
  }

  // --- streams ---

  void become_stream(http_message upgrade) {
    hub_->streams[id_] = this->weak_from_this();
    auto& bounds = hub_->bounds;
    // From here on Beast's own timer works: it pings a silent client, and gives it up when it does not answer.
    beast::get_lowest_layer(ws_).expires_never();
    ws_.set_option(websocket::stream_base::timeout{bounds.request_max, bounds.idle_max, true});
    ws_.read_message_max(bounds.stream_message_bytes_max);
    ws_.auto_fragment(false);
    ws_.text(true);
    upgrade_ = std::move(upgrade);
    ws_.async_accept(*upgrade_, [self = this->shared_from_this()](error_code failed) {
      self->upgrade_.reset();
      if (failed) return self->stream_ended();
      self->is_open_ = true;
      if (!self->queue_.empty()) self->write_message();
      self->read_message();
      if (self->is_unwanted_) self->close_stream(websocket::close_code::normal);
    });
  }

  void read_message() {
    ws_.async_read(buffer_, [self = this->shared_from_this()](error_code failed, std::size_t) {
      if (failed == websocket::error::message_too_big)
        self->hub_->refused(self->peer_, "a message on a stream is larger than this server allows");
      if (failed) return self->stream_ended();
      self->message_read();
    });
  }

  void message_read() {
    if (!ws_.got_text()) return turn_out(websocket::close_code::unknown_data, "a stream takes text messages alone");
    if (!within_rate()) return turn_out(websocket::close_code::policy_error, "a client sends more messages than are allowed");
    auto text = beast::buffers_to_string(buffer_.data());
    buffer_.clear();
    if (hub_->handlers.on_message) hub_->handlers.on_message(id_, std::move(text));
    read_message();
  }

  bool within_rate() {
    auto now = std::chrono::steady_clock::now();
    if (now - second_began_ >= std::chrono::seconds(1)) {
      second_began_ = now;
      messages_in_second_ = 0;
    }
    return ++messages_in_second_ <= hub_->bounds.stream_messages_per_s_max;
  }

  void write_message() {
    ws_.async_write(asio::buffer(queue_.front()), [self = this->shared_from_this()](error_code failed, std::size_t) {
      if (failed) return; // The read under way hears of it as well, and ends the stream.
      self->queued_bytes_ -= self->queue_.front().size();
      self->queue_.pop_front();
      if (!self->queue_.empty()) self->write_message();
    });
  }

  void turn_out(websocket::close_code code, std::string why) {
    hub_->refused(peer_, std::move(why));
    close_stream(code);
    stream_ended();
  }

  void close_stream(websocket::close_code code) {
    if (!is_open_) return;
    is_open_ = false;
    ws_.async_close(code, [self = this->shared_from_this()](error_code) {});
  }

  void stream_ended() {
    is_open_ = false;
    if (hub_->streams.erase(id_) != 0 && hub_->handlers.on_closed) hub_->handlers.on_closed(id_);
  }

  websocket::stream<Stream> ws_; // Requests are read from the layer below until the client becomes a stream.
  asio::steady_timer timer_;
  http_hub* hub_;
  http_peer peer_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> answer_;
  std::optional<http_message> upgrade_; // The request under way wants a stream.
  bool keep_alive_ = false;
  std::uint64_t id_ = 0; // Of the request under way, then of the stream.

  bool is_open_ = false;
  bool is_unwanted_ = false;
  std::deque<std::string> queue_; // The first one is being written.
  std::size_t queued_bytes_ = 0;
  std::chrono::steady_clock::time_point second_began_{};
  std::uint32_t messages_in_second_ = 0;
};

} // namespace

std::shared_ptr<http_connection> make_connection(http_socket socket, http_peer peer, http_hub& hub,
                                                 asio::ssl::context* tls) {
  if (tls) return std::make_shared<connection_on<tls_stream>>(std::move(socket), peer, hub, *tls);
  return std::make_shared<connection_on<plain_stream>>(std::move(socket), peer, hub);
}

} // namespace lucid
