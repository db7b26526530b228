// actors/mesh/link_core.cpp - one link to each member.
#include "actors/mesh/link_core.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <set>
#include <utility>

namespace lucid {

std::vector<link_id> link_core::set_targets(std::vector<link_target> targets, time now) {
  std::vector<link_id> ended;
  std::set<std::string> names;
  for (auto& target : targets) {
    names.insert(target.name);
    auto [at, made] = peers_.try_emplace(target.name);
    auto& p = at->second;
    if (made) {
      p.down_since = now;
      p.next_dial = now;
      p.pause = settings_.retry_min;
    } else if (p.target != target) {
      p.next_dial = now; // It may be reached now.
    }
    p.target = std::move(target);
  }
  for (auto at = peers_.begin(); at != peers_.end();) {
    if (names.contains(at->first)) {
      ++at;
      continue;
    }
    if (at->second.link) ended.push_back(*at->second.link);
    if (at->second.dialling) ended.push_back(*at->second.dialling);
    at = peers_.erase(at);
  }
  return ended;
}

bool link_core::dials(const peer& p, time now) const {
  return settings_.self < p.target.name || now - p.down_since >= patience * settings_.silence_max;
}

std::vector<link_dial> link_core::due(time now) {
  std::vector<link_dial> begun;
  for (auto& [name, p] : peers_) {
    if (p.link || p.dialling || p.target.addresses.empty() || p.next_dial > now || !dials(p, now)) continue;
    auto& addresses = p.target.addresses;
    begun.push_back({name, p.target.key, addresses[p.attempts++ % addresses.size()]});
    p.next_dial = time::max(); // Until it is known how it went.
  }
  return begun;
}

void link_core::dialling(const std::string& name, link_id link) {
  if (auto at = peers_.find(name); at != peers_.end()) at->second.dialling = link;
}

void link_core::dial_failed(const std::string& name, time now) {
  auto at = peers_.find(name);
  if (at == peers_.end()) return;
  auto& p = at->second;
  p.dialling.reset();
  p.next_dial = now + p.pause;
  p.pause = std::min(p.pause * 2, settings_.retry_max);
  constexpr auto doubted = failures_trusted + 1;
  if (p.failures < std::numeric_limits<std::uint32_t>::max()) ++p.failures;
  if (p.failures % doubted == 0 && std::has_single_bit(p.failures / doubted)) wants_new_ways_ = true;
}

std::vector<link_id> link_core::named(link_id link, const std::string& name, bool dialled, time now) {
  auto at = peers_.find(name);
  if (at == peers_.end()) return {link};
  auto& p = at->second;
  if (p.dialling == link) p.dialling.reset();
  std::vector<link_id> ended;
  if (p.link && *p.link != link) {
    // Both dialled: that of the first name counts. One side dialled twice: the later, its peer has lost the earlier.
    bool ours_first = settings_.self < name;
    bool keep_old = p.dialled != dialled && p.dialled == ours_first;
    if (keep_old) return {link};
    ended.push_back(*p.link);
  }
  p.link = link;
  p.dialled = dialled;
  p.heard_at = now;
  p.pause = settings_.retry_min;
  p.failures = 0;
  return ended;
}

void link_core::heard(link_id link, time now) {
  for (auto& [name, p] : peers_)
    if (p.link == link) p.heard_at = now;
}

void link_core::lost(peer& p, time now) {
  p.link.reset();
  p.down_since = now;
  p.next_dial = now;
}

void link_core::down(link_id link, time now) {
  for (auto& [name, p] : peers_) {
    if (p.link == link) lost(p, now);
    if (p.dialling == link) dial_failed(name, now);
  }
}

std::vector<link_id> link_core::silent(time now) const {
  std::vector<link_id> found;
  for (auto& [name, p] : peers_)
    if (p.link && now - p.heard_at > settings_.silence_max) found.push_back(*p.link);
  return found;
}

std::optional<link_id> link_core::link_of(const std::string& name) const {
  auto at = peers_.find(name);
  return at == peers_.end() ? std::nullopt : at->second.link;
}

const std::string* link_core::name_of(link_id link) const {
  for (auto& [name, p] : peers_)
    if (p.link == link) return &name;
  return nullptr;
}

const std::string* link_core::target_of(link_id link) const {
  for (auto& [name, p] : peers_)
    if (p.dialling == link) return &name;
  return nullptr;
}

} // namespace lucid
