// messages/ports/cluster.hpp - what is known of the cluster at present, for those who act on it or show it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "messages/identity.hpp"

namespace lucid {

inline constexpr std::size_t node_name_bytes_max = 63;   ///< Of [a-z0-9-], as a host name's label.
inline constexpr std::size_t cluster_members_max = 256;  ///< Of a cluster, removed ones not counted.

enum class member_state : std::uint8_t {
  self,
  up,     ///< Heard from within mesh.peer_timeout.
  down,   ///< On the list, and not heard from.
  removed,
};
constexpr std::string_view to_string(member_state s) noexcept {
  return s == member_state::self ? "self" : s == member_state::up ? "up" : s == member_state::down ? "down" : "removed";
}

/// One node of the cluster.
struct member_view {
  node_id id{};
  std::string name;
  sign_public_key sign_key{};
  box_public_key box_key{};
  std::vector<std::string> addresses; ///< "tcp://10.0.0.2:7800", "tor://<56 letters>.onion:7800"
  member_state state = member_state::down;
  unix_time_us since_us = 0;          ///< Of the state.
  std::uint32_t round_trip_us = 0;    ///< Of the last heartbeat; 0: not known.
  std::string software;               ///< "lucid 0.1.0"; empty: not known.
};

/// One that was a member and was removed.
struct former_member {
  node_id id{};
  std::string name;
  unix_time_us since_us = 0; ///< Of its removal.
};
inline constexpr std::size_t former_members_shown_max = 256; ///< Those removed last.

/// Who runs one instance of a role at present.
struct lease_view {
  std::string role;              ///< "seal"
  std::uint32_t place = 0;       ///< 0 .. count - 1.
  node_id holder{};              ///< Zero: nobody.
  std::uint64_t fence = 0;       ///< The lease's number; never falls.
  std::int64_t remaining_ms = 0; ///< Until it ends unless it is renewed.
};

struct cluster_view {
  std::string name;              ///< Empty: this node stands alone.
  digest cluster_id{};
  std::uint64_t list_version = 0;
  node_id self{};
  std::vector<member_view> members; ///< By name; this node among them.
  std::vector<lease_view> leases;
  std::vector<former_member> former; ///< Latest first; those that were admitted again are not among them.
};

/// The present view. Threads: any.
class cluster_port {
public:
  virtual ~cluster_port() = default;
  virtual cluster_view view() const = 0;
};

} // namespace lucid
