// actors/store/recording_store.hpp - all recordings of a data folder: rows in SQLite, chunks as files.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "adapters/sqlite/database.hpp"
#include "messages/ports/file_system.hpp"
#include "messages/ports/store.hpp"

namespace lucid {

struct store_options {
  std::filesystem::path folder;                 ///< The data folder. Created if it is not there.
  std::uint64_t free_bytes_min = 512ull << 20;  ///< No new session below this: room to finish those that run.
  std::uint64_t cache_bytes_max = 4ull << 20;   ///< Of the database's pages.
};

/// The recordings of one data folder. The node has it open for writing (one process, see `folder_lock`); any number of
/// processes may have it open for reading at the same time.
///
/// A chunk is stored when its row is: the file is written first, so a file without a row is what a crash left and is
/// removed at the next start; its chunk is sent again.
///
/// Owns: the database connection. Uses: the file system, which must outlive it.
/// Threads: one owner.
/// Errors: `disk_full`, `read_only`, `io_failed`, `busy`; `corrupted` for a row or file that is not what was written,
/// naming table and key or the file; `not_found`, `wrong_state`, `already_exists`, `limit_exceeded`, `invalid_input`.
class recording_store final : public store_port {
public:
  static constexpr std::uint32_t session_page_count_max = 1000;

  /// Opens for writing, brings the database up to date, finishes removals, removes what a crash left, and compares the
  /// unfinished sessions with their files: see `findings`.
  static outcome<recording_store> open(const store_options& options, file_system& files);

  /// Opens for reading only; writing answers `read_only`.
  static outcome<recording_store> open_read_only(const store_options& options, file_system& files);

  /// A chunk under a fence: the highest number of each role is kept, with the chunk's row. Errors: `wrong_state` for one
  /// that is lower, naming the number that holds; `limit_exceeded` for a new role beyond `fence_roles_max`.
  outcome<chunk_record> put_chunk(const sealed_chunk& chunk) override;
  static constexpr std::uint32_t fence_roles_max = 64;
  outcome<session_summary> put_session(const session_put_request& request) override;
  outcome<session_summary> update_session(const session_summary& news) override;
  outcome<session_summary> remove_session(const session_id& id) override;
  outcome<signed_manifest> put_manifest(const manifest_put_request& request) override;
  outcome<stored_anchor> put_anchor(const stored_anchor& anchor) override;

  outcome<std::vector<chunk_record>> chunks(const session_id& session) override;
  outcome<session_row> session(const session_id& id) override;
  outcome<std::vector<session_summary>> sessions(const session_list_request& which) override;
  outcome<std::vector<anchor_entry>> unanchored() override;

  // --- copies of other nodes' recordings: what the origin says is taken as it is -------------------------------------
  // Errors of all: `permission_denied` when the session is another node's, or our own.

  /// The row, new or in place of the one that is there. Keys that are for none of the recipients are left out.
  outcome<session_summary> mirror_session(const node_id& origin, const session_row& row);
  /// As put_chunk, whatever the session's state is. One that is there with another content is replaced.
  outcome<chunk_record> mirror_chunk(const node_id& origin, const sealed_chunk& chunk);
  outcome<signed_manifest> mirror_manifest(const node_id& origin, const manifest_put_request& request);
  outcome<stored_anchor> mirror_anchor(const node_id& origin, const stored_anchor& anchor);
  /// In any state. Harmless when there is none.
  outcome<void> mirror_remove(const node_id& origin, const session_id& session);
  /// Removes the file of a chunk that is not what it was; its row stays until a good one is put in its place.
  outcome<void> mirror_drop(const node_id& origin, const chunk_key& key);
  /// Makes a copy `to`'s that was `from`'s, which is no member any more. What it has of an anchor stands in `from`'s chain and
  /// is forgotten; chunks stay. `manifest_hash`: of the one that `to` has; zero: none is told.
  /// Errors: `already_exists` when there is another one here.
  outcome<void> mirror_take_over(const node_id& from, const node_id& to, const session_id& session,
                                 const digest& manifest_hash);
  /// Whose it is; none: our own. Errors: `not_found`.
  outcome<std::optional<node_id>> origin_of(const session_id& session);

  /// Whether the chunk's row is there and its file has the right size.
  outcome<bool> holds(const chunk_key& key, const digest& content);
  /// Up to `size_bytes` of a chunk file from `offset`.
  outcome<byte_buffer> chunk_part(const chunk_key& key, std::uint64_t offset, std::size_t size_bytes);

  /// At most `count` chunks of a track from index `from` on.
  outcome<std::vector<chunk_record>> chunk_page(const session_id& session, track on, std::uint32_t from,
                                                std::uint32_t count);
  outcome<std::vector<digest>> leaves(const chunk_key& key);
  outcome<byte_buffer> chunk_bytes(const chunk_key& key); ///< The file as it is, at most a largest chunk.
  std::filesystem::path chunk_path(const chunk_key& key) const;
  outcome<signed_manifest> manifest_of(const session_id& session);
  outcome<bool> has_manifest(const session_id& session);
  /// With what is to be anchored for it; none before there is one.
  outcome<std::optional<manifest_put_request>> manifest_with_entry(const session_id& session);
  outcome<anchor_record> anchor_of(const session_id& session);
  /// With the block, where it is of another node's chain.
  outcome<stored_anchor> anchor_with_block(const session_id& session);

  /// The sessions whose id begins with `prefix` in hexadecimal; at most `count`. Errors: `invalid_input`.
  outcome<std::vector<session_id>> find(const std::string& prefix, std::uint32_t count);

  /// SQLite's own check of the database. Reads all of it.
  outcome<std::vector<std::string>> database_findings() { return db_.findings(); }

  /// What was found wrong without being in the way: at opening, rows without their file and what could not be
  /// removed; in lists, damaged rows that were left out. Each once, the first `findings_count_max`.
  static constexpr std::size_t findings_count_max = 100;
  const std::vector<error>& findings() const noexcept { return findings_; }

private:
  recording_store(database db, const store_options& options, file_system& files, bool has_blocks)
    : db_(std::move(db)), options_(options), files_(&files), has_blocks_(has_blocks) {}

  outcome<bool> is_stored(const chunk_record& record);
  outcome<std::optional<chunk_record>> chunk(const chunk_key& key);
  outcome<void> insert_chunk(const sealed_chunk& chunk);
  outcome<void> check_chunk(const sealed_chunk& chunk);
  outcome<chunk_record> write_chunk(const sealed_chunk& chunk);
  outcome<void> check_fence(const store_fence& fence);
  outcome<void> keep_fence(const store_fence& fence);
  outcome<std::uint64_t> fence_of(const std::string& role);
  outcome<void> check_origin(const node_id& origin, const session_id& session);
  outcome<void> replace_people(const session_id& session, const session_row& row);
  outcome<void> insert_session(const session_put_request& request);
  outcome<void> insert_session_row(const session_put_request& request);
  outcome<void> insert_people(const session_id& session, const std::vector<box_public_key>& people,
                              const std::vector<wrapped_key>& keys);
  outcome<void> write_summary(const session_summary& summary);
  outcome<void> drop_node_keys(const session_id& session);
  outcome<session_summary> summary(const session_id& id);
  std::string_view producer_column() const { return has_blocks_ ? ", block_producer" : ", NULL"; }
  outcome<std::vector<chunk_record>> read_chunks(statement& query, const session_id& session);
  outcome<std::vector<wrapped_key>> keys(const session_id& session);
  outcome<digest> key_commitment(const session_id& session);
  outcome<std::vector<box_public_key>> recipients(const session_id& session);
  outcome<std::optional<anchor_entry>> manifest_entry(const session_id& session);

  outcome<void> remove_files(const session_id& session, bool journal_only);
  outcome<void> finish_removal(const session_id& session);
  outcome<void> tidy();
  outcome<void> tidy_session(const session_id& session);
  void note(error what);

  database db_;
  store_options options_;
  file_system* files_;
  bool has_blocks_; ///< False: a file of an earlier version, opened for reading.
  std::vector<error> findings_;
};

/// `source` without a password before its host: "rdp://me:secret@pc" becomes "rdp://me@pc".
std::string without_password(const std::string& source);

} // namespace lucid
