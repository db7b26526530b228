// actors/ledger/ledger_file.hpp - blocks and entries in ledger.db.
#pragma once

#include <filesystem>

#include "adapters/sqlite/database.hpp"
#include "messages/ports/archive.hpp"
#include "messages/ports/ledger_store.hpp"

namespace lucid {

/// The chain in an SQLite file of its own: nothing that happens to the sessions' database touches it.
/// Errors: those of `database`; `corrupted` for a row that is not what was written.
class ledger_file final : public ledger_store {
public:
  static outcome<ledger_file> open(const std::filesystem::path& file);
  /// Also one that an earlier version wrote and no node has opened since; only `search` takes longer there.
  static outcome<ledger_file> open_read_only(const std::filesystem::path& file);

  outcome<std::optional<block_header>> head() override;
  outcome<std::uint64_t> entry_count() override;
  outcome<void> append(const block_header& header, std::span<const anchor_entry> entries) override;
  outcome<std::optional<ledger_place>> find(const session_id& session, const digest& manifest_hash) override;
  outcome<std::vector<block_header>> headers(std::uint64_t from, std::uint32_t count) override;
  outcome<std::vector<anchor_entry>> entries(std::uint64_t height) override;

  /// As archive::search. Goes by an index of each of the three, not through the chain.
  outcome<std::vector<found_entry>> search(const std::string& digits);

private:
  explicit ledger_file(database db) : db_(std::move(db)) {}
  outcome<void> search_by(std::string_view term, const digest& first, const digest& last, std::vector<found_entry>& found);

  database db_;
};

} // namespace lucid
