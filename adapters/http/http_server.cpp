// adapters/http/http_server.cpp - the doors of the server, and its thread.
#include "adapters/http/http_server.hpp"

#include <thread>
#include <utility>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "adapters/http/http_connection.hpp"

namespace lucid {

namespace asio = boost::asio;
using local = asio::local::stream_protocol;
using tcp = asio::ip::tcp;
using error_code = boost::system::error_code;

namespace {

constexpr const char* who = "http";
constexpr std::chrono::milliseconds accept_pause{100}; // Without descriptors, say, trying at once would be in vain.

bool is_same_user(int socket_fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket_fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == ::geteuid() || peer.uid == 0;
}

/// TLS 1.2 and later with the given certificate.
outcome<std::unique_ptr<asio::ssl::context>> make_tls(const http_tls_files& files) {
  auto tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
  error_code failed;
  tls->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                   asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
  tls->use_certificate_chain_file(files.certificate.string(), failed);
  if (failed)
    return fail(errc::invalid_input, who,
                fmt::format("{} is no certificate chain in PEM that can be read: {}", files.certificate.string(),
                            failed.message()));
  tls->use_private_key_file(files.key.string(), asio::ssl::context::pem, failed);
  if (failed)
    return fail(errc::invalid_input, who,
                fmt::format("{} is not the private key, in PEM, of {}: {}", files.key.string(),
                            files.certificate.string(), failed.message()));
  return tls;
}

outcome<tcp::endpoint> place_of(const http_tcp_door& door) {
  error_code failed;
  auto address = asio::ip::make_address(door.address, failed);
  if (failed)
    return fail(errc::invalid_input, who, fmt::format("\"{}\" is no IP address; 127.0.0.1 would be one", door.address));
  if (!address.is_loopback() && !door.tls)
    return fail(errc::permission_denied, who,
                fmt::format("{} can be reached from other machines, and without TLS they could read along; "
                            "name a certificate and its key, or listen on 127.0.0.1",
                            door.address));
  return tcp::endpoint(address, door.port);
}

} // namespace

struct http_server::impl {
  impl(http_limits bounds, http_handlers handlers) {
    hub.bounds = bounds;
    hub.handlers = std::move(handlers);
  }

  outcome<void> open_socket(const std::filesystem::path& socket);
  outcome<void> open_tcp(const http_tcp_door& door);
  void start();
  void stop();

  template <class Acceptor>
  void accept(Acceptor& acceptor, http_peer peer);
  void take(http_socket socket, http_peer peer);

  template <class Action>
  void on_stream(std::uint64_t stream, Action action);

  std::filesystem::path path; ///< Empty until the socket is ours.
  std::unique_ptr<asio::ssl::context> tls;
  std::thread thread;
  http_hub hub;
  local::acceptor socket_door{hub.context};
  tcp::acceptor tcp_door{hub.context};
  asio::steady_timer pause{hub.context};
};

outcome<void> http_server::impl::open_socket(const std::filesystem::path& socket) {
  auto name = socket.string();
  if (name.size() >= sizeof(sockaddr_un::sun_path))
    return fail(errc::limit_exceeded, "control",
                fmt::format("the socket path {} has {} bytes; the system allows {}; set control.socket to a shorter one",
                            name, name.size(), sizeof(sockaddr_un::sun_path) - 1));
  local::socket probe(hub.context);
  error_code nobody;
  probe.connect(local::endpoint(name), nobody);
  if (!nobody) return fail(errc::already_exists, "control", "another process serves " + name);
  std::filesystem::remove(socket); // Left behind by a process that was killed.
  socket_door.open();
  auto mask = ::umask(0177); // The file must never exist with wider rights.
  error_code failed;
  socket_door.bind(local::endpoint(name), failed);
  ::umask(mask);
  if (failed) return fail(errc::io_failed, "control", "cannot bind " + name + ": " + failed.message());
  path = socket;
  socket_door.listen();
  return {};
}

outcome<void> http_server::impl::open_tcp(const http_tcp_door& door) {
  auto place = place_of(door);
  if (!place) return pass_on(std::move(place));
  if (door.tls) {
    auto made = make_tls(*door.tls);
    if (!made) return pass_on(std::move(made));
    tls = std::move(*made);
  }
  tcp_door.open(place->protocol());
  tcp_door.set_option(asio::socket_base::reuse_address(true)); // Not kept away by connections that have just ended.
  error_code failed;
  tcp_door.bind(*place, failed);
  if (!failed) tcp_door.listen(asio::socket_base::max_listen_connections, failed);
  auto name = fmt::format("{} port {}", door.address, door.port);
  if (failed == asio::error::address_in_use)
    return fail(errc::already_exists, who, "another process listens on " + name);
  if (failed) return fail(errc::io_failed, who, "cannot listen on " + name + ": " + failed.message());
  return {};
}

template <class Acceptor>
void http_server::impl::accept(Acceptor& acceptor, http_peer peer) {
  acceptor.async_accept([this, &acceptor, peer](error_code failed, typename Acceptor::protocol_type::socket socket) {
    if (failed == asio::error::operation_aborted) return;
    if (!failed) {
      take(std::move(socket), peer);
      return accept(acceptor, peer);
    }
    pause.expires_after(accept_pause);
    pause.async_wait([this, &acceptor, peer](error_code) { accept(acceptor, peer); });
  });
}

void http_server::impl::take(http_socket socket, http_peer peer) {
  if (hub.open_count[peer] >= hub.bounds.connections_max)
    return hub.refused(peer, "there are as many connections as this server allows");
  if (peer == http_peer::same_user && !is_same_user(socket.native_handle()))
    return hub.refused(peer, "another user may not use the control socket");
  make_connection(std::move(socket), peer, hub, peer == http_peer::network ? tls.get() : nullptr)->start();
}

void http_server::impl::start() {
  if (socket_door.is_open()) accept(socket_door, http_peer::same_user);
  if (tcp_door.is_open()) accept(tcp_door, http_peer::network);
  thread = std::thread([context = &hub.context] {
    ::pthread_setname_np(::pthread_self(), "lucid-http");
    context->run();
  });
}

void http_server::impl::stop() {
  // Behind the answers that were given: who asked the node to stop is told that it does.
  asio::post(hub.context, [this] { hub.context.stop(); });
  if (thread.joinable()) thread.join();
  if (path.empty()) return;
  std::error_code not_there;
  std::filesystem::remove(path, not_there);
}

template <class Action>
void http_server::impl::on_stream(std::uint64_t stream, Action action) {
  asio::post(hub.context, [this, stream, action = std::move(action)]() mutable {
    auto found = hub.streams.find(stream);
    if (found == hub.streams.end()) return;
    if (auto client = found->second.lock()) action(*client);
  });
}

http_server::http_server(std::unique_ptr<impl> parts) : impl_(std::move(parts)) {}
http_server::~http_server() { impl_->stop(); }

outcome<std::unique_ptr<http_server>> http_server::listen(const http_doors& doors, http_limits limits,
                                                          http_handlers handlers) {
  try {
    auto server = std::unique_ptr<http_server>(new http_server(std::make_unique<impl>(limits, std::move(handlers))));
    if (doors.tcp)
      if (auto opened = server->impl_->open_tcp(*doors.tcp); !opened) return pass_on(std::move(opened));
    if (doors.socket)
      if (auto opened = server->impl_->open_socket(*doors.socket); !opened) return pass_on(std::move(opened));
    server->impl_->start();
    return server;
  } catch (const std::exception& e) {
    return fail(errc::io_failed, who, fmt::format("cannot listen: {}", e.what()));
  }
}

outcome<std::unique_ptr<http_server>> http_server::listen(const std::filesystem::path& socket, http_limits limits,
                                                          handler on_request) {
  return listen(http_doors{socket, {}}, limits, {std::move(on_request)});
}

void http_server::reply(std::uint64_t id, http_response response) {
  asio::post(impl_->hub.context, [hub = &impl_->hub, id, response = std::move(response)]() mutable {
    auto found = hub->waiting.find(id);
    if (found == hub->waiting.end()) return;
    auto client = found->second.lock();
    hub->waiting.erase(found);
    if (client) client->answer(std::move(response));
  });
}

void http_server::send(std::uint64_t stream, std::string text) {
  impl_->on_stream(stream, [text = std::move(text)](http_connection& client) mutable { client.send(std::move(text)); });
}

void http_server::close(std::uint64_t stream) {
  impl_->on_stream(stream, [](http_connection& client) { client.close(); });
}

std::uint16_t http_server::port() const noexcept {
  error_code closed;
  auto place = impl_->tcp_door.local_endpoint(closed);
  return closed ? std::uint16_t{0} : place.port();
}

} // namespace lucid
