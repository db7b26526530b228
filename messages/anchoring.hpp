// messages/anchoring.hpp - what a recorder asks of the node in whose chain recordings are anchored.
#pragma once

#include <cstdint>
#include <vector>

#include "messages/manifest.hpp"

namespace lucid {

/// Put these entries into your chain. Idempotent: an entry that is there already keeps its place.
struct remote_anchor_request {
  std::uint64_t fence = 0;           ///< Of the lease under which the asked node is to anchor.
  std::vector<anchor_entry> entries; ///< 1 .. ledger_entries_max
};

/// Of an answer, for each entry: itself, its path in the largest block, the header. Keeps a batch below mesh.message_bytes_max.
inline constexpr std::size_t remote_anchor_bytes_max = 1024;

} // namespace lucid
