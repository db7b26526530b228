// actors/ledger/ledger_file.cpp - blocks and entries as rows; their bytes are those of docs/format.md.
#include "actors/ledger/ledger_file.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "actors/format/ledger_codec.hpp"

namespace lucid {
namespace {

/// Append, never change one. Triggers keep an accident from rewriting the chain; malice is what signatures are for.
constexpr std::array<std::string_view, 2> migrations{
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
  // To be found by; the root stands in `entry` alone, behind session and manifest hash.
  R"sql(
CREATE INDEX entries_by_manifest ON entries(manifest_hash);
CREATE INDEX entries_by_root ON entries(substr(entry, 65, 32));
)sql",
};
constexpr int version_readable_min = 1;

/// What an entry is found by, as the indexes have it.
constexpr std::array<std::string_view, 3> search_terms{"session", "manifest_hash", "substr(entry, 65, 32)"};

/// All digests that begin with some hexadecimal digits.
struct digest_range {
  digest first{};
  digest last{};
};

std::optional<digest_range> range_of(const std::string& digits) {
  if (digits.size() < ledger_search_digits_min || digits.size() > ledger_search_digits_max) return std::nullopt;
  auto fill_up = [&](char with) { return digits + std::string(ledger_search_digits_max - digits.size(), with); };
  digest_range range;
  if (!from_hex_into(fill_up('0'), range.first) || !from_hex_into(fill_up('f'), range.last)) return std::nullopt;
  return range;
}

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

/// Columns: height, place, session, manifest_hash, entry.
outcome<found_entry> read_entry(row_reader& row) {
  ledger_place place{row.count(0), row.count_as<std::uint32_t>(1)};
  auto session = row.fixed<32>(2), hash = row.fixed<32>(3);
  auto entry = decode_entry(row.blob(4, block_entry_size_bytes));
  if (!entry || entry->session != session || entry->manifest_hash != hash)
    row.spoil(4, "the entry that the other columns name");
  auto sound = row.check("entries", std::to_string(place.height) + '/' + std::to_string(place.index));
  if (!sound) return pass_on(std::move(sound));
  return found_entry{*entry, place};
}

} // namespace

outcome<ledger_file> ledger_file::open(const std::filesystem::path& file) {
  auto db = database::open(file, migrations);
  if (!db) return pass_on(std::move(db));
  return ledger_file(std::move(*db));
}

outcome<ledger_file> ledger_file::open_read_only(const std::filesystem::path& file) {
  auto db = database::open_read_only(file, static_cast<int>(migrations.size()), version_readable_min);
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
  auto query = db_.prepare("SELECT height, place, session, manifest_hash, entry FROM entries WHERE height = ?"
                           " ORDER BY place LIMIT ?");
  if (!query) return pass_on(std::move(query));
  query->bind_count(height).bind_count(block_entry_count_max + 1);
  std::vector<anchor_entry> found;
  for (;;) {
    auto row = query->step();
    if (!row) return pass_on(std::move(row));
    if (!*row) return found;
    auto entry = read_entry(**row);
    if (!entry) return pass_on(std::move(entry));
    if (entry->place.index != found.size())
      return fail(errc::corrupted, "ledger",
                  "table entries, row " + std::to_string(height) + '/' + std::to_string(entry->place.index) +
                    " has a gap before it");
    found.push_back(entry->entry);
  }
}

outcome<std::vector<found_entry>> ledger_file::search(const std::string& digits) {
  auto range = range_of(digits);
  if (!range)
    return fail(errc::invalid_input, "ledger", "the chain is searched by 4 to 64 hexadecimal digits");
  std::vector<found_entry> found;
  for (auto term : search_terms)
    if (auto more = search_by(term, range->first, range->last, found); !more) return pass_on(std::move(more));
  auto newest_first = [](const found_entry& a, const found_entry& b) {
    return std::pair(a.place.height, a.place.index) > std::pair(b.place.height, b.place.index);
  };
  std::sort(found.begin(), found.end(), newest_first);
  auto is_same = [](const found_entry& a, const found_entry& b) {
    return a.place.height == b.place.height && a.place.index == b.place.index;
  };
  found.erase(std::unique(found.begin(), found.end(), is_same), found.end());
  if (found.size() > archive_found_max) found.resize(archive_found_max);
  return found;
}

/// Adds the newest of those whose `term` lies in the range. SQLite keeps no more than it answers while it sorts.
outcome<void> ledger_file::search_by(std::string_view term, const digest& first, const digest& last,
                                     std::vector<found_entry>& found) {
  std::string sql = "SELECT height, place, session, manifest_hash, entry FROM entries WHERE ";
  sql.append(term).append(" BETWEEN ? AND ? ORDER BY height DESC, place DESC LIMIT ?");
  auto query = db_.prepare(sql);
  if (!query) return pass_on(std::move(query));
  query->bind(byte_view(first)).bind(byte_view(last)).bind_count(archive_found_max);
  for (;;) {
    auto row = query->step();
    if (!row) return pass_on(std::move(row));
    if (!*row) return {};
    auto entry = read_entry(**row);
    if (!entry) return pass_on(std::move(entry));
    found.push_back(std::move(*entry));
  }
}

} // namespace lucid
