// actors/mesh/lease_core.cpp - granting, asking, and the arithmetic of time between the two.
#include "actors/mesh/lease_core.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace lucid {

namespace {

/// Spreads the attempts of nodes that stood in each other's way. Nobody's secret. Source: SplitMix64 (Steele, 2014).
std::uint64_t mixed(std::uint64_t x) noexcept {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

/// A lease stands once in a list, and releases are read before asks: an ask of this moment goes back unsent.
void add_release(lease_message& into, const lease_release& release) {
  std::erase_if(into.asks, [&](auto& ask) { return ask.lease == release.lease && ask.number == release.number; });
  std::erase_if(into.releases, [&](auto& earlier) { return earlier.lease == release.lease; });
  into.releases.push_back(release);
}

std::uint64_t start_of(const node_id& id) noexcept {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < sizeof bits; ++i) bits = bits << 8 | id[i];
  return bits;
}

} // namespace

lease_core::lease_core(const lease_settings& settings, const std::vector<lease_promise>& on_disk, time now)
  : settings_(settings), quiet_until_(now + settings.lease_time), next_beat_(now), heard_at_(now) {
  for (auto& p : on_disk) {
    if (!is_sound(p.lease) || grants_.size() >= leases_max) continue;
    auto& g = grants_[p.lease];
    if (p.number <= g.number) continue;
    g.number = g.durable = p.number;
    g.holder = p.holder;
    g.until = quiet_until_;
  }
}

lease_outputs lease_core::set_members(std::uint64_t version, const std::vector<node_id>& members, time now,
                                      std::size_t count_at_least) {
  lease_outputs out;
  if (version < list_version_) return out;
  expire(now, out);
  list_version_ = version;
  members_ = {members.begin(), members.end()};
  count_at_least_ = count_at_least;
  for (auto& [lease, c] : claims_) {
    std::erase_if(c.granted, [&](auto& g) { return !is_member(g.first); });
    std::erase_if(c.refused, [&](auto& id) { return !is_member(id); });
    if (!is_member(settings_.self)) {
      if (c.holds_until) out.events.push_back({lease, false, c.number, lease_loss::removed});
      forget(lease, c, now);
    } else {
      settle(lease, c, now, out);
    }
  }
  return out;
}

bool lease_core::known_or_room(const lease_name& lease) const {
  auto room = [&](auto& table) { return table.contains(lease) || table.size() < leases_max; };
  return room(grants_) && room(claims_) && room(sightings_);
}

lease_message& lease_core::letter_to(const node_id& to, lease_outputs& out) {
  auto known = std::ranges::find(out.messages, to, &lease_outputs::letter::to);
  if (known != out.messages.end()) return known->message;
  out.messages.push_back({to, {settings_.incarnation, sequence_, list_version_, {}, {}, {}}});
  return out.messages.back().message;
}

outcome<lease_outputs> lease_core::wish(const lease_name& lease, bool wanted, time now) {
  if (!is_sound(lease)) return fail(errc::invalid_input, "lease", "no lease has that name: " + lease.role);
  if (!known_or_room(lease)) return fail(errc::limit_exceeded, "lease", "more than 128 leases");
  lease_outputs out;
  auto known = claims_.find(lease);
  if (!wanted && known == claims_.end()) return out;
  auto& c = known == claims_.end() ? claims_[lease] : known->second;
  if (c.wanted == wanted) return out;
  expire(now, out);
  c.wanted = wanted;
  if (wanted) {
    c.failures = 0;
    c.next_attempt = now;
    next_beat_ = now; // A claim does not wait for the beat.
  } else {
    if (c.holds_until) out.events.push_back({lease, false, c.number, lease_loss::released});
    hand_back(lease, c, now, out);
  }
  return out;
}

lease_outputs lease_core::heard(const node_id& from, const lease_message& message, time now) {
  lease_outputs out;
  if (!is_member(from) || !is_member(settings_.self)) return out;
  expire(now, out);
  if (from != settings_.self) heard_at_ = now;
  for (auto& release : message.releases) take_release(from, message.incarnation, release);
  for (auto& ask : message.asks) {
    if (!is_sound(ask.lease) || ask.number == 0 || ask.number > lease_number_max || !known_or_room(ask.lease)) continue;
    if (ask.held) see(from, ask, now);
    if (auto verdict = decide(from, message, ask, now, out)) answer(from, *verdict, now, out);
  }
  for (auto& each : message.answers)
    if (each.incarnation == settings_.incarnation) take_answer(from, each, now, out);
  return out;
}

/// Each list of members has numbers of its own, above those of earlier lists. Majorities of two lists that differ by more
/// than one member need share nobody: without this the second could grant a number that the first had granted.
std::uint64_t lease_core::numbers_before(std::uint64_t list_version) {
  constexpr std::uint64_t numbers_per_list = 1ull << 20, lists_max = 1ull << 41;
  return list_version == 0 ? 0 : (std::min(list_version, lists_max) - 1) * numbers_per_list;
}

void lease_core::see(const node_id& holder, const lease_ask& ask, time now) {
  if (holder == settings_.self) return; // What this node holds ends sooner than others may believe: `held` alone knows.
  auto& seen = sightings_[ask.lease];
  if (ask.number >= seen.fence) seen = {holder, ask.number, now + settings_.lease_time};
}

/// None: the answer waits for the disk.
std::optional<lease_answer> lease_core::decide(const node_id& from, const lease_message& message, const lease_ask& ask,
                                               time now, lease_outputs& out) {
  auto& g = grants_[ask.lease];
  lease_answer says{ask.lease, lease_verdict::granted, ask.number, g.number, message.incarnation, message.sequence};
  auto refuse = [&](lease_verdict why) {
    says.verdict = why;
    return says;
  };
  if (message.list_version < list_version_) return refuse(lease_verdict::behind);
  bool same_node = g.number > 0 && g.holder == from;
  bool same_number = same_node && ask.number == g.number && !g.released &&
                     (g.incarnation == 0 || g.incarnation == message.incarnation);
  if (!same_number) {
    if (ask.number <= g.number) return refuse(lease_verdict::stale);
    bool running = now < g.until && !g.released;
    if (running && !same_node) return refuse(g.incarnation == 0 ? lease_verdict::quiet : lease_verdict::held);
    if (g.writing) return refuse(lease_verdict::held); // One write at a time: the rows reach the disk in order.
    g.number = ask.number;
    g.holder = from;
    g.released = false;
  }
  g.incarnation = message.incarnation;
  g.until = now + settings_.lease_time;
  says.highest = g.number;
  if (g.durable >= g.number) return says;
  g.waiting = says;
  if (!g.writing) out.promises.push_back({ask.lease, g.number, g.holder});
  g.writing = true;
  return std::nullopt;
}

void lease_core::take_release(const node_id& from, std::uint64_t incarnation, const lease_release& release) {
  auto seen = sightings_.find(release.lease);
  if (seen != sightings_.end() && seen->second.holder == from && seen->second.fence == release.number) sightings_.erase(seen);
  auto known = grants_.find(release.lease);
  if (known == grants_.end()) return;
  auto& g = known->second;
  if (g.holder != from || g.number != release.number || g.incarnation != incarnation) return;
  g.released = true;
  g.waiting.reset();
}

void lease_core::answer(const node_id& to, lease_answer answer, time now, lease_outputs& out) {
  if (to == settings_.self) take_answer(to, answer, now, out);
  else letter_to(to, out).answers.push_back(std::move(answer));
}

lease_outputs lease_core::persisted(const std::vector<lease_promise>& promises, bool done, time now) {
  lease_outputs out;
  expire(now, out);
  for (auto& p : promises) {
    auto known = grants_.find(p.lease);
    if (known == grants_.end()) continue;
    auto& g = known->second;
    g.writing = false;
    if (done) g.durable = std::max(g.durable, p.number);
    auto waiting = std::exchange(g.waiting, std::nullopt);
    if (waiting && waiting->number <= g.durable && is_member(g.holder)) answer(g.holder, *waiting, now, out);
  }
  return out;
}

void lease_core::take_answer(const node_id& from, const lease_answer& says, time now, lease_outputs& out) {
  auto known = claims_.find(says.lease);
  if (known == claims_.end()) return;
  auto& c = known->second;
  c.highest = std::max(c.highest, says.highest);
  if (c.number == 0 || says.number != c.number) return;
  auto sent = sent_.find(says.sequence);
  if (sent == sent_.end()) return; // Older than a lease time: worth nothing any more.
  if (says.verdict == lease_verdict::granted) {
    auto& when = c.granted.try_emplace(from, sent->second).first->second;
    when = std::max(when, sent->second);
    c.refused.erase(from);
  } else {
    c.refused.insert(from);
  }
  settle(says.lease, c, now, out);
}

/// Until when a majority's grants last, and whether there can be a majority.
void lease_core::settle(const lease_name& lease, claim& c, time now, lease_outputs& out) {
  if (c.number == 0) return;
  if (c.granted.size() >= majority()) {
    std::vector<time> sent;
    for (auto& [member, when] : c.granted) sent.push_back(when);
    std::ranges::sort(sent, std::greater<>());
    auto until = sent[majority() - 1] + usable(settings_.lease_time);
    if (now < until) {
      if (!c.holds_until) out.events.push_back({lease, true, c.number, {}});
      c.holds_until = until;
      c.expired_at.reset();
      c.failures = 0;
      return;
    }
  }
  if (c.holds_until) { // A changed list took the majority away.
    c.holds_until = now;
    expire(now, out);
    return;
  }
  if (c.refused.size() > count() - majority()) hand_back(lease, c, now, out);
}

/// Whoever granted it is free at once.
void lease_core::hand_back(const lease_name& lease, claim& c, time now, lease_outputs& out) {
  if (c.number != 0) {
    lease_release release{lease, c.number};
    for (auto& member : members_)
      if (member != settings_.self) add_release(letter_to(member, out), release);
    take_release(settings_.self, settings_.incarnation, release);
  }
  forget(lease, c, now);
}

/// That number is never asked for again.
void lease_core::forget(const lease_name& lease, claim& c, time now) {
  c.highest = std::max(c.highest, c.number);
  c.number = 0;
  c.holds_until.reset();
  c.granted.clear();
  c.refused.clear();
  ++c.failures;
  c.next_attempt = now + back_off(lease, c);
  if (c.wanted) next_beat_ = std::min(next_beat_, c.next_attempt);
}

/// A part of a beat at first, twice that after each failure, at most a lease time.
lease_core::time lease_core::back_off(const lease_name& lease, const claim& c) const {
  auto bound = std::min(settings_.beat_interval * (1 << std::min(c.failures, 5u)) / 2, settings_.lease_time);
  auto bits = mixed(start_of(settings_.self) ^ mixed(settings_.incarnation ^ lease.place) ^ mixed(c.highest * 64 + c.failures));
  return time(static_cast<std::int64_t>(bits % static_cast<std::uint64_t>(bound.count() + 1)));
}

/// Whoever lost a lease and hears nobody may still be heard: asking on, it would keep the others from granting it to one
/// who can hold it.
bool lease_core::may_be_deaf(const claim& c, time now) const {
  return c.expired_at && heard_at_ < *c.expired_at && now < *c.expired_at + settings_.lease_time && members_.size() > 1;
}

void lease_core::expire(time now, lease_outputs& out) {
  for (auto& [lease, c] : claims_)
    if (c.holds_until && now >= *c.holds_until) {
      out.events.push_back({lease, false, c.number, lease_loss::expired});
      // Deaf, it may still be heard: then nobody has to wait until the grants run out.
      if (heard_at_ + settings_.lease_time / 2 < now) hand_back(lease, c, now, out);
      else forget(lease, c, now);
      c.expired_at = now;
    }
}

lease_outputs lease_core::tick(time now) {
  lease_outputs out;
  expire(now, out);
  if (!is_member(settings_.self)) return out;
  if (now >= next_beat_) beat(now, out);
  return out;
}

void lease_core::beat(time now, lease_outputs& out) {
  next_beat_ = now + settings_.beat_interval;
  ++sequence_;
  sent_[sequence_] = now;
  std::erase_if(sent_, [&](auto& s) { return s.second + settings_.lease_time < now; });
  std::erase_if(sightings_, [&](auto& s) { return s.second.until <= now; });
  for (auto& letter : out.messages) letter.message.sequence = sequence_; // They leave now as well.
  lease_message own{settings_.incarnation, sequence_, list_version_, {}, {}, {}};
  for (auto& [lease, c] : claims_) {
    if (!c.wanted) continue;
    if (c.number != 0 && !c.holds_until && now >= c.began + settings_.lease_time / 2) hand_back(lease, c, now, out);
    if (c.number == 0) {
      if (now < c.next_attempt) {
        next_beat_ = std::min(next_beat_, c.next_attempt);
        continue;
      }
      if (may_be_deaf(c, now)) continue;
      auto granted = grants_.find(lease);
      if (granted != grants_.end()) c.highest = std::max(c.highest, granted->second.number);
      if (c.highest >= lease_number_max) continue;
      c.number = std::max(c.highest, numbers_before(list_version_)) + 1;
      c.began = now;
    }
    lease_ask ask{lease, c.number, c.holds_until.has_value()};
    own.asks.push_back(ask);
    for (auto& member : members_)
      if (member != settings_.self) letter_to(member, out).asks.push_back(ask);
  }
  if (own.asks.empty()) return;
  auto mine = heard(settings_.self, own, now);
  out.promises.insert(out.promises.end(), mine.promises.begin(), mine.promises.end());
  out.events.insert(out.events.end(), mine.events.begin(), mine.events.end());
  for (auto& letter : mine.messages) {
    auto& into = letter_to(letter.to, out);
    for (auto& release : letter.message.releases) add_release(into, release);
  }
}

std::optional<lease_core::holding> lease_core::held(const lease_name& lease, time now) const {
  auto known = claims_.find(lease);
  if (known == claims_.end() || !known->second.holds_until || now >= *known->second.holds_until) return std::nullopt;
  return holding{known->second.number, *known->second.holds_until};
}

std::vector<lease_view> lease_core::view(time now) const {
  std::map<lease_name, sighting> all = sightings_;
  for (auto& [lease, c] : claims_)
    if (auto mine = held(lease, now)) all[lease] = {settings_.self, mine->fence, mine->until};
  std::vector<lease_view> out;
  for (auto& [lease, s] : all) {
    if (s.until <= now) continue;
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(s.until - now).count();
    out.push_back({lease.role, lease.place, s.holder, s.fence, left});
  }
  return out;
}

} // namespace lucid
