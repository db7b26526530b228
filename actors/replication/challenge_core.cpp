// actors/replication/challenge_core.cpp - turns, random blocks, and verdicts.
#include "actors/replication/challenge_core.hpp"

#include <algorithm>
#include <cstring>

#include "actors/format/challenge_codec.hpp"
#include "actors/format/merkle.hpp"

namespace lucid {
namespace {

/// Spreads the first questions over the interval: the node's id is as good as random.
std::chrono::nanoseconds offset_of(const node_id& node, std::chrono::nanoseconds interval) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, node.data(), sizeof bits);
  return std::chrono::nanoseconds(interval.count() / 256 * (bits % 256));
}

} // namespace

std::vector<node_id> challenge_core::due(const std::vector<node_id>& up, time now) {
  std::vector<node_id> turns;
  std::map<node_id, time> next;
  for (auto& node : up) {
    auto known = next_.find(node);
    auto at = known == next_.end() ? now + offset_of(node, interval_) : known->second;
    if (at <= now) {
      turns.push_back(node);
      at = now + interval_;
    }
    next.emplace(node, at);
  }
  next_ = std::move(next);
  return turns;
}

storage_challenge challenge_core::make(const node_id& holder, const chunk_record& record, const random_bytes& random,
                                       unix_time_us now_us) const {
  storage_challenge c;
  c.challenger = self_;
  c.holder = holder;
  c.session = record.key.session;
  c.on = record.key.on;
  c.index = record.key.index;
  std::uint64_t which = 0; // Of 64 bits, for at most 2^11 blocks: the remainder is even enough.
  std::memcpy(&which, random.data(), sizeof which);
  c.block_index = static_cast<std::uint32_t>(which % std::max<std::uint64_t>(1, block_count_of(record.sealed_size_bytes)));
  std::copy_n(random.begin() + 8, c.nonce.size(), c.nonce.begin());
  c.asked_us = now_us;
  return c;
}

challenge_result challenge_core::judge(const storage_challenge& asked, const chunk_record& record, std::uint32_t chunk_position,
                                       const challenge_answer& answer, const sign_public_key& holder,
                                       const std::optional<digest>& recording_root) {
  challenge_result result;
  result.what = asked;
  result.chunk_position = chunk_position;
  result.answered_us = answer.answered_us;
  auto leaf = check_answer(answer, asked, record, holder, recording_root);
  result.outcome = leaf ? challenge_outcome::ok : challenge_outcome::failed;
  if (leaf) {
    result.leaf = *leaf;
    result.holder_by = answer.by;
  }
  return result;
}

challenge_result challenge_core::judge(const storage_challenge& asked, std::uint32_t chunk_position, const error& instead) {
  challenge_result result;
  result.what = asked;
  result.chunk_position = chunk_position;
  result.outcome = instead.code == errc::not_found ? challenge_outcome::missing : challenge_outcome::late;
  return result;
}

} // namespace lucid
