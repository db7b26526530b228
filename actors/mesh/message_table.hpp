// actors/mesh/message_table.hpp - every message that nodes send each other in envelopes: its bound, its ring, its cost.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "actors/mesh/join_message.hpp"
#include "actors/mesh/lease_codec.hpp"
#include "actors/mesh/link_messages.hpp"
#include "actors/mesh/membership_message.hpp"
#include "messages/mesh_lease.hpp"

namespace lucid {

/// Between the nodes of a cluster. The numbers travel: append, never renumber.
enum class mesh_message : std::uint16_t {
  hello = 1,
  heartbeat,
  membership,
  lease,
  join_request,
  join_reply,
};

/// Between nodes of different operators. The numbers travel: append, never renumber.
enum class network_message : std::uint16_t {
  hello = 256,
  peer_list,
};

/// Who may send it.
enum class envelope_ring : std::uint8_t { cluster, network };

struct message_rule {
  std::uint16_t type = 0;
  std::string_view name;
  std::uint32_t bytes_max = 0; ///< Of its content.
  envelope_ring ring = envelope_ring::cluster;
  std::uint32_t cost = 1;      ///< Of handling it, in messages of the quota.
};

inline constexpr std::size_t heartbeat_bytes_max = 16;
inline constexpr std::size_t hello_bytes_max =
  sizeof(digest) + 2 + statement_bytes_max + 1 + hello_entries_max * (2 + member_entry_bytes_max);

inline constexpr std::size_t network_software_bytes_max = 64;
inline constexpr std::size_t network_statements_max = 32; ///< Of one peer list.
inline constexpr std::size_t network_hello_bytes_max = 1 + 8 + 1 + network_software_bytes_max + 2 + statement_bytes_max;
inline constexpr std::size_t peer_list_bytes_max = 1 + 1 + network_statements_max * (2 + statement_bytes_max);

constexpr message_rule of_cluster(mesh_message type, std::string_view name, std::size_t bytes_max, std::uint32_t cost) {
  return {static_cast<std::uint16_t>(type), name, static_cast<std::uint32_t>(bytes_max), envelope_ring::cluster, cost};
}
constexpr message_rule of_network(network_message type, std::string_view name, std::size_t bytes_max, std::uint32_t cost) {
  return {static_cast<std::uint16_t>(type), name, static_cast<std::uint32_t>(bytes_max), envelope_ring::network, cost};
}

/// Later parts add a line each. By number.
inline constexpr std::array message_table{
  of_cluster(mesh_message::hello, "hello", hello_bytes_max, 4),
  of_cluster(mesh_message::heartbeat, "heartbeat", heartbeat_bytes_max, 1),
  of_cluster(mesh_message::membership, "membership", membership_message_bytes_max, 8),
  of_cluster(mesh_message::lease, "lease", lease_message_bytes_max, 1),
  of_cluster(mesh_message::join_request, "join request", join_request_bytes_max, 16),
  of_cluster(mesh_message::join_reply, "join answer", join_answer_bytes_max, 16),
  of_network(network_message::hello, "network hello", network_hello_bytes_max, 4),
  of_network(network_message::peer_list, "peer list", peer_list_bytes_max, 32),
};
static_assert(std::ranges::is_sorted(message_table, std::ranges::less_equal{}, &message_rule::type));

/// None: no such message, or not in that ring.
constexpr const message_rule* rule_of(std::uint16_t type, envelope_ring ring) noexcept {
  for (auto& rule : message_table)
    if (rule.type == type) return rule.ring == ring ? &rule : nullptr;
  return nullptr;
}

inline constexpr std::uint32_t message_content_bytes_max =
  std::ranges::max(message_table, {}, &message_rule::bytes_max).bytes_max;

} // namespace lucid
