// messages/sealing.hpp - what a recorder asks of the node that seals for it.
#pragma once

#include <cstdint>
#include <vector>

#include "messages/blob.hpp"
#include "messages/chunk.hpp"
#include "messages/manifest.hpp"

namespace lucid {

/// Seal a chunk whose plaintext was sent as a blob before. Idempotent in its effect: what is stored first counts.
struct remote_seal_request {
  node_id recorder{};
  std::uint64_t fence = 0;      ///< Of the lease under which the asked node is to seal.
  wrapped_key key;              ///< The session key, for the asked node alone.
  chunk_key chunk;
  chunk_span span;
  bool last_of_track = false;
  std::uint32_t zstd_level = 3;
  blob_ref plain;
};

/// The sealed chunk, whose file was sent back as a blob.
struct remote_seal_answer {
  chunk_record record;
  std::vector<digest> leaves;
  blob_ref file;
};

} // namespace lucid
