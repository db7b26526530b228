// adapters/zmq/curve_accept.cpp - links that peers begin: one ROUTER, and who stands behind each of its connections.
//
// The ROUTER names a peer by an identity, the monitor a connection by its descriptor, the ZAP handler a key. A message
// carries all three; so the first one of a connection, which has to be the greeting, ties them together.
#include <algorithm>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

#include "adapters/zmq/curve_engine.hpp"

namespace lucid {
namespace {

constexpr int frames_at_once = 64;      ///< Before others have their turn.
constexpr std::size_t gone_max = 4096;  ///< Many times the connections that end while one frame waits in a queue.
constexpr int rebind_attempts_max = 200; ///< ZeroMQ lets go of a port a little later; 2 s in all.
constexpr std::uint8_t greeting[] = {static_cast<std::uint8_t>(mesh_channel::control), 1, 1}; ///< Kind and version.

/// "10.0.0.9:40112" of the other end; empty when the descriptor is no connection any more.
std::string remote_of(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
  char text[INET6_ADDRSTRLEN] = {};
  const void* host = nullptr;
  std::uint16_t port = 0;
  if (address.ss_family == AF_INET) {
    auto v4 = reinterpret_cast<const sockaddr_in*>(&address);
    host = &v4->sin_addr;
    port = ntohs(v4->sin_port);
  } else if (address.ss_family == AF_INET6) {
    auto v6 = reinterpret_cast<const sockaddr_in6*>(&address);
    host = &v6->sin6_addr;
    port = ntohs(v6->sin6_port);
  }
  if (!host || !inet_ntop(address.ss_family, host, text, sizeof(text))) return {};
  return std::string(text) + ":" + std::to_string(port);
}

std::string host_of(const std::string& remote) { return remote.substr(0, remote.rfind(':')); }

} // namespace

outcome<void> curve_socket::engine::open_router(const std::string& address) {
  if (!address.starts_with("tcp://")) return fail(errc::invalid_input, "zmq", "an address to listen at begins with tcp://");
  for (int attempt = 0;; ++attempt) {
    router_ = zmq_detail::socket(context_, ZMQ_ROUTER);
    bool set = router_ && set_common(router_, settings_.secret) && router_.set(ZMQ_CURVE_SERVER, 1) &&
               router_.set(ZMQ_IPV6, address.find('[') != std::string::npos) && router_.set_text(ZMQ_ZAP_DOMAIN, "lucid") && router_.set(ZMQ_ROUTER_MANDATORY, 1) &&
               router_.set(ZMQ_BACKLOG, static_cast<int>(settings_.unknown_max));
    if (!set) return zmq_detail::failure("router");
    auto monitor = zmq_detail::socket_monitor::of(context_, router_);
    if (!monitor) return pass_on(std::move(monitor));
    router_monitor_ = std::move(*monitor);
    if (zmq_bind(router_.get(), address.c_str()) == 0) break;
    auto failed = zmq_detail::failure(address);
    bool again = zmq_errno() == EADDRINUSE && address == listening_at_ && attempt < rebind_attempts_max;
    close_router();
    if (!again) return failed;
    timespec pause{0, 10'000'000};
    nanosleep(&pause, nullptr);
  }
  listening_at_ = router_.last_endpoint();
  // ZeroMQ signals only to those who have looked before and found nothing.
  look_at_router_ = true;
  read_router_monitor();
  return {};
}

void curve_socket::engine::close_router() {
  if (router_) zmq_socket_monitor(router_.get(), nullptr, 0);
  router_monitor_ = {};
  router_ = {};
  unknown_.clear();
  turned_away_.clear();
  gone_.clear(); // The next ROUTER gives identities of its own.
  gone_in_order_.clear();
}

void curve_socket::engine::refuse(link_refusal refusal) {
  ++refused_;
  events_.refused(refusal);
}

/// ZeroMQ never gives an identity twice; a peer that chose one of its own has to choose another.
void curve_socket::engine::forget(const std::string& identity) {
  if (!gone_.insert(identity).second) return;
  gone_in_order_.push_back(identity);
  if (gone_in_order_.size() <= gone_max) return;
  gone_.erase(gone_in_order_.front());
  gone_in_order_.pop_front();
}

void curve_socket::engine::read_router_monitor() {
  while (auto event = router_ ? router_monitor_.next() : std::nullopt) {
    auto fd = static_cast<int>(event->value);
    if (event->kind == ZMQ_EVENT_ACCEPTED) accepted(fd);
    else if (event->kind == ZMQ_EVENT_DISCONNECTED) disconnected(fd);
  }
}

void curve_socket::engine::accepted(int fd) {
  auto remote = remote_of(fd);
  bool full = unknown_.size() >= settings_.unknown_max || links_.size() >= settings_.links_max;
  unknown_[fd] = {clock::now() + settings_.handshake_timeout, remote, full};
  if (!full) return;
  cut_connection(fd, remote);
  refuse({{}, remote, {errc::busy, "zmq", "too many connections at once", nullptr}});
}

void curve_socket::engine::disconnected(int fd) {
  if (auto found = unknown_.find(fd); found != unknown_.end()) {
    auto one = std::move(found->second);
    unknown_.erase(found);
    auto told = turned_away_.find(host_of(one.remote));
    if (told != turned_away_.end()) turned_away_.erase(told);
    else if (!one.cut) refuse({{}, one.remote, {errc::protocol_violation, "zmq", "the handshake failed", nullptr}});
    return;
  }
  auto found = by_descriptor_.find(fd);
  if (found == by_descriptor_.end()) return;
  auto one = found->second;
  by_descriptor_.erase(found); // The descriptor is not ours to cut any more.
  end(one, {errc::unreachable, "zmq", "the connection has ended", nullptr});
}

/// ZeroMQ has no way to end one connection of a ROUTER. The descriptor does, as long as it is still the same connection.
void curve_socket::engine::cut_connection(int fd, const std::string& remote) {
  if (!remote.empty() && remote_of(fd) == remote) ::shutdown(fd, SHUT_RDWR);
}

/// True when there may be more.
bool curve_socket::engine::read_router() {
  for (int i = 0; i < frames_at_once; ++i) {
    zmq_detail::message identity, body;
    if (!router_ || !router_.receive(identity)) return false;
    if (!identity.more() || !router_.receive(body)) continue;
    bool more = body.more();
    for (bool rest = more; rest;) {
      zmq_detail::message part;
      rest = router_.receive(part) && part.more();
    }
    receive_accepted(std::string(as_text(identity.view())), body, more);
  }
  return true;
}

void curve_socket::engine::receive_accepted(const std::string& identity, const zmq_detail::message& body, bool more) {
  auto found = by_identity_.find(identity);
  if (found == by_identity_.end()) return meet(identity, body, more);
  auto one = found->second;
  auto bytes = body.view();
  if (more || bytes.empty() || bytes[0] == static_cast<std::uint8_t>(mesh_channel::control))
    return end(one, {errc::protocol_violation, "zmq", "a frame that no node sends", nullptr});
  deliver(one, bytes);
}

void curve_socket::engine::meet(const std::string& identity, const zmq_detail::message& body, bool more) {
  // The end of an earlier connection with this descriptor is told before the first message of the next one.
  read_router_monitor();
  auto fd = body.source_descriptor();
  auto found = unknown_.find(fd);
  if (gone_.contains(identity) || found == unknown_.end() || found->second.cut) {
    ++dropped_; // Of a connection that has ended, or was cut.
    return forget(identity);
  }
  auto remote = found->second.remote;
  auto turn_away = [&](const transport_key& key, errc code, const char* what) {
    found->second.cut = true;
    forget(identity);
    cut_connection(fd, remote);
    refuse({key, remote, {code, "zmq", what, nullptr}});
  };
  transport_key key{};
  if (!from_hex_into(body.property("User-Id"), key)) return turn_away(key, errc::protocol_violation, "no key");
  auto bytes = body.view();
  if (more || !std::equal(bytes.begin(), bytes.end(), std::begin(greeting), std::end(greeting)))
    return turn_away(key, errc::protocol_violation, "a link begins with a greeting");
  auto one = std::make_shared<link>();
  one->id = next_id();
  one->shared = std::make_shared<shared_link>();
  one->shared->peer = key;
  {
    // Asked and added in one step: a key that is taken off the list meanwhile finds the link, or is not on the list here.
    std::lock_guard lock(mutex_);
    if (!allowed_.contains(key)) one = nullptr;
    else if (shared_.size() < settings_.links_max) shared_.emplace(one->id, one->shared);
    else one->id = 0;
  }
  if (!one) return turn_away(key, errc::permission_denied, "the key is not on the list");
  if (one->id == 0) return turn_away(key, errc::busy, "too many links");
  one->identity = identity;
  one->descriptor = fd;
  one->remote = remote;
  unknown_.erase(found);
  links_.emplace(one->id, one);
  by_identity_.emplace(identity, one);
  by_descriptor_[fd] = one;
  one->out.emplace_back(std::begin(greeting), std::end(greeting));
  flush(one);
  if (links_.contains(one->id)) come_up(one);
}

} // namespace lucid
