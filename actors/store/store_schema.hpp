// actors/store/store_schema.hpp - the tables of store.db, as numbered migrations. Append, never change one.
#pragma once

#include <array>
#include <string_view>

namespace lucid {

/// Script n leads from version n to n + 1. Times are Unix microseconds, keys and digests blobs of their own length.
inline constexpr std::array<std::string_view, 5> store_migrations{
  R"sql(
CREATE TABLE sessions(
  id BLOB PRIMARY KEY CHECK(length(id) = 32),
  removed INTEGER NOT NULL DEFAULT 0,  -- 1: its files are being removed, the row goes last
  state INTEGER NOT NULL,
  title TEXT NOT NULL, owner TEXT NOT NULL, source TEXT NOT NULL,
  created_us INTEGER NOT NULL, started_us INTEGER NOT NULL, ended_us INTEGER NOT NULL,
  frame_count INTEGER NOT NULL, fragment_count INTEGER NOT NULL, gap_count INTEGER NOT NULL,
  captured_bytes INTEGER NOT NULL, stored_bytes INTEGER NOT NULL, chunk_count INTEGER NOT NULL,
  block_height INTEGER NOT NULL, reason TEXT NOT NULL,
  asked_source TEXT NOT NULL, asked_username TEXT NOT NULL,
  asked_width INTEGER NOT NULL, asked_height INTEGER NOT NULL, asked_frame_rate_max INTEGER NOT NULL,
  asked_encoder TEXT NOT NULL, asked_quality INTEGER NOT NULL,
  length_seconds_max INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_time ON sessions(created_us, id);
CREATE INDEX sessions_by_state ON sessions(state);

CREATE TABLE recipients(
  session BLOB NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
  place INTEGER NOT NULL,
  recipient BLOB NOT NULL,
  PRIMARY KEY(session, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE wrapped_keys(
  session BLOB NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
  place INTEGER NOT NULL,
  recipient BLOB NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY(session, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE chunks(
  session BLOB NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
  track INTEGER NOT NULL, place INTEGER NOT NULL,
  first_sequence INTEGER NOT NULL, last_sequence INTEGER NOT NULL, frame_count INTEGER NOT NULL,
  start_us INTEGER NOT NULL, end_us INTEGER NOT NULL,
  plain_size_bytes INTEGER NOT NULL, sealed_size_bytes INTEGER NOT NULL,
  content BLOB NOT NULL, root BLOB NOT NULL,
  PRIMARY KEY(session, track, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE chunk_leaves(
  session BLOB NOT NULL, track INTEGER NOT NULL, place INTEGER NOT NULL,
  leaves BLOB NOT NULL,  -- 32 bytes for each 16 KiB block
  PRIMARY KEY(session, track, place),
  FOREIGN KEY(session, track, place) REFERENCES chunks(session, track, place) ON DELETE CASCADE
) STRICT;

CREATE TABLE manifests(
  session BLOB PRIMARY KEY REFERENCES sessions(id) ON DELETE CASCADE,
  canonical TEXT NOT NULL, hash BLOB NOT NULL, signature BLOB NOT NULL,
  root BLOB NOT NULL, sealed_us INTEGER NOT NULL
) STRICT;

CREATE TABLE anchors(
  session BLOB PRIMARY KEY REFERENCES sessions(id) ON DELETE CASCADE,
  manifest_hash BLOB NOT NULL, root BLOB NOT NULL, sealed_us INTEGER NOT NULL,
  block_height INTEGER NOT NULL, entry_index INTEGER NOT NULL,
  path BLOB NOT NULL  -- 32 bytes for each level
) STRICT, WITHOUT ROWID;
)sql",
  // Known at the first start after a crash only, and part of the manifest: a second crash must not lose it.
  "ALTER TABLE sessions ADD COLUMN interrupted INTEGER NOT NULL DEFAULT 0;",
  // Whose recording it is (null: our own), and the highest number seen of each role's lease.
  R"sql(
ALTER TABLE sessions ADD COLUMN origin BLOB CHECK(origin IS NULL OR length(origin) = 32);
CREATE TABLE fences(role TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID;
)sql",
  // The commitment to the session's key (null: made by an earlier version): whoever finishes a recording whose recorder is
  // lost has to state it, and does not have the key.
  "ALTER TABLE sessions ADD COLUMN key_commitment BLOB CHECK(key_commitment IS NULL OR length(key_commitment) = 32);",
  // The header of a block of another node's chain (null: of this node's own, which the ledger has), and, for lists, whose it is.
  R"sql(
ALTER TABLE anchors ADD COLUMN block BLOB CHECK(block IS NULL OR length(block) = 200);
ALTER TABLE sessions ADD COLUMN block_producer BLOB CHECK(block_producer IS NULL OR length(block_producer) = 32);
)sql",
};

/// The first version that knows of blocks of other nodes' chains.
inline constexpr int store_version_with_blocks = 5;

/// The oldest version that can be read without being brought up to date: what came later is not read then.
inline constexpr int store_version_readable_min = 2;

} // namespace lucid
