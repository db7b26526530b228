// actors/mesh/mesh_store.cpp - rows of mesh.db; entries and statements are kept in their encodings.
#include "actors/mesh/mesh_store.hpp"

#include <array>

#include "actors/mesh/node_identity.hpp"

namespace lucid {
namespace {

constexpr std::array<std::string_view, 1> migrations{R"sql(
CREATE TABLE cluster(
  one INTEGER PRIMARY KEY CHECK(one = 1),
  cluster_id BLOB NOT NULL, joined_us INTEGER NOT NULL
) STRICT;
CREATE TABLE entries(hash BLOB PRIMARY KEY, entry BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE statements(node BLOB PRIMARY KEY, statement BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE invitations(
  key BLOB PRIMARY KEY, issued_us INTEGER NOT NULL, expires_us INTEGER NOT NULL, used_by BLOB
) STRICT, WITHOUT ROWID;
CREATE TABLE leases(
  role TEXT NOT NULL, place INTEGER NOT NULL, number INTEGER NOT NULL,
  holder BLOB NOT NULL CHECK(length(holder) = 32),
  PRIMARY KEY(role, place)
) STRICT, WITHOUT ROWID;
)sql"};

/// Reads all rows of `query`, each by `read`, which answers an outcome. At most `row_count_max`.
template <class Value, class Read>
outcome<std::vector<Value>> read_all(database& db, std::string_view table, std::string_view sql, std::size_t row_count_max,
                                     Read read) {
  auto query = db.prepare(sql);
  if (!query) return pass_on(std::move(query));
  std::vector<Value> all;
  while (true) {
    auto row = query->step();
    if (!row) return pass_on(std::move(row));
    if (!*row) return all;
    if (all.size() == row_count_max)
      return fail(errc::corrupted, "mesh",
                  "table " + std::string(table) + " has more than " + std::to_string(row_count_max) + " rows");
    outcome<Value> value = read(**row);
    if (!value) return pass_on(std::move(value));
    all.push_back(std::move(*value));
  }
}

/// A row that is not what was written.
error damaged(std::string_view table, error cause) {
  return {errc::corrupted, "mesh", "a row of table " + std::string(table) + " is damaged",
          std::make_shared<const error>(std::move(cause))};
}

outcome<member_entry> read_entry(row_reader& row) {
  auto hash = row.fixed<32>(0);
  auto entry = decode_member_entry(row.blob(1, member_entry_bytes_max));
  if (auto sound = row.check("entries", to_hex(hash)); !sound) return pass_on(std::move(sound));
  if (!entry) return tl::unexpected(damaged("entries", std::move(entry).error()));
  if (hash_of(*entry) != hash) return fail(errc::corrupted, "mesh", "an entry of the list is not the one it is kept as");
  return entry;
}

outcome<node_statement> read_statement(row_reader& row) {
  auto id = row.fixed<32>(0);
  auto statement = decode_statement(row.blob(1, statement_bytes_max));
  if (auto sound = row.check("statements", short_id(id)); !sound) return pass_on(std::move(sound));
  if (!statement) return tl::unexpected(damaged("statements", std::move(statement).error()));
  if (subject_of(*statement) != id) return fail(errc::corrupted, "mesh", "a statement is not of the node it is kept for");
  return statement;
}

outcome<invitation_record> read_invitation_row(row_reader& row) {
  invitation_record record;
  record.key = row.fixed<32>(0);
  record.issued_us = row.integer(1);
  record.expires_us = row.integer(2);
  if (!row.is_null(3)) record.used_by = row.fixed<32>(3);
  if (auto sound = row.check("invitations", short_id(record.key)); !sound) return pass_on(std::move(sound));
  return record;
}

outcome<stored_lease> read_lease(row_reader& row) {
  stored_lease lease;
  lease.role = row.text(0, mesh_store::role_bytes_max);
  lease.place = row.count_as<std::uint32_t>(1);
  lease.number = row.count(2);
  lease.holder = row.fixed<32>(3);
  if (auto sound = row.check("leases", lease.role); !sound) return pass_on(std::move(sound));
  return lease;
}

constexpr std::size_t lease_rows_max = 4096; ///< Roles times places, by far.

} // namespace

outcome<mesh_store> mesh_store::open(const std::filesystem::path& file) {
  auto db = database::open(file, migrations);
  if (!db) return pass_on(std::move(db));
  return mesh_store(std::move(*db));
}

outcome<mesh_store> mesh_store::open_read_only(const std::filesystem::path& file) {
  auto db = database::open_read_only(file, static_cast<int>(migrations.size()));
  if (!db) return pass_on(std::move(db));
  return mesh_store(std::move(*db));
}

outcome<std::optional<stored_cluster>> mesh_store::cluster() {
  auto query = db_.prepare("SELECT cluster_id, joined_us FROM cluster");
  if (!query) return pass_on(std::move(query));
  auto row = query->step();
  if (!row) return pass_on(std::move(row));
  if (!*row) return std::optional<stored_cluster>();
  stored_cluster cluster{(*row)->fixed<32>(0), (*row)->integer(1)};
  if (auto sound = (*row)->check("cluster", "1"); !sound) return pass_on(std::move(sound));
  return std::optional(cluster);
}

outcome<void> mesh_store::clear() {
  return db_.execute("DELETE FROM cluster; DELETE FROM entries; DELETE FROM statements; DELETE FROM invitations;"
                     " DELETE FROM leases;");
}

outcome<void> mesh_store::begin_cluster(const stored_cluster& cluster) {
  auto change = transaction::begin(db_);
  if (!change) return pass_on(std::move(change));
  if (auto done = clear(); !done) return done;
  auto insert = db_.prepare("INSERT INTO cluster(one, cluster_id, joined_us) VALUES(1,?,?)");
  if (!insert) return pass_on(std::move(insert));
  if (auto done = insert->bind(byte_view(cluster.cluster_id)).bind(cluster.joined_us).run(); !done) return done;
  return change->commit();
}

outcome<void> mesh_store::leave_cluster() {
  auto change = transaction::begin(db_);
  if (!change) return pass_on(std::move(change));
  if (auto done = clear(); !done) return done;
  return change->commit();
}

outcome<void> mesh_store::put(const std::vector<member_entry>& entries, const std::vector<node_statement>& statements,
                              const std::vector<node_id>& forget_statements) {
  if (entries.empty() && statements.empty() && forget_statements.empty()) return {};
  auto change = transaction::begin(db_);
  if (!change) return pass_on(std::move(change));
  auto put_entry = db_.prepare("INSERT INTO entries(hash, entry) VALUES(?,?) ON CONFLICT(hash) DO NOTHING");
  auto put_statement = db_.prepare("INSERT OR REPLACE INTO statements(node, statement) VALUES(?,?)");
  auto forget = db_.prepare("DELETE FROM statements WHERE node = ?");
  if (!put_entry) return pass_on(std::move(put_entry));
  if (!put_statement) return pass_on(std::move(put_statement));
  if (!forget) return pass_on(std::move(forget));
  // Forgotten first: a node that was removed and admitted again keeps its new statement.
  for (auto& id : forget_statements)
    if (auto done = forget->bind(byte_view(id)).run(); !done) return done;
  for (auto& entry : entries) {
    auto hash = hash_of(entry);
    auto bytes = encode_member_entry(entry);
    if (auto done = put_entry->bind(byte_view(hash)).bind(byte_view(bytes)).run(); !done) return done;
  }
  for (auto& statement : statements) {
    auto id = subject_of(statement);
    auto bytes = encode_statement(statement);
    if (auto done = put_statement->bind(byte_view(id)).bind(byte_view(bytes)).run(); !done) return done;
  }
  return change->commit();
}

outcome<std::vector<member_entry>> mesh_store::entries() {
  return read_all<member_entry>(db_, "entries", "SELECT hash, entry FROM entries ORDER BY hash", 2 * cluster_entries_max,
                                read_entry);
}

outcome<std::vector<node_statement>> mesh_store::statements() {
  return read_all<node_statement>(db_, "statements", "SELECT node, statement FROM statements ORDER BY node", cluster_members_max,
                                  read_statement);
}

outcome<void> mesh_store::put_invitations(const std::vector<invitation_record>& records) {
  auto change = transaction::begin(db_);
  if (!change) return pass_on(std::move(change));
  if (auto done = db_.execute("DELETE FROM invitations"); !done) return done;
  auto open = db_.prepare("INSERT INTO invitations(key, issued_us, expires_us) VALUES(?,?,?)");
  auto used = db_.prepare("INSERT INTO invitations(key, issued_us, expires_us, used_by) VALUES(?,?,?,?)");
  if (!open) return pass_on(std::move(open));
  if (!used) return pass_on(std::move(used));
  for (auto& record : records) {
    auto& insert = record.used_by ? *used : *open;
    insert.bind(byte_view(record.key)).bind(record.issued_us).bind(record.expires_us);
    if (record.used_by) insert.bind(byte_view(*record.used_by));
    if (auto done = insert.run(); !done) return done;
  }
  return change->commit();
}

outcome<std::vector<invitation_record>> mesh_store::invitations() {
  return read_all<invitation_record>(db_, "invitations",
                                     "SELECT key, issued_us, expires_us, used_by FROM invitations ORDER BY key",
                                     invitation_book::open_max + invitation_book::used_max, read_invitation_row);
}

outcome<void> mesh_store::put_lease(const stored_lease& lease) {
  if (lease.role.empty() || lease.role.size() > role_bytes_max)
    return fail(errc::invalid_input, "mesh", "the name of a role has 1 to " + std::to_string(role_bytes_max) + " bytes");
  auto change = transaction::begin(db_);
  if (!change) return pass_on(std::move(change));
  auto query = db_.prepare("SELECT number FROM leases WHERE role = ? AND place = ?");
  if (!query) return pass_on(std::move(query));
  auto row = query->bind(std::string_view(lease.role)).bind_count(lease.place).step();
  if (!row) return pass_on(std::move(row));
  if (*row && (*row)->count(0) > lease.number)
    return fail(errc::wrong_state, "mesh", "the number of a lease never falls: " + lease.role + " has a higher one");
  query->reset();
  auto put = db_.prepare("INSERT OR REPLACE INTO leases(role, place, number, holder) VALUES(?,?,?,?)");
  if (!put) return pass_on(std::move(put));
  put->bind(std::string_view(lease.role)).bind_count(lease.place).bind_count(lease.number).bind(byte_view(lease.holder));
  if (auto done = put->run(); !done) return done;
  return change->commit();
}

outcome<std::vector<stored_lease>> mesh_store::leases() {
  return read_all<stored_lease>(db_, "leases", "SELECT role, place, number, holder FROM leases ORDER BY role, place", lease_rows_max,
                                read_lease);
}

} // namespace lucid
