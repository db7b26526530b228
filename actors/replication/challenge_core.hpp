// actors/replication/challenge_core.hpp - when which holder is asked for proof, and what its answer is worth; pure logic.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <vector>

#include "messages/outcome.hpp"
#include "messages/replication.hpp"

namespace lucid {

/// Threads: none. One owner calls it. Randomness and times are passed in; times are monotonic unless they say `_us`.
class challenge_core {
public:
  using time = std::chrono::nanoseconds;
  /// For a block's index, and the nonce.
  using random_bytes = std::array<std::uint8_t, 40>;
  static constexpr std::chrono::seconds answer_time_max{30}; ///< A slow card behind Tor, with room.

  challenge_core(const node_id& self, std::chrono::nanoseconds interval) : self_(self), interval_(interval) {}

  /// Which of the holders that are up are to be asked now. Each one that is answered for has its turn after the interval;
  /// a new one is asked within it, not at once, so that a start does not ask all together.
  std::vector<node_id> due(const std::vector<node_id>& up, time now);

  /// A challenge about a random block of `record`.
  storage_challenge make(const node_id& holder, const chunk_record& record, const random_bytes& random, unix_time_us now_us) const;

  /// What an answer is worth. Not signed yet. The outcome is `failed` for one that shows nothing.
  static challenge_result judge(const storage_challenge& asked, const chunk_record& record, std::uint32_t chunk_position,
                                const challenge_answer& answer, const sign_public_key& holder,
                                const std::optional<digest>& recording_root);
  /// An error in place of an answer: `missing` if the holder says so, else `late`.
  static challenge_result judge(const storage_challenge& asked, std::uint32_t chunk_position, const error& instead);

private:
  node_id self_;
  std::chrono::nanoseconds interval_;
  std::map<node_id, time> next_; ///< Of the nodes that were given last.
};

} // namespace lucid
