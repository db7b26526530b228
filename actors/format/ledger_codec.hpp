// actors/format/ledger_codec.hpp - blocks of the ledger: bytes, hashes, entries, signatures and links.
#pragma once

#include <span>

#include "adapters/sodium/sign.hpp"
#include "messages/manifest.hpp"
#include "messages/outcome.hpp"

namespace lucid {

inline constexpr unix_time_us genesis_time_us = 1'704'067'200'000'000; ///< 2024-01-01T00:00:00Z
inline constexpr unix_time_us slot_length_us = 120'000'000;            ///< 120 s, immutable.
inline constexpr std::size_t block_header_size_bytes = 200;
inline constexpr std::size_t block_entry_size_bytes = 104;
inline constexpr std::size_t block_entry_count_max = 1u << 16;

/// The slot of a time; 0 for anything before the genesis.
constexpr std::uint64_t slot_of(unix_time_us time_us) noexcept {
  return time_us <= genesis_time_us ? 0 : static_cast<std::uint64_t>((time_us - genesis_time_us) / slot_length_us);
}

byte_buffer encode_block_header(const block_header& header);
/// Errors: `truncated`, `unsupported`, `corrupted`. The signature is not checked.
outcome<block_header> decode_block_header(byte_view bytes);

byte_buffer encode_entry(const anchor_entry& entry);
outcome<anchor_entry> decode_entry(byte_view bytes);

/// What the next block names as `previous`: over the whole header, signature included.
digest hash_of(const block_header& header);
/// The entry as a leaf of its block's tree.
digest leaf_of(const anchor_entry& entry);
/// 32 zero bytes for no entry.
digest entries_root(std::span<const anchor_entry> entries);

/// Block 0 of a chain: no entries, slot 0, time of genesis.
block_header make_genesis(const sign_key& producer);

/// The signed block that follows `previous`. `time_us` is raised to the previous block's time if the clock stepped back.
/// Errors: `invalid_input` without entries; `limit_exceeded` above block_entry_count_max.
outcome<block_header> make_block(const block_header& previous, std::span<const anchor_entry> entries,
                                 unix_time_us time_us, const sign_key& producer);

/// Where entry `index` of the block stands. REQUIRES: index < entries.size().
anchor_record make_anchor(const block_header& block, std::span<const anchor_entry> entries, std::uint32_t index);

/// Version, slot of its time, genesis rules, signature. Errors: `unsupported`, `corrupted`, `bad_signature`.
outcome<void> verify_block(const block_header& header);
/// That `next` follows `previous`; each on its own is verify_block's. Errors: `corrupted`.
outcome<void> verify_link(const block_header& previous, const block_header& next);
/// That the entry is in the block. Errors: `corrupted`.
outcome<void> verify_anchor(const anchor_record& record, const block_header& block);

} // namespace lucid
