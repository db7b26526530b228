// actors/manifest/manifest_core.hpp - the manifest of a recording from what the store has of it; pure.
#pragma once

#include <vector>

#include "messages/manifest.hpp"
#include "messages/outcome.hpp"
#include "messages/pipeline.hpp"

namespace lucid {

/// What the node knows of itself and of the session's key.
struct manifest_facts {
  sign_public_key recorder{};
  digest key_commitment{};
  bool interrupted = false;
};

/// Builds the manifest. The same rows give the same manifest, so that one built twice is signed once.
/// Errors: `corrupted` when a track's chunks are not 0, 1, 2 ... or overlap; `wrong_state` without any chunk or recipient.
outcome<manifest> build_manifest(const session_row& row, std::vector<chunk_record> chunks,
                                 const manifest_facts& facts);

/// What is anchored for it.
anchor_entry anchor_entry_of(const manifest& m, const digest& manifest_hash);

} // namespace lucid
