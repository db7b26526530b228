// actors/format/merkle.hpp - the Merkle tree over blocks, chunks and ledger entries.
//
// RFC 9162, section 2.1, with BLAKE3 in derive_key mode: the largest power of two below n goes to the left, so no
// node is ever duplicated. Leaves and inner nodes have different contexts: neither can be shown as the other.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "adapters/blake3/blake3_hasher.hpp"
#include "messages/identity.hpp"
#include "messages/outcome.hpp"

namespace lucid {

/// A leaf covers this much of a sealed chunk; the last one may be shorter.
inline constexpr std::size_t block_size_bytes = 16u << 10;

/// Levels of a tree: 2^20 chunks of 2^11 blocks stay far below.
inline constexpr std::size_t merkle_path_length_max = 64;

constexpr std::uint64_t block_count_of(std::uint64_t size_bytes) noexcept {
  return (size_bytes + block_size_bytes - 1) / block_size_bytes;
}

/// Hash of one block.
digest merkle_leaf(byte_view block) noexcept;

/// Hash of an inner node.
digest merkle_node(const digest& left, const digest& right) noexcept;

/// Root over `leaves`; 32 zero bytes for none.
digest merkle_root(std::span<const digest> leaves);

/// The siblings from leaf `index` up to the root. REQUIRES: index < leaves.size().
std::vector<digest> merkle_path(std::span<const digest> leaves, std::uint64_t index);

/// The root that `leaf` at `index` of `count` has with `path`.
/// Errors: `corrupted` if the path's length does not fit the place.
outcome<digest> merkle_root_from_path(const digest& leaf, std::uint64_t index, std::uint64_t count,
                                      std::span<const digest> path);

/// Hashes of a file's blocks and of the file as a whole, in one pass over its bytes.
struct file_hashes {
  digest content{};           ///< BLAKE3 of the whole file.
  std::vector<digest> leaves; ///< One for each 16 KiB block.
};
file_hashes hash_file(byte_view file);

} // namespace lucid
