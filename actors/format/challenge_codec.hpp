// actors/format/challenge_codec.hpp - storage challenges: what holder and challenger sign, and what an answer shows.
#pragma once

#include <optional>

#include "adapters/sodium/sign.hpp"
#include "messages/outcome.hpp"
#include "messages/replication.hpp"

namespace lucid {

/// The holder's part: signs the answer as it stands, over challenge, leaf and time.
void sign_answer(challenge_answer& answer, const sign_key& holder);

/// That `answer` is to `asked`, signed by `holder`, and that its block lies under the chunk's root, and, when the
/// recording's root is given and the answer has a session path, under that too. Answers the leaf.
/// Errors: `corrupted` for what shows nothing, `bad_signature`, `limit_exceeded`.
outcome<digest> check_answer(const challenge_answer& answer, const storage_challenge& asked, const chunk_record& record,
                             const sign_public_key& holder, const std::optional<digest>& recording_root);

/// The challenger's part: signs the result as it stands.
void sign_result(challenge_result& result, const sign_key& challenger);

/// That both signatures of a result are good (the holder's when there was an answer that named a leaf).
/// Errors: `bad_signature`.
outcome<void> verify_result(const challenge_result& result, const sign_public_key& challenger, const sign_public_key& holder);

} // namespace lucid
