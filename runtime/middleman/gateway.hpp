// runtime/middleman/gateway.hpp - CAF's middleman without a network: actors are published on a Unix socket, and reached
// through a connected descriptor.
//
// A TCP port of the middleman would take messages from every process of the machine. So there is none: the tunnel is the
// only one who connects, and what it connects to is a socket in a folder that only this user may enter.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <utility>

#include <caf/actor_control_block.hpp>
#include <caf/actor_system.hpp>
#include <caf/node_id.hpp>

#include "messages/outcome.hpp"

namespace lucid {

/// Makes the folder (0700) and a listening Unix stream socket (0600) in it, in place of one that was left behind.
/// Gives the descriptor. Errors: `limit_exceeded` (a path beyond 107 bytes), `io_failed`.
outcome<int> listen_local(const std::filesystem::path& socket);

/// Connects to it, non-blocking from then on. Errors: `limit_exceeded`, `unreachable`.
outcome<int> connect_local(const std::filesystem::path& socket);

/// Two connected ends, non-blocking. Errors: `io_failed`.
outcome<std::pair<int, int>> make_local_pair();

/// Whoever connects to the listening socket `fd` is given `whom`. The middleman owns `fd` from now on.
/// Called once for each life of the gateway actor: publishing another on another descriptor replaces it for new connections.
/// Errors: `wrong_state` (the system has no middleman).
outcome<void> publish_gateway(caf::actor_system& system, caf::strong_actor_ptr whom, int fd);

/// The gateway of the peer and the name of its node, or why there is none. On a thread of the system; be quick.
using gateway_reached = std::function<void(outcome<caf::strong_actor_ptr>, caf::node_id)>;

/// Has the middleman shake hands through the connected socket `fd`, which it owns from now on. `then` is called once:
/// at the latest when the socket is closed by the other side, or after `timeout`. Errors: as above.
outcome<void> connect_gateway(caf::actor_system& system, int fd, gateway_reached then,
                              std::chrono::milliseconds timeout = std::chrono::seconds(10));

} // namespace lucid
