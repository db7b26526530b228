// actors/node/cli/damage_range.cpp - joins neighbouring blocks.
#include "actors/node/cli/damage_range.hpp"

#include <fmt/core.h>

namespace lucid {

std::vector<damage_range> joined_damage(std::span<const block_damage> damage, std::uint64_t file_size_bytes) {
  std::vector<damage_range> ranges;
  for (auto& d : damage) {
    bool missing = d.size_bytes > 0 && d.offset_bytes >= file_size_bytes;
    auto* last = ranges.empty() ? nullptr : &ranges.back();
    if (last && d.size_bytes > 0 && last->size_bytes > 0 && last->missing == missing && last->last_block + 1 == d.block) {
      last->last_block = d.block;
      last->size_bytes += d.size_bytes;
    } else {
      ranges.push_back({d.block, d.block, d.offset_bytes, d.size_bytes, missing});
    }
  }
  return ranges;
}

std::string blocks_text(const damage_range& range) {
  return range.first_block == range.last_block ? fmt::format("{}", range.first_block)
                                               : fmt::format("{}-{}", range.first_block, range.last_block);
}

std::string_view fate_text(const damage_range& range) noexcept {
  if (range.missing) return "missing";
  return range.size_bytes == 0 ? "followed by bytes that were not sealed" : "damaged";
}

} // namespace lucid
