// messages/proof.hpp - what convinces somebody who has neither the node nor the recording.
#pragma once

#include <cstdint>
#include <vector>

#include "messages/manifest.hpp"

namespace lucid {

/// The leaf table of one chunk: lets an auditor name the damaged block.
struct chunk_leaves {
  track on = track::video;
  std::uint32_t index = 0;
  std::vector<digest> leaves;
  friend bool operator==(const chunk_leaves&, const chunk_leaves&) = default;
};

/// All that an auditor needs: the content of a proof file. Source: docs/format.md, "Proof file".
struct recording_proof {
  signed_manifest document;
  anchor_record anchor;
  std::vector<block_header> blocks; ///< The anchoring block first, then those that follow it.
  std::vector<chunk_leaves> leaves; ///< Of all chunks, or none.
};

/// One 16 KiB block of a sealed chunk with its way up to the recording's root: shows that somebody has the chunk.
struct block_proof {
  session_id session{};
  std::uint32_t chunk_position = 0; ///< Among all chunks, tracks in order.
  std::uint32_t chunk_count = 0;
  std::uint32_t block_index = 0;    ///< Within the chunk.
  std::uint32_t block_count = 0;
  byte_buffer block;
  std::vector<digest> chunk_path;   ///< From the block's leaf to the chunk's root.
  std::vector<digest> session_path; ///< From the chunk's root to the recording's root.
};

} // namespace lucid
