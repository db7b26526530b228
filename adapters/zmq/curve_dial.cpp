// adapters/zmq/curve_dial.cpp - links that this node begins: one DEALER each, which connects once.
#include <algorithm>

#include "adapters/zmq/curve_engine.hpp"
#include "adapters/zmq/curve_keys.hpp"

namespace lucid {
namespace {

constexpr std::size_t address_bytes_max = 300; ///< A host name's 253, the scheme and the port.
constexpr int frames_at_once = 64;             ///< Of one link, before others have their turn.
constexpr std::uint8_t greeting[] = {static_cast<std::uint8_t>(mesh_channel::control), 1, 1}; ///< Kind and version.

bool plain_host(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':' || c == '[' || c == ']';
  });
}

/// "tcp://host:port" as ZeroMQ takes it.
std::string endpoint_of(const std::string& address) { return "tcp://" + address.substr(address.find("//") + 2); }

} // namespace

outcome<void> curve_socket::engine::check_dial(const dial_request& request) {
  auto refused = [](std::string what) { return fail(errc::invalid_input, "zmq", std::move(what)); };
  bool tor = request.address.starts_with("tor://");
  if (!tor && !request.address.starts_with("tcp://")) return refused("an address begins with tcp:// or tor://");
  auto host = std::string_view(request.address).substr(6);
  auto colon = host.rfind(':');
  if (request.address.size() > address_bytes_max || !plain_host(host) || colon == std::string_view::npos || colon == 0 || colon + 1 == host.size())
    return refused("not an address: host:port is expected");
  bool onion = host.substr(0, colon).ends_with(".onion");
  // A name that only Tor knows must never be asked of the name server.
  if ((tor || onion) && request.socks.empty()) return refused("an onion address is reached through Tor's SOCKS port alone");
  if (tor && !onion) return refused("tor:// leads to an onion address");
  if (!plain_host(request.socks) || request.socks.size() > address_bytes_max) return refused("not the address of a SOCKS proxy");
  if (request.timeout < std::chrono::milliseconds(100) || request.timeout > std::chrono::minutes(10))
    return refused("the time to connect is 100 ms to 10 min");
  return {};
}

void curve_socket::engine::begin_dial(link_id id, shared_link_ptr shared, dial_request request) {
  auto one = std::make_shared<link>();
  one->id = id;
  one->shared = std::move(shared);
  one->dialled = true;
  one->deadline = clock::now() + request.timeout;
  links_.emplace(id, one);
  if (one->shared->cut) return end(one, {errc::wrong_state, "zmq", "closed before it was up", nullptr});
  if (auto made = make_dealer(one, request); !made) return end(one, made.error());
  dialling_.insert(id);
  // ZeroMQ signals only to those who have looked before and found nothing.
  look_at_.insert(id);
  read_dealer_monitor(one);
}

outcome<void> curve_socket::engine::make_dealer(const link_ptr& one, const dial_request& request) {
  const auto& secret = request.own_secret ? *request.own_secret : settings_.secret;
  auto own_key = curve_public_of(secret);
  if (!own_key) return pass_on(std::move(own_key));
  one->dealer = zmq_detail::socket(context_, ZMQ_DEALER);
  auto& dealer = one->dealer;
  bool set = dealer && set_common(dealer, secret) && dealer.set(ZMQ_CURVE_PUBLICKEY, byte_view(*own_key)) &&
             dealer.set(ZMQ_CURVE_SERVERKEY, byte_view(request.peer_key)) &&
             dealer.set(ZMQ_RECONNECT_IVL, -1) &&
             dealer.set(ZMQ_IPV6, request.address.find('[') != std::string::npos) && dealer.set(ZMQ_IMMEDIATE, 1) && dealer.set(ZMQ_CONNECT_TIMEOUT, static_cast<int>(request.timeout.count()));
  auto endpoint = endpoint_of(request.address);
  if (set && !request.socks.empty()) {
    auto relay = zmq_detail::socks_relay::open(
      request.socks, endpoint.substr(6), [this](int fd, bool read, bool write, descriptor_events* events) { watch(fd, read, write, events); });
    if (!relay) return pass_on(std::move(relay));
    one->relay = std::move(*relay);
    endpoint = one->relay->endpoint();
    // ZeroMQ is connected at once; the way through the proxy takes its time.
    set = dealer.set(ZMQ_HANDSHAKE_IVL, static_cast<int>(request.timeout.count())) && dealer.set(ZMQ_IPV6, false);
  }
  if (!set) return zmq_detail::failure("dealer");
  auto monitor = zmq_detail::socket_monitor::of(context_, dealer);
  if (!monitor) return pass_on(std::move(monitor));
  one->monitor = std::move(*monitor);
  if (zmq_connect(dealer.get(), endpoint.c_str()) != 0) return zmq_detail::failure(request.address);
  return {};
}

std::string curve_socket::engine::why_gone(const link& one) {
  if (one.relay && !one.relay->trouble().empty()) return one.relay->trouble();
  return one.up ? "the connection has ended" : "no connection";
}

void curve_socket::engine::read_dealer_monitor(const link_ptr& one) {
  while (auto event = one->dealer ? one->monitor.next() : std::nullopt) {
    switch (event->kind) {
      case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        one->out.emplace_front(std::begin(greeting), std::end(greeting));
        flush(one);
        break;
      case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        end(one, {errc::permission_denied, "zmq", "the peer does not let this node's key in", nullptr});
        return;
      case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        end(one, {errc::protocol_violation, "zmq", "the handshake failed: another key, or another protocol", nullptr});
        return;
      case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        if (one->relay && !one->relay->trouble().empty()) {
          end(one, {errc::unreachable, "zmq", one->relay->trouble(), nullptr});
          return;
        }
        end(one, {errc::refused, "zmq", "the peer broke the handshake off", nullptr});
        return;
      case ZMQ_EVENT_CLOSED:
      case ZMQ_EVENT_DISCONNECTED:
        // What came before the end of the connection is still to be read.
        while (one->dealer && read_dealer(one)) {}
        end(one, {errc::unreachable, "zmq", why_gone(*one), nullptr});
        return;
      default: break;
    }
  }
}

/// True when there may be more.
bool curve_socket::engine::read_dealer(const link_ptr& one) {
  for (int i = 0; i < frames_at_once; ++i) {
    zmq_detail::message body;
    if (!one->dealer || !one->dealer.receive(body)) return false;
    auto bytes = body.view();
    bool control = !bytes.empty() && bytes[0] == static_cast<std::uint8_t>(mesh_channel::control);
    bool greets = control && std::equal(bytes.begin(), bytes.end(), std::begin(greeting), std::end(greeting));
    if (body.more() || bytes.empty() || control != !one->up || (control && !greets)) {
      end(one, {errc::protocol_violation, "zmq", "a frame that no node sends", nullptr});
      return false;
    }
    if (control) come_up(one);
    else deliver(one, bytes);
  }
  return true;
}

} // namespace lucid
