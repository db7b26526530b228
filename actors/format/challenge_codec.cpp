// actors/format/challenge_codec.cpp - the bytes that are signed, and the checks.
#include "actors/format/challenge_codec.hpp"

#include "actors/format/contexts.hpp"
#include "actors/format/proof_codec.hpp"
#include "actors/format/signing.hpp"

namespace lucid {
namespace {

constexpr const char* who = "challenge";

/// All fields in order, numbers little-endian: 32 challenger, 32 holder, 32 session, 1 track, 4 index, 4 block, 32 nonce,
/// 8 time.
digest hash_of(const storage_challenge& c) {
  std::array<std::uint8_t, 32 + 32 + 32 + 1 + 4 + 4 + 32 + 8> bytes{};
  field_writer(bytes).put(byte_view(c.challenger)).put(byte_view(c.holder)).put(byte_view(c.session))
    .put(static_cast<std::uint8_t>(c.on)).put(c.index).put(c.block_index).put(byte_view(c.nonce)).put(c.asked_us);
  return blake3_derive(contexts::challenge, {bytes});
}

/// Hash of the challenge, leaf, time.
byte_buffer answer_message(const storage_challenge& c, const digest& leaf, unix_time_us answered_us) {
  std::array<std::uint8_t, 32 + 32 + 8> bytes{};
  field_writer(bytes).put(byte_view(hash_of(c))).put(byte_view(leaf)).put(answered_us);
  return signed_message(contexts::challenge_answer_signature, blake3_derive(contexts::challenge_answer, {bytes}));
}

/// Hash of the challenge, position, time, outcome, leaf, the holder's signature.
byte_buffer result_message(const challenge_result& r) {
  std::array<std::uint8_t, 32 + 4 + 8 + 1 + 32 + 64> bytes{};
  field_writer(bytes).put(byte_view(hash_of(r.what))).put(r.chunk_position).put(r.answered_us)
    .put(static_cast<std::uint8_t>(r.outcome)).put(byte_view(r.leaf)).put(byte_view(r.holder_by));
  return signed_message(contexts::challenge_result_signature, blake3_derive(contexts::challenge_result, {bytes}));
}

tl::unexpected<error> shows_nothing(std::string why) { return fail(errc::corrupted, who, std::move(why)); }

} // namespace

void sign_answer(challenge_answer& answer, const sign_key& holder) {
  answer.by = holder.sign(answer_message(answer.what, merkle_leaf(answer.proof.block), answer.answered_us));
}

outcome<digest> check_answer(const challenge_answer& answer, const storage_challenge& asked, const chunk_record& record,
                             const sign_public_key& holder, const std::optional<digest>& recording_root) {
  auto& proof = answer.proof;
  if (answer.what != asked) return shows_nothing("it answers another challenge");
  if (proof.block.empty() || proof.block.size() > block_size_bytes || proof.chunk_path.size() > merkle_path_length_max ||
      proof.session_path.size() > merkle_path_length_max)
    return fail(errc::limit_exceeded, who, "its block or path is too long");
  auto block_count = block_count_of(record.sealed_size_bytes);
  if (proof.session != asked.session || proof.block_index != asked.block_index || proof.block_count != block_count)
    return shows_nothing("it shows another block");
  auto leaf = merkle_leaf(proof.block);
  auto root = merkle_root_from_path(leaf, proof.block_index, block_count, proof.chunk_path);
  if (!root) return pass_on(std::move(root));
  if (*root != record.root) return shows_nothing("its block does not lie under the chunk's root");
  if (recording_root && proof.chunk_count != 0)
    if (auto good = verify_block_proof(proof, *recording_root); !good) return pass_on(std::move(good));
  if (!verify_signature(answer.by, answer_message(asked, leaf, answer.answered_us), holder))
    return fail(errc::bad_signature, who, "the answer is not signed by the holder");
  return leaf;
}

void sign_result(challenge_result& result, const sign_key& challenger) { result.challenger_by = challenger.sign(result_message(result)); }

outcome<void> verify_result(const challenge_result& result, const sign_public_key& challenger, const sign_public_key& holder) {
  if (!verify_signature(result.challenger_by, result_message(result), challenger))
    return fail(errc::bad_signature, who, "the result is not signed by the challenger");
  if (result.outcome != challenge_outcome::ok) return {};
  if (!verify_signature(result.holder_by, answer_message(result.what, result.leaf, result.answered_us), holder))
    return fail(errc::bad_signature, who, "the result is not signed by the holder");
  return {};
}

} // namespace lucid
