// actors/mesh/peer_quota.hpp - how much a peer may send, and what it costs to misbehave.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>

#include "messages/identity.hpp"
#include "messages/outcome.hpp"

namespace lucid {

/// What a peer did that no sound node does.
enum class peer_offence : std::uint8_t {
  flood,         ///< More than its quota.
  malformed,     ///< Not an envelope, or not its content.
  oversized,     ///< Over the bound of its type.
  replayed,      ///< A counter or epoch of before, or a message out of turn.
  bad_signature,
  not_allowed,   ///< What only others may, or only a newer version knows: it may not have heard yet.
};

/// What it was when `why` was found.
peer_offence offence_of(const error& why) noexcept;

struct quota_settings {
  double messages_per_s = 50, messages_burst = 200;                ///< Weighed by the cost of their kinds.
  double bytes_per_s = 256 * 1024, bytes_burst = 2 * 1024 * 1024;  ///< One message of the largest kind fits into the burst.
  double penalty_bound = 10;      ///< Points that end in a ban.
  double forgiven_per_s = 0.1;    ///< Points.
  std::chrono::nanoseconds ban_min = std::chrono::seconds(30); ///< Doubled with each ban that follows.
  std::chrono::nanoseconds ban_max = std::chrono::hours(1);
};

/// For members of the cluster, a link. Each interval brings a heartbeat and its answer, asks for leases and answers, and
/// every fourth a summary: about 6 by their cost. When a cluster forms, each member passes on what it hears of each other
/// one: about one update of cost 8 for each (tests/unit/honest_load_tests.cpp). A list of full length is 1.5 MiB.
quota_settings member_quota(std::chrono::nanoseconds heartbeat_interval) noexcept;

/// Pure: a token bucket each for messages and bytes, and a sum of penalties, for each peer. Threads: one at a time.
class peer_quota {
public:
  using time = std::chrono::nanoseconds;
  static constexpr std::size_t peers_max = 512; ///< About 200 bytes each.

  explicit peer_quota(const quota_settings& settings = {}) : settings_(settings) {}

  /// Before anything is decoded or verified: whether `bytes` at this cost may be looked at.
  /// Errors: `permission_denied` while the peer is banned, `busy` over its quota, which is counted as `flood`.
  [[nodiscard]] outcome<void> admit(const transport_key& peer, std::size_t bytes, std::uint32_t cost, time now);

  /// True: the peer is banned from now on, and its links should be closed.
  bool penalise(const transport_key& peer, peer_offence offence, time now);

  [[nodiscard]] bool is_banned(const transport_key& peer, time now) const;
  [[nodiscard]] std::size_t size() const noexcept { return peers_.size(); }

private:
  struct account {
    double messages = 0, bytes = 0, points = 0;
    time seen{}, banned_until{};
    std::uint32_t bans = 0;
  };
  account& account_of(const transport_key& peer, time now);
  void make_room(time now);

  quota_settings settings_;
  std::map<transport_key, account> peers_;
};

} // namespace lucid
