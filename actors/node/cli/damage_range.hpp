// actors/node/cli/damage_range.hpp - damaged blocks as people read them: neighbours as one stretch.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "actors/format/proof_codec.hpp"

namespace lucid {

/// Blocks of a chunk file that share a fate.
struct damage_range {
  std::uint32_t first_block = 0;
  std::uint32_t last_block = 0; ///< Inclusive.
  std::uint64_t offset_bytes = 0;
  std::uint64_t size_bytes = 0; ///< 0: what follows was never sealed.
  bool missing = false;         ///< Else there and other than it was sealed.
};

/// Neighbours joined. `damage` is in order; blocks from `file_size_bytes` on are missing.
std::vector<damage_range> joined_damage(std::span<const block_damage> damage, std::uint64_t file_size_bytes);

/// "4" or "19-51".
std::string blocks_text(const damage_range& range);
/// "damaged", "missing" or "followed by bytes that were not sealed".
std::string_view fate_text(const damage_range& range) noexcept;

} // namespace lucid
