// actors/mesh/mesh_store.hpp - what a node remembers of its cluster, in <data>/mesh.db.
#pragma once

#include <filesystem>
#include <optional>

#include "actors/mesh/invitation_book.hpp"
#include "actors/mesh/member_list.hpp"
#include "adapters/sqlite/database.hpp"

namespace lucid {

/// Which cluster this node is in. Clusters by files have no row: they follow from the configuration.
struct stored_cluster {
  digest cluster_id{};
  unix_time_us joined_us = 0;
  friend bool operator==(const stored_cluster&, const stored_cluster&) = default;
};

/// The highest number of a lease that was granted, and to whom: it never falls, and is granted again to nobody else.
struct stored_lease {
  std::string role;
  std::uint32_t place = 0;
  std::uint64_t number = 0;
  node_id holder{};
  friend bool operator==(const stored_lease&, const stored_lease&) = default;
};

/// Each write is on disk when it returns. Threads: one at a time. Errors: those of database; `corrupted` for a row that
/// is not what was written.
class mesh_store {
public:
  static constexpr std::size_t role_bytes_max = 32;

  static outcome<mesh_store> open(const std::filesystem::path& file);
  /// For commands; also while the node writes.
  static outcome<mesh_store> open_read_only(const std::filesystem::path& file);

  /// The cluster that entries and statements are of.
  outcome<std::optional<stored_cluster>> cluster();
  /// Begins a cluster: what was kept of another one is gone. Lease numbers too: they are that cluster's.
  outcome<void> begin_cluster(const stored_cluster& cluster);
  /// Forgets the cluster, its entries, statements, invitations and leases.
  outcome<void> leave_cluster();

  outcome<void> put(const std::vector<member_entry>& entries, const std::vector<node_statement>& statements,
                    const std::vector<node_id>& forget_statements);
  outcome<std::vector<member_entry>> entries();
  outcome<std::vector<node_statement>> statements(); ///< By id.

  /// Replaces all of them.
  outcome<void> put_invitations(const std::vector<invitation_record>& records);
  outcome<std::vector<invitation_record>> invitations();

  /// A lower number than the stored one is refused. Errors: `wrong_state`.
  outcome<void> put_lease(const stored_lease& lease);
  outcome<std::vector<stored_lease>> leases();

private:
  explicit mesh_store(database db) : db_(std::move(db)) {}
  outcome<void> clear();
  database db_;
};

} // namespace lucid
