// actors/format/keys.hpp - session keys: made, derived, committed to, wrapped for recipients; session ids.
#pragma once

#include "adapters/sodium/secret.hpp"
#include "adapters/sodium/sign.hpp"
#include "messages/chunk.hpp"
#include "messages/manifest.hpp"
#include "messages/ports/random.hpp"

namespace lucid {

using session_key = secret_key; ///< 32 random bytes; everything of a session is sealed under keys derived from it.

session_key make_session_key(random_port& random);

/// 32 random bytes bound to the recording node and the start: nobody can claim an id for another recorder.
session_id make_session_id(random_port& random, const sign_public_key& recorder, unix_time_us started_us);

/// What the manifest says of the session key. Safe to publish.
digest commit_session_key(const session_key& key);

/// The key of one chunk, and what its header says of it.
secret_key derive_chunk_key(const session_key& key, track on, std::uint32_t index);
digest commit_chunk_key(const secret_key& chunk_key);

/// Seals the session key for one recipient. Errors: `invalid_input` for an unusable public key.
outcome<wrapped_key> wrap_session_key(const session_key& key, const box_public_key& recipient);

/// All recipients, each once, in the order given. Errors: as above; `limit_exceeded` above recipient_count_max.
outcome<std::vector<wrapped_key>> wrap_session_key(const session_key& key, std::span<const box_public_key> recipients);

/// Opens the one among `wrapped` that is for `secret`'s public key, and compares it with the commitment, if given.
/// Errors: `not_found` if none is for it; `corrupted` if it does not open or is another key.
outcome<session_key> unwrap_session_key(std::span<const wrapped_key> wrapped, const secret_key& secret,
                                        const digest* commitment = nullptr);

} // namespace lucid
