// messages/chunk.hpp - a chunk before and after it is sealed, and what is remembered of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "messages/fragment.hpp"
#include "messages/identity.hpp"
#include "messages/payload.hpp"

namespace lucid {

/// Bounds of a chunk's plaintext. Source: docs/format.md, "Chunks".
inline constexpr std::size_t chunk_size_bytes_min = 8u << 20;      ///< Shorter only for the last of a track.
inline constexpr std::size_t chunk_size_bytes_default = 10u << 20;
inline constexpr std::size_t chunk_size_bytes_max = 16u << 20;

/// Bound of chunks in one recording: 2^20, which is 10 TiB at the default size.
inline constexpr std::uint32_t chunk_count_max = 1u << 20;

/// Which chunk of which recording.
struct chunk_key {
  session_id session{};
  track on = track::video;
  std::uint32_t index = 0; ///< 0, 1, 2 within its track, no gaps.
  friend bool operator==(const chunk_key&, const chunk_key&) = default;
};

/// What a chunk covers. The same before and after sealing.
struct chunk_span {
  std::uint64_t first_sequence = 0; ///< Fragments inside, inclusive.
  std::uint64_t last_sequence = 0;
  std::uint32_t frame_count = 0;    ///< Video: frames inside. Events: gap events inside.
  unix_time_us start_us = 0;
  unix_time_us end_us = 0;
  friend bool operator==(const chunk_span&, const chunk_span&) = default;
};

/// Plaintext of a chunk as a list of shared pieces: concatenated they are the plaintext.
/// Video chunks begin with the init segment in force, so each can be played alone.
struct plain_chunk {
  chunk_key key;
  chunk_span span;
  bool last_of_track = false;
  std::vector<payload> parts;
};

/// What is remembered of a sealed chunk, in the store and in the manifest.
struct chunk_record {
  chunk_key key;
  chunk_span span;
  std::uint64_t plain_size_bytes = 0;
  std::uint64_t sealed_size_bytes = 0; ///< Of the whole file, header included.
  digest content{};                    ///< BLAKE3 of the whole file.
  digest root{};                       ///< Merkle root over its 16 KiB blocks.
  friend bool operator==(const chunk_record&, const chunk_record&) = default;
};

/// Under which lease something is written. A store that has seen a higher number of the role refuses it: whoever sent it
/// has lost the role and does not know yet. Source: docs/mesh.md, "Leases".
struct store_fence {
  std::string role;         ///< "seal"; at most fence_role_bytes_max.
  std::uint64_t number = 0; ///< Of the lease. 0: written by this node itself, under none.
};
inline constexpr std::size_t fence_role_bytes_max = 64;

/// A chunk ready for the disk.
struct sealed_chunk {
  chunk_record record;
  payload file;               ///< The bytes of the chunk file.
  std::vector<digest> leaves; ///< Hash of each 16 KiB block: the leaf table, kept beside the file to place damage.
  store_fence fence = {};
};

} // namespace lucid
