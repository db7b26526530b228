// actors/ledger/ledger_file.cpp - blocks and entries as rows; their bytes are those of docs/format.md.
#include "actors/ledger/ledger_file.hpp"

#include <array>

#include "actors/format/ledger_codec.hpp"

namespace lucid {
namespace {

/// Append, never change one. Triggers keep an accident from rewriting the chain; malice is what signatures are for.
constexpr std::array<std::string_view, 1> migrations{
  R"sql(
CREATE TABLE blocks(
  height INTEGER PRIMARY KEY,
  header BLOB NOT NULL
) STRICT;
CREATE TABLE entries(
  height INTEGER NOT NULL REFERENCES blocks(height),
  place INTEGER NOT NULL,
  session BLOB NOT NULL, manifest_hash BLOB NOT NULL,  -- Both stand in `entry` too; here to be found by.
  entry BLOB NOT NULL,
  PRIMARY KEY(height, place)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX entries_by_session ON entries(session, manifest_hash);
CREATE TRIGGER blocks_stay BEFORE DELETE ON blocks BEGIN SELECT raise(ABORT, 'blocks stay'); END;
CREATE TRIGGER blocks_last BEFORE UPDATE ON blocks BEGIN SELECT raise(ABORT, 'blocks do not change'); END;
CREATE TRIGGER entries_stay BEFORE DELETE ON entries BEGIN SELECT raise(ABORT, 'entries stay'); END;
CREATE TRIGGER entries_last BEFORE UPDATE ON entries BEGIN SELECT raise(ABORT, 'entries do not change'); END;
)sql",
};

outcome<block_header> read_header(row_reader& row) {
  auto height = row.count(0);
  auto bytes = row.blob(1, block_header_size_bytes);
  auto sound = row.check("blocks", std::to_string(height));
  if (!sound) return pass_on(std::move(sound));
  auto header = decode_block_header(bytes);
  if (header && header->height == height) return header;
  auto cause = header ? error{errc::corrupted, "ledger", "it is block " + std::to_string(header->height), nullptr}
                      : header.error();
  return fail(cause.code, "ledger", "table blocks, row " + std::to_string(height) + " is damaged", cause);
}

} // namespace

outcome<ledger_file> ledger_file::open(const std::filesystem::path& file) {
  auto db = database::open(file, migrations);
  if (!db) return pass_on(std::move(db));
  return ledger_file(std::move(*db));
}

outcome<ledger_file> ledger_file::open_read_only(const std::filesystem::path& file) {
  auto db = database::open_read_only(file, static_cast<int>(migrations.size()));
  if (!db) return pass_on(std::move(db));
  return ledger_file(std::move(*db));
}

outcome<std::optional<block_header>> ledger_file::head() {
  auto query = db_.prepare("SELECT height, header FROM blocks ORDER BY height DESC LIMIT 1");
  if (!query) return pass_on(std::move(query));
  auto row = query->step();
  if (!row) return pass_on(std::move(row));
  if (!*row) return std::optional<block_header>();
  auto header = read_header(**row);
  if (!header) return pass_on(std::move(header));
  return std::optional(std::move(*header));
}

outcome<std::uint64_t> ledger_file::entry_count() {
  auto query = db_.prepare("SELECT count(*) FROM entries");
  if (!query) return pass_on(std::move(query));
  auto row = query->step();
  if (!row) return pass_on(std::move(row));
  return *row ? (*row)->count(0) : 0;
}

outcome<void> ledger_file::append(const block_header& header, std::span<const anchor_entry> entries) {
  auto change = transaction::begin(db_);
  if (!change) return pass_on(std::move(change));
  auto block = db_.prepare("INSERT INTO blocks(height, header) VALUES(?,?)");
  if (!block) return pass_on(std::move(block));
  auto header_bytes = encode_block_header(header);
  auto done = block->bind_count(header.height).bind(byte_view(header_bytes)).run();
  if (!done) return done;
  auto row = db_.prepare("INSERT INTO entries(height, place, session, manifest_hash, entry) VALUES(?,?,?,?,?)");
  if (!row) return pass_on(std::move(row));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    auto bytes = encode_entry(entries[i]);
    done = row->bind_count(header.height).bind_count(i).bind(byte_view(entries[i].session))
             .bind(byte_view(entries[i].manifest_hash)).bind(byte_view(bytes)).run();
    if (!done) return done;
  }
  return change->commit();
}

outcome<std::optional<ledger_place>> ledger_file::find(const session_id& session, const digest& manifest_hash) {
  auto query = db_.prepare("SELECT height, place FROM entries WHERE session = ? AND manifest_hash = ?");
  if (!query) return pass_on(std::move(query));
  auto row = query->bind(byte_view(session)).bind(byte_view(manifest_hash)).step();
  if (!row) return pass_on(std::move(row));
  if (!*row) return std::optional<ledger_place>();
  ledger_place place{(*row)->count(0), (*row)->count_as<std::uint32_t>(1)};
  auto sound = (*row)->check("entries", short_id(session));
  if (!sound) return pass_on(std::move(sound));
  return std::optional(place);
}

outcome<std::vector<block_header>> ledger_file::headers(std::uint64_t from, std::uint32_t count) {
  auto query = db_.prepare("SELECT height, header FROM blocks WHERE height >= ? ORDER BY height LIMIT ?");
  if (!query) return pass_on(std::move(query));
  query->bind_count(from).bind_count(count);
  std::vector<block_header> found;
  for (;;) {
    auto row = query->step();
    if (!row) return pass_on(std::move(row));
    if (!*row) return found;
    auto header = read_header(**row);
    if (!header) return pass_on(std::move(header));
    found.push_back(std::move(*header));
  }
}

outcome<std::vector<anchor_entry>> ledger_file::entries(std::uint64_t height) {
  auto query = db_.prepare("SELECT place, session, manifest_hash, entry FROM entries WHERE height = ? ORDER BY place"
                           " LIMIT ?");
  if (!query) return pass_on(std::move(query));
  query->bind_count(height).bind_count(block_entry_count_max + 1);
  std::vector<anchor_entry> found;
  for (;;) {
    auto row = query->step();
    if (!row) return pass_on(std::move(row));
    if (!*row) return found;
    auto& r = **row;
    auto place = r.count(0);
    auto session = r.fixed<32>(1), hash = r.fixed<32>(2);
    auto entry = decode_entry(r.blob(3, block_entry_size_bytes));
    if (!entry || entry->session != session || entry->manifest_hash != hash || place != found.size())
      r.spoil(3, "the entry that the other columns name, without a gap before it");
    auto sound = r.check("entries", std::to_string(height) + '/' + std::to_string(place));
    if (!sound) return pass_on(std::move(sound));
    found.push_back(*entry);
  }
}

} // namespace lucid
