// messages/tor.hpp - the way through Tor: its state, and the onion service of this node.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "messages/identity.hpp"

namespace lucid {

inline constexpr std::size_t onion_ports_max = 8;      ///< Of one onion service; a node needs two.
inline constexpr std::size_t onion_clients_max = 256;  ///< Authorised keys of one onion service: a cluster's members.
inline constexpr std::size_t onion_peers_max = 1024;   ///< Onion services this node may hold a client key for.
inline constexpr std::size_t onion_host_bytes = 62;    ///< 56 letters and ".onion".

/// Is `host` formed as the name of a version 3 onion service: 56 of [a-z2-7], the last one 'd', and ".onion"?
/// Its checksum is left to Tor.
constexpr bool is_onion_host(std::string_view host) noexcept {
  if (host.size() != onion_host_bytes || !host.ends_with(".onion") || host[55] != 'd') return false;
  for (auto c : host.substr(0, 56))
    if (!((c >= 'a' && c <= 'z') || (c >= '2' && c <= '7'))) return false;
  return true;
}

/// One port of an onion service.
struct onion_port {
  std::uint16_t virtual_port = 0; ///< What others dial: "<56 letters>.onion:7800".
  std::uint16_t local_port = 0;   ///< Where it leads to, on 127.0.0.1.
  friend bool operator==(const onion_port&, const onion_port&) = default;
};

struct tor_status_request {};

/// How the way through Tor is.
struct tor_status {
  std::uint32_t percent = 0;   ///< Of joining the Tor network.
  std::string summary;         ///< In Tor's words: "Connecting to a relay".
  std::string onion;           ///< Host name of this node's onion service; empty: none is published.
  std::string socks;           ///< "127.0.0.1:9050"
  bool ready = false;          ///< Connections can be made through `socks`.
  bool reachable = false;      ///< The onion service's descriptor lies with the network: others can find it.
  box_public_key client_key{}; ///< With which this node is let into onion services that ask for one.
  std::string version;         ///< Of tor: "0.4.9.11".
};

/// Has the node's onion service published, with exactly these ports and clients; also where it was published before
/// with others. Answered when Tor has taken it; `tor_status::reachable` follows some seconds later.
/// No clients: whoever knows the address may connect.
struct onion_publish_request {
  std::vector<onion_port> ports;
  std::vector<box_public_key> clients; ///< X25519 keys, `tor_status::client_key` of other nodes.
};

/// The onion service, as published.
struct onion_service {
  std::string onion; ///< Host name.
};

/// Has this node's client key used for a peer's onion service. Repeats are harmless. Answered when Tor has taken it.
struct onion_authorise_request {
  std::string onion; ///< Host name of the peer's.
};

/// Has this node's client key no longer used for a peer's onion service.
struct onion_forget_request {
  std::string onion;
};

/// Moves the published service to a new key, and so to a new address, which is the answer. The old address stays
/// reachable for ten minutes, so that others can be told over the connections they have.
struct onion_rotate_request {};

/// Has new connections take new circuits, and services be looked up anew. Once in 15 s; more often it does nothing.
struct tor_renew_circuits_request {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, onion_port& x) {
  return f(x.virtual_port, x.local_port);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, tor_status_request&) {
  return f();
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, tor_status& x) {
  return f(x.percent, x.summary, x.onion, x.socks, x.ready, x.reachable, x.client_key, x.version);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, onion_publish_request& x) {
  return f(x.ports, x.clients);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, onion_service& x) {
  return f(x.onion);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, onion_authorise_request& x) {
  return f(x.onion);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, onion_forget_request& x) {
  return f(x.onion);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, onion_rotate_request&) {
  return f();
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, tor_renew_circuits_request&) {
  return f();
}

} // namespace lucid
