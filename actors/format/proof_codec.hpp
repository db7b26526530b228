// actors/format/proof_codec.hpp - the proof file, the block proof, and what each of them shows.
#pragma once

#include <optional>

#include "actors/format/merkle.hpp"
#include "messages/outcome.hpp"
#include "messages/proof.hpp"

namespace lucid {

/// 64 MiB: the largest manifest, its leaf tables up to a recording of 7 GB, and the rest.
inline constexpr std::size_t proof_size_bytes_max = 64u << 20;
inline constexpr std::size_t proof_block_count_max = 1000;

/// Canonical JSON in one line. Errors: `invalid_input`, `limit_exceeded`.
outcome<std::string> encode_proof(const recording_proof& proof);

/// Strict, as decode_manifest; a line feed at the end is allowed. Nothing is verified yet.
outcome<recording_proof> decode_proof(std::string_view text);

/// Whom the auditor trusts; an empty list asks for nobody in particular.
struct trusted_keys {
  std::vector<sign_public_key> recorders = {};
  std::vector<sign_public_key> producers = {};
};

/// What a valid proof shows.
struct proven_recording {
  manifest what;
  anchor_entry entry;
  block_header anchored_in;
  std::uint64_t confirmations = 0; ///< Blocks shown on top of the anchoring one.
};

/// Manifest hash and signature, anchor inclusion, block signatures and links, leaf tables, trust.
/// Errors: the first that fails; `permission_denied` for a signer that is not trusted.
outcome<proven_recording> verify_proof(const recording_proof& proof, const trusted_keys& trusted = {});

/// A damaged stretch of a chunk file, one for each damaged block.
struct block_damage {
  std::uint32_t block = 0;
  std::uint64_t offset_bytes = 0; ///< Of the block within the chunk file.
  std::uint64_t size_bytes = 0;   ///< What the block should have.
};

/// How a chunk file compares with the record of it.
struct chunk_check {
  chunk_record expected;
  bool intact = false;
  bool blocks_known = false;        ///< False: no usable leaf table, so the damage cannot be placed.
  std::uint64_t size_bytes = 0;     ///< The file's.
  std::vector<block_damage> damage; ///< In order. Blocks that are missing count as damaged.
};

/// Compares a file with its record, block by block where leaves are given. Never fails: damage is the answer.
chunk_check check_chunk(byte_view file, const chunk_record& expected, std::span<const digest> leaves);

/// Finds the record a chunk file belongs to (by its header; if that is damaged by its leaves) and compares.
/// Errors: `not_found` if the file is no chunk of this recording that can be recognised.
outcome<chunk_check> check_chunk_against_proof(byte_view file, const proven_recording& proven,
                                               std::span<const chunk_leaves> leaves);

/// The block `block_index` of `file`, the chunk at `chunk_position`, with its path.
/// Errors: `invalid_input` for a position or index that does not exist; `corrupted` if the file is not what the manifest says.
outcome<block_proof> make_block_proof(const manifest& m, std::uint32_t chunk_position, std::uint32_t block_index,
                                      byte_view file);

/// That the block lies under `root`. Errors: `corrupted`, `limit_exceeded`.
outcome<void> verify_block_proof(const block_proof& proof, const digest& root);

} // namespace lucid
