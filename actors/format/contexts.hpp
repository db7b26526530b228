// actors/format/contexts.hpp - every domain separation string of format version 1, in one place.
#pragma once

#include <string_view>

/// BLAKE3 derive_key contexts and signature prefixes. Source: docs/format.md, "Contexts".
namespace lucid::contexts {

inline constexpr std::string_view merkle_leaf = "lucid v1 merkle leaf";
inline constexpr std::string_view merkle_node = "lucid v1 merkle node";
inline constexpr std::string_view chunk_key = "lucid v1 chunk key";
inline constexpr std::string_view chunk_commitment = "lucid v1 chunk key commitment";
inline constexpr std::string_view chunk_header = "lucid v1 chunk header";
inline constexpr std::string_view session_commitment = "lucid v1 session key commitment";
inline constexpr std::string_view session_id = "lucid v1 session id";
inline constexpr std::string_view journal_key = "lucid v1 journal key";
inline constexpr std::string_view journal_commitment = "lucid v1 journal key commitment";
inline constexpr std::string_view journal_header = "lucid v1 journal header";
inline constexpr std::string_view journal_record = "lucid v1 journal record";
inline constexpr std::string_view ledger_entry = "lucid v1 ledger entry";
inline constexpr std::string_view block_hash = "lucid v1 block hash";
inline constexpr std::string_view key_file = "lucid v1 key file";
inline constexpr std::string_view audit_entry = "lucid v1 audit entry";
inline constexpr std::string_view placement_weight = "lucid v1 placement weight";
inline constexpr std::string_view challenge = "lucid v1 storage challenge";
inline constexpr std::string_view challenge_answer = "lucid v1 challenge answer";
inline constexpr std::string_view challenge_result = "lucid v1 challenge result";

/// What an Ed25519 signature begins with, before the 32-byte hash; the last byte is zero.
inline constexpr std::string_view manifest_signature{"lucid v1 manifest signature", 28};
inline constexpr std::string_view block_signature{"lucid v1 block signature", 25};
inline constexpr std::string_view audit_signature{"lucid v1 audit signature", 25};
inline constexpr std::string_view challenge_answer_signature{"lucid v1 challenge answer signature", 36};
inline constexpr std::string_view challenge_result_signature{"lucid v1 challenge result signature", 36};

} // namespace lucid::contexts
