// actors/mesh/peer_quota.cpp - buckets that fill with time, penalties that time forgives.
#include "actors/mesh/peer_quota.hpp"

#include <algorithm>

namespace lucid {

namespace {

constexpr std::uint32_t doublings_max = 16;

constexpr double points_of(peer_offence offence) noexcept {
  switch (offence) {
    case peer_offence::flood: return 0.2;
    case peer_offence::malformed: return 2;
    case peer_offence::oversized: return 2;
    case peer_offence::replayed: return 3;
    case peer_offence::bad_signature: return 5;
    case peer_offence::not_allowed: return 0.5;
  }
  return 5;
}

double seconds_of(peer_quota::time t) { return std::chrono::duration<double>(t).count(); }

} // namespace

peer_offence offence_of(const error& why) noexcept {
  switch (why.code) {
    case errc::bad_signature: return peer_offence::bad_signature;
    case errc::limit_exceeded: return peer_offence::oversized;
    case errc::protocol_violation: return peer_offence::replayed;
    case errc::permission_denied:
    case errc::unsupported: return peer_offence::not_allowed;
    default: return peer_offence::malformed;
  }
}

quota_settings member_quota(std::chrono::nanoseconds heartbeat_interval) noexcept {
  constexpr double weight_per_beat = 24; // Four times what is usual.
  quota_settings settings;
  settings.messages_per_s = std::max(100.0, weight_per_beat / std::max(seconds_of(heartbeat_interval), 0.01));
  settings.messages_burst = 4096; // Twice what forming a cluster takes.
  settings.bytes_per_s = 512 * 1024;
  settings.bytes_burst = 8 * 1024 * 1024;
  return settings;
}

outcome<void> peer_quota::admit(const transport_key& peer, std::size_t bytes, std::uint32_t cost, time now) {
  auto& a = account_of(peer, now);
  if (now < a.banned_until) return fail(errc::permission_denied, "quota", "the peer is banned for now");
  if (a.messages < cost || a.bytes < static_cast<double>(bytes)) {
    penalise(peer, peer_offence::flood, now);
    return fail(errc::busy, "quota", a.messages < cost ? "more messages than are allowed" : "more bytes than are allowed");
  }
  a.messages -= cost;
  a.bytes -= static_cast<double>(bytes);
  return {};
}

bool peer_quota::penalise(const transport_key& peer, peer_offence offence, time now) {
  auto& a = account_of(peer, now);
  if (now < a.banned_until) return false;
  a.points += points_of(offence);
  if (a.points < settings_.penalty_bound) return false;
  a.banned_until = now + std::min(settings_.ban_min * (1 << std::min(a.bans, doublings_max)), settings_.ban_max);
  ++a.bans;
  a.points = 0;
  return true;
}

bool peer_quota::is_banned(const transport_key& peer, time now) const {
  auto known = peers_.find(peer);
  return known != peers_.end() && now < known->second.banned_until;
}

/// With what time has brought since it was last seen.
peer_quota::account& peer_quota::account_of(const transport_key& peer, time now) {
  auto known = peers_.find(peer);
  if (known == peers_.end()) {
    if (peers_.size() >= peers_max) make_room(now);
    return peers_[peer] = {settings_.messages_burst, settings_.bytes_burst, 0, now, time::min(), 0};
  }
  auto& a = known->second;
  auto passed = seconds_of(std::max(now - a.seen, time(0)));
  a.messages = std::min(a.messages + passed * settings_.messages_per_s, settings_.messages_burst);
  a.bytes = std::min(a.bytes + passed * settings_.bytes_per_s, settings_.bytes_burst);
  a.points = std::max(a.points - passed * settings_.forgiven_per_s, 0.0);
  a.seen = std::max(a.seen, now);
  return a;
}

/// The one that was silent longest goes; a banned one only if all are.
void peer_quota::make_room(time now) {
  auto worth = [&](auto& p) { return std::pair(now < p.second.banned_until, p.second.seen); };
  peers_.erase(std::ranges::min_element(peers_, {}, worth));
}

} // namespace lucid
