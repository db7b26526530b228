// messages/paths.hpp - where the actors of a node live in its tree.
#pragma once

#include <string>
#include <string_view>

#include "messages/identity.hpp"

namespace lucid::paths {

inline constexpr std::string_view store = "storage/store";
inline constexpr std::string_view ledger = "storage/ledger";
inline constexpr std::string_view anchor = "storage/anchor";
inline constexpr std::string_view sessions = "sessions";
inline constexpr std::string_view recorder = "recorder";
inline constexpr std::string_view control = "control";
inline constexpr std::string_view console = "console";
inline constexpr std::string_view audit = "audit";
inline constexpr std::string_view mesh = "mesh";
inline constexpr std::string_view links = "mesh/links";       ///< Membership, leases, and the links they travel on.
inline constexpr std::string_view gateway = "mesh/gateway";   ///< What other nodes of the cluster talk to.
inline constexpr std::string_view blobs = "mesh/blobs";       ///< Large bytes between nodes.
inline constexpr std::string_view tor = "mesh/tor";
inline constexpr std::string_view replicas = "copies/replicas";        ///< The store of other nodes' recordings.
inline constexpr std::string_view replication = "copies/replication"; ///< Has copies made, asks for proof of them.
inline constexpr std::string_view standby = "standby";        ///< Records on for recorders that are lost.
inline constexpr std::string_view adoption = "copies/adoption"; ///< Finishes recordings of recorders that are lost for good.
inline constexpr std::string_view sealing = "sealing";        ///< Seals for recorders on other nodes.
inline constexpr std::string_view anchoring = "anchoring";    ///< Anchors for recorders on other nodes.

/// "sessions/<64 hexadecimal digits>/<role>"
inline std::string of_session(const session_id& id, std::string_view role) {
  return std::string(sessions) + "/" + to_hex(id) + "/" + std::string(role);
}

/// "nodes/<name>/<path>": an actor of another node of the cluster, as it is known here.
inline std::string of_node(std::string_view node_name, std::string_view path) {
  return "nodes/" + std::string(node_name) + "/" + std::string(path);
}

} // namespace lucid::paths
