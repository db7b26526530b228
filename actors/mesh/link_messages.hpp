// actors/mesh/link_messages.hpp - what two members say to each other in envelopes, beside membership and leases.
#pragma once

#include <cstdint>
#include <vector>

#include "actors/mesh/member_entry.hpp"
#include "actors/mesh/node_statement.hpp"

namespace lucid {

/// The first thing that is said on a link, by both.
struct mesh_hello {
  digest cluster_id{};
  node_statement statement;
  std::vector<member_entry> admission; ///< The sender's own, where nodes admit themselves; at most hello_entries_max.
  friend bool operator==(const mesh_hello&, const mesh_hello&) = default;
};
inline constexpr std::size_t hello_entries_max = 4;

/// Sent to be answered (`echo` 0), or as the answer to one (`echo`: what that one said).
struct mesh_heartbeat {
  std::uint64_t sent = 0; ///< By the sender's monotonic clock; nobody else makes anything of it.
  std::uint64_t echo = 0;
  friend bool operator==(const mesh_heartbeat&, const mesh_heartbeat&) = default;
};

byte_buffer encode_hello(const mesh_hello& hello);
/// Errors: those of decode_statement and decode_member_entry.
outcome<mesh_hello> decode_hello(byte_view bytes);

byte_buffer encode_heartbeat(const mesh_heartbeat& beat);
outcome<mesh_heartbeat> decode_heartbeat(byte_view bytes);

} // namespace lucid
