// messages/mesh.hpp - what the actors of the mesh ask of each other, on one node and between the nodes of a cluster.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "messages/inspection.hpp"
#include "messages/ports/cluster.hpp"
#include "messages/supervision.hpp"

namespace lucid {

// --- the operator's wishes; answered by mesh/links -------------------------------------------------------------

/// Begins a cluster with this node as its first member.
struct cluster_init_request {
  std::string name;
};
/// A one-time invitation. It ends by itself, or when it is taken back.
struct cluster_invite_request {
  std::uint32_t valid_seconds = 0;
};
struct cluster_invitation {
  std::string text; ///< "lucid-join:..."
  std::string address;
  unix_time_us expires_us = 0;
  std::string id; ///< To take it back with.
};
inline constexpr std::uint32_t invitation_seconds_min = 10;
inline constexpr std::uint32_t invitation_seconds_max = 7 * 24 * 3600;
inline constexpr std::size_t cluster_invitation_bytes_max = 1024;

/// What invitations of this node are open.
struct cluster_invitations_request {};
struct open_invitation {
  std::string id; ///< The first eight digits of its key.
  unix_time_us issued_us = 0;
  unix_time_us expires_us = 0;
};
struct cluster_invitations {
  std::vector<open_invitation> open; ///< The one that expires first is first.
};
/// Takes an open invitation back: whoever has it is let in no more.
struct cluster_uninvite_request {
  std::string id; ///< Or "all".
};

/// Joins the cluster that the invitation is from. Answered once this node is on its list.
struct cluster_join_request {
  std::string invitation;
};
struct cluster_remove_request {
  std::string who; ///< Name, node id, or the beginning of an id.
};
/// New transport key, and with Tor a new onion address; the identity stays.
struct keys_rotate_request {
  bool onion = false;
};
/// Answers all of the above but the invitation: what was done, in words.
struct cluster_ack {
  std::string text;
  std::uint64_t list_version = 0;
};

// --- between gateways: each node's one door for the actors of other nodes ---------------------------------------

/// All actors of the node that is asked, with their paths there; at most node_tree_rows_max.
struct node_tree_request {};
inline constexpr std::size_t node_tree_rows_max = 2000; ///< About 400 bytes each: within mesh.message_bytes_max.

/// What an operator does to an actor of another node. Written to both nodes' audit logs.
struct remote_action_request {
  std::string path; ///< There.
  child_action action = child_action::restart;
  std::string by;
};

/// Asks mesh/gateway of this node for the trees of all other nodes, "nodes/<name>/" before each path.
struct cluster_tree_request {};

} // namespace lucid
