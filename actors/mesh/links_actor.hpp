// actors/mesh/links_actor.hpp - mesh/links: membership, leases and placement, on the links for messages.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/mesh/chunk_links.hpp"
#include "actors/mesh/cluster_state.hpp"
#include "actors/mesh/link_table.hpp"
#include "actors/mesh/member_entry.hpp"
#include "actors/mesh/mesh_store.hpp"
#include "actors/mesh/message_links.hpp"
#include "actors/mesh/network_core.hpp"
#include "actors/mesh/node_identity.hpp"
#include "actors/mesh/placement_core.hpp"
#include "messages/ports/mesh_transport.hpp"
#include "runtime/supervision/specs.hpp"

namespace lucid {

/// A cluster that is formed by configuration files.
struct cluster_by_files {
  cluster_secret secret;
  std::map<std::string, std::string> nodes; ///< Name to address, this node's among them.
};

/// How a node dials others and is dialled: mesh.transport. One or both.
struct mesh_ways {
  bool tcp = true;
  bool tor = false;
};

struct links_options {
  std::string name; ///< Of this node.
  std::shared_ptr<const sign_key> sign;
  box_public_key box{};
  std::string software;

  std::function<outcome<mesh_store>()> open_store;
  std::function<outcome<transport_keys>()> load_keys;
  std::function<outcome<transport_keys>()> rotate_keys;
  std::optional<cluster_by_files> by_files;

  mesh_transport* messages = nullptr; ///< Outlive the actor system.
  mesh_transport* chunks = nullptr;
  std::shared_ptr<message_links> message_events;
  std::shared_ptr<chunk_links> chunk_events;
  std::shared_ptr<link_table> table;
  std::shared_ptr<cluster_state> shown;

  mesh_ways ways;
  std::uint16_t port = 0, chunk_port = 0;   ///< Where the two transports listen.
  std::vector<std::string> addresses;       ///< As others reach this node by TCP; that of the onion service comes from Tor.
  std::vector<std::string> chunk_addresses;

  std::chrono::milliseconds heartbeat_interval{};
  std::chrono::milliseconds peer_timeout{};
  std::chrono::milliseconds lease_time{};
  std::uint32_t peers_max = 0;
  std::vector<placement_rule> roles;        ///< Those with leases.
  std::vector<network_peer> network_peers;  ///< Nodes of other operators; a key of theirs is never taken for a member's.
  std::function<void(std::string_view kind, const std::string& what)> note_refusal; ///< Threads: any.
};

/// Path: "links" below "mesh". Interface: links_api. Detached: what it promises is on disk before it is said.
/// A restarted one remembers the list, the statements, open invitations and the numbers of leases, from the disk; links
/// are made anew, and what was held is claimed anew.
child_spec links_child(links_options options);

} // namespace lucid
