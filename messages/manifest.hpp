// messages/manifest.hpp - the signed statement of what a recording is, and its place in the chain.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "messages/chunk.hpp"
#include "messages/identity.hpp"

namespace lucid {

/// The session key, sealed for one recipient.
struct wrapped_key {
  box_public_key recipient{};
  std::array<std::uint8_t, 80> sealed{}; ///< crypto_box_seal of the 32-byte key: 32 + 16 + 32.
};

/// All chunks of one track, in order.
struct manifest_track {
  track on = track::video;
  std::string media_type;            ///< RFC 6381 for video, "application/jsonl" for events.
  std::vector<chunk_record> chunks;
};

/// What the node states about a recording and signs. Canonical form: RFC 8785. Source: docs/format.md.
struct manifest {
  std::uint32_t version = 1;
  session_id session{};
  std::string title;
  std::string owner;
  std::string source;               ///< Without credentials.
  sign_public_key recorder{};       ///< The node's signing key.
  std::string software;             ///< "lucid 0.1.0"
  bool interrupted = false;
  std::string reason;               ///< Why the recording ended.
  unix_time_us started_us = 0;
  unix_time_us ended_us = 0;
  std::uint64_t gap_count = 0;      ///< Gap events in the events track: what was not seen.
  digest key_commitment{};          ///< Of the session key.
  std::vector<wrapped_key> keys;
  std::vector<manifest_track> tracks;
  digest root{};                    ///< Of the session's tree over all chunk roots, tracks in order.
};

/// A manifest as it is stored and shown: the canonical bytes are what was signed.
struct signed_manifest {
  std::string canonical; ///< JSON, RFC 8785.
  digest hash{};         ///< BLAKE3 of `canonical`.
  signature by{};        ///< The recorder's, over docs/format.md, "Manifest signature".
};

/// What is put into the chain for a recording.
struct anchor_entry {
  session_id session{};
  digest manifest_hash{};
  digest root{};
  unix_time_us sealed_us = 0;
  friend bool operator==(const anchor_entry&, const anchor_entry&) = default;
};

/// Header of a ledger block. Source: docs/format.md, "Ledger".
struct block_header {
  std::uint32_t version = 1;
  std::uint64_t height = 0;
  std::uint64_t slot = 0;       ///< floor((time - genesis) / 120 s); never falls.
  digest previous{};            ///< Hash of the previous header; zero for genesis.
  unix_time_us time_us = 0;
  digest entries_root{};
  std::uint32_t entry_count = 0;
  sign_public_key producer{};
  signature by{};               ///< The producer's, over all fields above.
};

/// Where an entry stands in the chain: enough to recompute the block's entries root.
struct anchor_record {
  anchor_entry entry;
  std::uint64_t block_height = 0;
  std::uint32_t entry_index = 0;
  std::vector<digest> path; ///< From the entry's leaf up to the entries root.
};

/// An entry that stands in a chain, and the block it stands in.
struct anchored_entry {
  anchor_record record;
  block_header block;
};

/// Where a recording is anchored, as its recorder keeps it.
struct stored_anchor {
  anchor_record record;
  std::optional<block_header> block; ///< Of another node's chain; none: it is in the chain of the node itself.
};

} // namespace lucid
