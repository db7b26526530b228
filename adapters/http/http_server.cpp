// adapters/http/http_server.cpp - the server, by Boost.Beast on one thread.
#include "adapters/http/http_server.hpp"

#include <map>
#include <optional>
#include <thread>
#include <utility>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

namespace lucid {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using local = asio::local::stream_protocol;
using error_code = boost::system::error_code;
using stream = beast::basic_stream<local>;

namespace {

bool is_same_user(int socket_fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket_fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == ::geteuid() || peer.uid == 0;
}

} // namespace

class connection;

struct http_server::impl {
  impl(std::filesystem::path socket, http_limits limits, handler callback)
    : path(std::move(socket)), bounds(limits), on_request(std::move(callback)) {}

  void accept();
  void stop();

  std::filesystem::path path;
  http_limits bounds;
  handler on_request;
  std::thread thread;
  std::uint64_t last_id = 0;
  std::uint32_t open_count = 0;
  std::map<std::uint64_t, std::weak_ptr<connection>> waiting; // At most one a connection.
  asio::io_context context{1};      // Destroyed first: with it go the connections, which use what is above.
  local::acceptor acceptor{context};
};

/// One client: reads a request, waits for its answer, writes it, and again.
class connection : public std::enable_shared_from_this<connection> {
public:
  connection(local::socket socket, http_server::impl& server)
    : stream_(std::move(socket)), timer_(server.context), server_(&server) {
    ++server_->open_count;
  }
  ~connection() { --server_->open_count; }

  void read() {
    parser_.emplace();
    parser_->header_limit(server_->bounds.header_bytes_max);
    parser_->body_limit(server_->bounds.request_bytes_max);
    stream_.expires_after(server_->bounds.idle_max);
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](error_code failed, std::size_t) {
      self->read_done(failed);
    });
  }

  void answer(http_response response) {
    timer_.cancel();
    answer_.emplace(static_cast<http::status>(response.status), 11);
    answer_->set(http::field::content_type, response.content_type);
    answer_->set(http::field::cache_control, "no-store");
    answer_->body() = std::move(response.body);
    answer_->keep_alive(keep_alive_);
    answer_->prepare_payload();
    stream_.expires_after(server_->bounds.idle_max);
    http::async_write(stream_, *answer_, [self = shared_from_this()](error_code failed, std::size_t) {
      if (!failed && self->keep_alive_) self->read();
    });
  }

private:
  void read_done(error_code failed) {
    if (failed == http::error::body_limit || failed == http::error::header_limit)
      return refuse(413, "the request is larger than this server allows");
    if (failed && failed.category() == make_error_code(http::error::bad_method).category() &&
        failed != http::error::end_of_stream && failed != http::error::partial_message)
      return refuse(400, "this is no HTTP request: " + failed.message());
    if (failed) return;

    auto request = parser_->release();
    keep_alive_ = request.keep_alive();
    stream_.expires_never();
    auto id = ++server_->last_id;
    server_->waiting[id] = weak_from_this();
    timer_.expires_after(server_->bounds.answer_max);
    timer_.async_wait([self = shared_from_this(), id](error_code cancelled) {
      if (!cancelled && self->server_->waiting.erase(id) != 0)
        self->answer({504, "application/json", R"({"error":{"code":"timeout","what":"no answer in time"}})"});
    });
    server_->on_request({id, std::string(request.method_string()), std::string(request.target()),
                         std::move(request.body())});
  }

  void refuse(unsigned status, const std::string& why) {
    keep_alive_ = false;
    answer({status, "text/plain", why + "\n"});
  }

  stream stream_;
  asio::steady_timer timer_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> answer_;
  bool keep_alive_ = false;
  http_server::impl* server_; // Outlives every connection.
};

void http_server::impl::accept() {
  acceptor.async_accept([this](error_code failed, local::socket socket) {
    if (failed == asio::error::operation_aborted) return;
    if (!failed && open_count < bounds.connections_max && is_same_user(socket.native_handle()))
      std::make_shared<connection>(std::move(socket), *this)->read();
    accept();
  });
}

void http_server::impl::stop() {
  context.stop();
  if (thread.joinable()) thread.join();
  error_code ignored;
  acceptor.close(ignored);
  std::error_code not_there;
  std::filesystem::remove(path, not_there);
}

http_server::http_server(std::unique_ptr<impl> parts) : impl_(std::move(parts)) {}
http_server::~http_server() { impl_->stop(); }

outcome<std::unique_ptr<http_server>> http_server::listen(const std::filesystem::path& socket, http_limits limits,
                                                          handler on_request) {
  auto name = socket.string();
  if (name.size() >= sizeof(sockaddr_un::sun_path))
    return fail(errc::limit_exceeded, "control",
                "the socket path " + name + " has " + std::to_string(name.size()) + " bytes; the system allows " +
                  std::to_string(sizeof(sockaddr_un::sun_path) - 1) + "; set control.socket to a shorter one");
  try {
    auto server = std::make_unique<impl>(socket, limits, std::move(on_request));
    local::socket probe(server->context);
    error_code nobody;
    probe.connect(local::endpoint(name), nobody);
    if (!nobody) return fail(errc::already_exists, "control", "another process serves " + name);
    std::filesystem::remove(socket); // Left behind by a process that was killed.
    server->acceptor.open();
    auto mask = ::umask(0177); // The file must never exist with wider rights.
    error_code failed;
    server->acceptor.bind(local::endpoint(name), failed);
    ::umask(mask);
    if (failed) return fail(errc::io_failed, "control", "cannot bind " + name + ": " + failed.message());
    server->acceptor.listen();
    server->accept();
    server->thread = std::thread([context = &server->context] {
      ::pthread_setname_np(::pthread_self(), "lucid-http");
      context->run();
    });
    return std::unique_ptr<http_server>(new http_server(std::move(server)));
  } catch (const std::exception& e) {
    return fail(errc::io_failed, "control", "cannot listen on " + name + ": " + e.what());
  }
}

void http_server::reply(std::uint64_t id, http_response response) {
  asio::post(impl_->context, [server = impl_.get(), id, response = std::move(response)]() mutable {
    auto found = server->waiting.find(id);
    if (found == server->waiting.end()) return;
    auto client = found->second.lock();
    server->waiting.erase(found);
    if (client) client->answer(std::move(response));
  });
}

} // namespace lucid
