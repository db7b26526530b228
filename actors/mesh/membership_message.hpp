// actors/mesh/membership_message.hpp - what members tell each other so that all have the same list and statements.
#pragma once

#include <variant>
#include <vector>

#include "actors/mesh/member_list.hpp"

namespace lucid {

inline constexpr std::size_t membership_message_bytes_max = 128u << 10;
/// An update is cut so that it stays below the bound above; what does not fit goes into the next one.
inline constexpr std::size_t membership_update_bytes = 96u << 10;

/// "This is what I have": equal ones have the same.
struct membership_summary {
  digest cluster_id{};
  std::uint64_t list_version = 0;
  digest list_digest{};
  digest statements_digest{};
  friend bool operator==(const membership_summary&, const membership_summary&) = default;
};

/// Which statement of a node somebody has.
struct known_statement {
  node_id id{};
  std::uint64_t serial = 0;
  digest hash{};
  friend bool operator==(const known_statement&, const known_statement&) = default;
};

/// All that somebody has, by name: the other side answers with what is missing in it.
struct membership_inventory {
  digest cluster_id{};
  std::vector<digest> entries;             ///< Hashes, ascending.
  std::vector<known_statement> statements; ///< By id, ascending.
  bool answer = false;                     ///< Sent in answer to one: not to be answered by another.
  friend bool operator==(const membership_inventory&, const membership_inventory&) = default;
};

/// Entries and statements for the receiver to merge.
struct membership_update {
  digest cluster_id{};
  std::vector<member_entry> entries;
  std::vector<node_statement> statements;
  friend bool operator==(const membership_update&, const membership_update&) = default;
};

using membership_message = std::variant<membership_summary, membership_inventory, membership_update>;

const digest& cluster_of(const membership_message& message) noexcept;

/// REQUIRES: lists within their bounds; membership_core keeps to them.
byte_buffer encode_membership(const membership_message& message);

/// One value has one encoding. Statements' signatures are verified here; entries by member_list::merge.
/// Errors: those of decode_member_entry and decode_statement.
outcome<membership_message> decode_membership(byte_view bytes);

/// As many updates as are needed.
std::vector<membership_update> updates_of(const digest& cluster_id, const std::vector<member_entry>& entries,
                                          const std::vector<node_statement>& statements);

} // namespace lucid
