// actors/replication/replication_core.cpp - the choice of holders, and the next step towards what should be.
#include "actors/replication/replication_core.hpp"

#include <algorithm>
#include <cstring>

#include "actors/format/contexts.hpp"
#include "adapters/blake3/blake3_hasher.hpp"

namespace lucid {
namespace {

/// Rendezvous hashing: of all nodes, those with the highest weights hold the session. Not a secret, never stored.
std::uint64_t weight_of(const node_id& node, const session_id& session) {
  std::array<std::uint8_t, 8> bytes{};
  blake3_derive_into(contexts::placement_weight, {node, session}, bytes);
  std::uint64_t weight = 0;
  std::memcpy(&weight, bytes.data(), sizeof weight);
  return weight;
}

/// The place of a name in the list; "*" stands for all that are not named. None: not to be used.
std::optional<std::size_t> rank_of(const std::vector<std::string>& preference, const std::string& name) {
  auto named = std::find(preference.begin(), preference.end(), name);
  if (named == preference.end()) named = std::find(preference.begin(), preference.end(), "*");
  if (named == preference.end()) return std::nullopt;
  return static_cast<std::size_t>(named - preference.begin());
}

bool bit(const std::vector<bool>& bits, std::size_t place) { return place < bits.size() && bits[place]; }
void set_bit(std::vector<bool>& bits, std::size_t place, bool to) {
  if (place >= bits.size()) bits.resize(place + 1);
  bits[place] = to;
}
bool any(const std::vector<bool>& bits) { return std::find(bits.begin(), bits.end(), true) != bits.end(); }

node_id node_of(const replication_action& what) {
  return std::visit([](const auto& a) { return a.to; }, what);
}
session_id session_of(const replication_action& what) {
  return std::visit([](const auto& a) {
    if constexpr (requires { a.session; }) return a.session;
    else return a.record.key.session;
  }, what);
}

chunk_mark mark_of(const chunk_record& r) { return {r.key.on, r.key.index, r.content}; }

} // namespace

// --- what is known ---------------------------------------------------------------------------------------------------

void replication_core::set_members(const std::vector<replica_member>& given, time now) {
  bool changed = false;
  std::set<node_id> on_list;
  for (auto& g : given) {
    on_list.insert(g.id);
    auto [at, is_new] = members_.try_emplace(g.id);
    auto& m = at->second;
    auto rank = rank_of(limits_.preference, g.name);
    m.name = g.name;
    m.rank = rank.value_or(0);
    m.eligible = rank.has_value();
    if (g.up && (!m.up || is_new)) {
      // It may have lost what it had: what is believed of it holds until it says otherwise.
      for (auto& [id, s] : sessions_) {
        auto& h = s.holders[g.id];
        h.at = survey::unknown;
        h.asked_up_to = 0;
      }
      m.down_since.reset();
      m.written_off = false;
      forgive(m);
      changed = true;
    } else if (!g.up && (m.up || is_new)) {
      m.down_since = now;
      changed = true;
    }
    m.up = g.up;
    if (!m.up && !m.written_off && *m.down_since + limits_.repair_after <= now) m.written_off = changed = true;
  }
  for (auto at = members_.begin(); at != members_.end();) {
    if (on_list.contains(at->first)) {
      ++at;
      continue;
    }
    for (auto& [id, s] : sessions_) s.holders.erase(at->first);
    for (auto& [id, nodes] : removals_) nodes.erase(at->first);
    at = members_.erase(at);
    changed = true;
  }
  std::erase_if(removals_, [](const auto& r) { return r.second.empty(); });
  if (changed) open_all();
}

void replication_core::open_all() {
  for (auto& [id, s] : sessions_) reopen(s);
}

/// To be looked at from its beginning.
void replication_core::reopen(tracked& s) {
  s.open = true;
  s.done_up_to = 0;
}

void replication_core::set_session(const session_id& session, const news_mark& news) {
  auto& s = sessions_[session];
  if (s.news == news) return;
  s.news = news;
  s.open = true;
}

void replication_core::add_chunks(const session_id& session, const std::vector<chunk_record>& records) {
  auto& s = sessions_[session];
  for (auto& r : records) {
    auto& places = s.place[static_cast<std::size_t>(r.key.on) % 2];
    if (r.key.index != places.size()) continue; // Known, or one before it is missing: it comes again.
    places.push_back(static_cast<std::uint32_t>(s.chunks.size()));
    s.chunks.push_back(r);
    s.open = true;
  }
}

void replication_core::remove_session(const session_id& session) {
  auto found = sessions_.find(session);
  if (found == sessions_.end()) return;
  if (removals_.size() < limits_.removals_max) {
    std::set<node_id> nodes;
    for (auto& [node, h] : found->second.holders)
      if (any(h.held) || any(h.under_way)) nodes.insert(node);
    if (!nodes.empty()) removals_.emplace(session, std::move(nodes));
  }
  sessions_.erase(found);
}

// --- what is to be done ----------------------------------------------------------------------------------------------

std::vector<node_id> replication_core::candidates(const session_id& session) const {
  struct choice {
    std::size_t rank;
    std::uint64_t weight;
    node_id id;
  };
  std::vector<choice> choices;
  for (auto& [id, m] : members_)
    if (can_serve(m)) choices.push_back({m.rank, weight_of(id, session), id});
  std::sort(choices.begin(), choices.end(), [](const choice& a, const choice& b) {
    return a.rank != b.rank ? a.rank < b.rank : a.weight != b.weight ? a.weight > b.weight : a.id < b.id;
  });
  std::vector<node_id> nodes;
  for (auto& c : choices) nodes.push_back(c.id);
  return nodes;
}

/// Those whose wait is over serve again. What was settled without them is looked at anew: it may have too few copies.
void replication_core::try_again(time now) {
  bool any_again = false;
  for (auto& [id, m] : members_) {
    if (!m.stood_in_for || !ready(m, now)) continue;
    m.stood_in_for = false;
    any_again = true;
  }
  if (any_again) open_all();
}

std::vector<replication_action> replication_core::next(time now) {
  std::vector<replication_action> out;
  try_again(now);
  for (auto& [session, nodes] : removals_)
    for (auto& node : nodes) {
      auto m = member_of(node);
      if (!m || !ready(*m, now) || m->asks >= limits_.asks_per_peer_max || removals_under_way_.contains({session, node})) continue;
      removals_under_way_.emplace(session, node);
      ++m->asks;
      out.push_back(remove_action{node, session});
    }
  // In turns, and so many a call: whole archives are open when a node comes back, and each answer leads to a call.
  std::size_t looked_at = 0;
  auto at = cursor_ ? sessions_.upper_bound(*cursor_) : sessions_.begin();
  for (std::size_t i = 0; i < sessions_.size() && looked_at < looked_at_max; ++i, ++at) {
    if (at == sessions_.end()) at = sessions_.begin();
    if (!at->second.open) continue;
    if (!has_room(now)) break;
    look_at(at->first, at->second, now, out);
    cursor_ = at->first;
    ++looked_at;
  }
  return out;
}

bool replication_core::has_room(time now) const {
  return std::any_of(members_.begin(), members_.end(), [&](const auto& each) {
    auto& m = each.second;
    return ready(m, now) && (m.asks < limits_.asks_per_peer_max || m.puts < limits_.puts_per_peer_max);
  });
}

/// One pass over a session: questions first, then chunks that have too few copies, then news.
void replication_core::look_at(const session_id& id, tracked& s, time now, std::vector<replication_action>& out) {
  auto order = candidates(id);
  bool complete = true, surveyed = true;
  auto refuses = [&](const node_id& node) {
    auto& until = s.holders[node].refused_until;
    if (until && *until <= now) until.reset();
    return until.has_value();
  };
  if (std::erase_if(order, refuses) > 0) complete = false; // Stays open: it is asked again.
  auto ask = [&](const node_id& node, member& m, holding& h) {
    surveyed = complete = false;
    if (h.at == survey::asked || !ready(m, now) || m.asks >= limits_.asks_per_peer_max) return;
    have_action a{node, id, h.asked_up_to, {}};
    for (auto place = h.asked_up_to; place < s.chunks.size() && a.chunks.size() < chunk_marks_max; ++place)
      a.chunks.push_back(mark_of(s.chunks[place]));
    h.at = survey::asked;
    ++m.asks;
    out.push_back(std::move(a));
  };
  for (auto& node : order) {
    auto& h = s.holders[node];
    if (h.at != survey::known) ask(node, members_.at(node), h);
  }
  if (!surveyed) return; // Somebody may have it already.

  std::size_t waiting = 0; // Chunks whose turn it is not: the rest waits behind them.
  for (auto place = s.done_up_to; place < s.chunks.size() && waiting < waiting_max; ++place) {
    std::uint32_t live = 0;
    bool moving = false;
    for (auto& [node, h] : s.holders) {
      auto m = member_of(node);
      live += m && counts(*m) && (bit(h.held, place) || bit(h.under_way, place));
      moving = moving || bit(h.under_way, place);
    }
    if (live >= limits_.copies && !moving && place == s.done_up_to) ++s.done_up_to;
    complete = complete && !moving;
    if (s.unavailable.contains(place)) continue;
    for (auto& node : order) {
      if (live >= limits_.copies) break;
      auto& h = s.holders[node];
      if (bit(h.held, place) || bit(h.under_way, place)) continue;
      complete = false;
      auto& m = members_.at(node);
      ++live; // Its turn comes: the next one in the list does not step in for it meanwhile.
      if (!ready(m, now) || m.puts >= limits_.puts_per_peer_max) {
        ++waiting;
        continue;
      }
      set_bit(h.under_way, place, true);
      ++m.puts;
      out.push_back(put_action{node, s.chunks[place]});
    }
  }
  for (auto& [node, h] : s.holders) {
    auto m = member_of(node);
    if (!m || !m->up || h.at != survey::known || h.news == s.news || !any(h.held)) continue;
    complete = false;
    if (h.refused_until || h.news_under_way || !ready(*m, now) || m->asks >= limits_.asks_per_peer_max) continue;
    h.news_under_way = true;
    ++m->asks;
    out.push_back(news_action{node, id, s.news});
  }
  if (complete) s.open = false;
}

// --- what came of it -------------------------------------------------------------------------------------------------

replication_core::member* replication_core::member_of(const node_id& id) {
  auto found = members_.find(id);
  return found == members_.end() ? nullptr : &found->second;
}

void replication_core::forgive(member& m) {
  m.failures = 0;
  m.retry_at.reset();
  m.stood_in_for = false;
}

void replication_core::succeeded(const node_id& id) {
  auto m = member_of(id);
  if (!m) return;
  if (m->stood_in_for) open_all(); // It serves again.
  forgive(*m);
}

void replication_core::done(const have_action& what, const replica_have& answer) {
  if (auto m = member_of(what.to); m && m->asks > 0) --m->asks;
  succeeded(what.to);
  auto found = sessions_.find(what.session);
  if (found == sessions_.end() || !member_of(what.to)) return;
  auto& s = found->second;
  auto& h = s.holders[what.to];
  reopen(s);
  if (h.at != survey::asked || h.asked_up_to != what.from) return; // It went away and came back meanwhile: asked anew.
  for (std::uint32_t i = 0; i < what.chunks.size(); ++i) set_bit(h.held, what.from + i, false);
  for (auto place : answer.held)
    if (place < what.chunks.size()) set_bit(h.held, what.from + place, true);
  h.asked_up_to = what.from + static_cast<std::uint32_t>(what.chunks.size());
  h.news = {answer.state, answer.has_manifest, answer.has_anchor};
  h.at = what.chunks.size() < chunk_marks_max ? survey::known : survey::unknown; // Chunks that came since: not held.
}

void replication_core::done(const put_action& what) {
  auto m = member_of(what.to);
  if (m && m->puts > 0) --m->puts;
  succeeded(what.to);
  if (!m) return;
  auto found = sessions_.find(what.record.key.session);
  if (found == sessions_.end()) { // Removed while it was on its way.
    if (removals_.size() < limits_.removals_max) removals_[what.record.key.session].insert(what.to);
    return;
  }
  auto place = place_of(found->second, what.record.key);
  if (!place) return;
  auto& h = found->second.holders[what.to];
  set_bit(h.under_way, *place, false);
  set_bit(h.held, *place, true);
  found->second.open = true;
}

void replication_core::done(const news_action& what, const news_mark& held) {
  auto m = member_of(what.to);
  if (m && m->asks > 0) --m->asks;
  succeeded(what.to);
  auto found = sessions_.find(what.session);
  if (!m || found == sessions_.end()) return;
  auto& h = found->second.holders[what.to];
  h.news_under_way = false;
  h.news = held;
  found->second.open = true;
}

void replication_core::done(const remove_action& what) {
  if (auto m = member_of(what.to); m && m->asks > 0) --m->asks;
  succeeded(what.to);
  removals_under_way_.erase({what.session, what.to});
  auto found = removals_.find(what.session);
  if (found == removals_.end()) return;
  found->second.erase(what.to);
  if (found->second.empty()) removals_.erase(found);
}

void replication_core::failed(const replication_action& what, time now, bool missing_here) {
  if (auto m = member_of(node_of(what)); m && !missing_here) blame(*m, now);
  not_done(what, missing_here);
}

void replication_core::refused(const replication_action& what, time now) {
  not_done(what, false);
  auto found = sessions_.find(session_of(what));
  auto to = node_of(what);
  if (found != sessions_.end() && member_of(to)) found->second.holders[to].refused_until = now + limits_.refusal_retry;
}

void replication_core::blame(member& m, time now) {
  if (m.retry_at && now < *m.retry_at) return; // Asked before that: one break ends all that is under way.
  auto doublings = std::min(m.failures, 16u);
  m.retry_at = now + std::min(limits_.retry_min * (1u << doublings), limits_.retry_max);
  if (++m.failures < limits_.failures_max) return;
  m.stood_in_for = true;
  open_all();
}

/// As if it had not been begun. `missing_here`: its chunk is not tried again.
void replication_core::not_done(const replication_action& what, bool missing_here) {
  auto to = node_of(what);
  auto session = session_of(what);
  auto m = member_of(to);
  auto put = std::get_if<put_action>(&what);
  if (m) {
    auto& under_way = put ? m->puts : m->asks;
    if (under_way > 0) --under_way;
  }
  removals_under_way_.erase({session, to});
  auto found = sessions_.find(session);
  if (!m || found == sessions_.end()) return;
  auto& h = found->second.holders[to];
  found->second.open = true;
  if (auto ask = std::get_if<have_action>(&what); ask && h.at == survey::asked && h.asked_up_to == ask->from) h.at = survey::unknown;
  if (std::holds_alternative<news_action>(what)) {
    h.news_under_way = false;
    h.news = {}; // It may have heard it: told again.
  }
  if (put)
    if (auto place = place_of(found->second, put->record.key)) {
      set_bit(h.under_way, *place, false);
      if (missing_here) found->second.unavailable.insert(*place);
    }
}

void replication_core::lost(const node_id& holder, const chunk_key& key) {
  auto found = sessions_.find(key.session);
  if (found == sessions_.end() || !member_of(holder)) return;
  auto place = place_of(found->second, key);
  if (!place) return;
  set_bit(found->second.holders[holder].held, *place, false);
  reopen(found->second);
}

// --- looking at it ---------------------------------------------------------------------------------------------------

std::optional<std::uint32_t> replication_core::place_of(const tracked& s, const chunk_key& key) const {
  auto& places = s.place[static_cast<std::size_t>(key.on) % 2];
  if (key.index >= places.size()) return std::nullopt;
  return places[key.index];
}

std::optional<chunk_record> replication_core::pick_held(const node_id& holder, std::uint64_t random) const {
  std::uint64_t total = 0;
  auto held_by = [&](const tracked& s) -> const std::vector<bool>* {
    auto h = s.holders.find(holder);
    return h == s.holders.end() ? nullptr : &h->second.held;
  };
  for (auto& [id, s] : sessions_)
    if (auto held = held_by(s)) total += static_cast<std::uint64_t>(std::count(held->begin(), held->end(), true));
  if (total == 0) return std::nullopt;
  auto left = random % total;
  for (auto& [id, s] : sessions_)
    if (auto held = held_by(s))
      for (std::size_t place = 0; place < held->size(); ++place)
        if ((*held)[place] && left-- == 0) return s.chunks[place];
  return std::nullopt;
}

std::uint32_t replication_core::position_of(const chunk_key& key) const {
  auto found = sessions_.find(key.session);
  if (found == sessions_.end()) return 0;
  std::uint32_t before = key.on == track::video ? 0 : static_cast<std::uint32_t>(found->second.place[0].size());
  return before + key.index;
}

std::optional<news_mark> replication_core::news_of(const session_id& session) const {
  auto found = sessions_.find(session);
  if (found == sessions_.end()) return std::nullopt;
  return found->second.news;
}

std::uint32_t replication_core::next_index(const session_id& session, track on) const {
  auto found = sessions_.find(session);
  return found == sessions_.end() ? 0 : static_cast<std::uint32_t>(found->second.place[static_cast<std::size_t>(on) % 2].size());
}

std::uint32_t replication_core::chunk_count(const session_id& session) const {
  auto found = sessions_.find(session);
  return found == sessions_.end() ? 0 : static_cast<std::uint32_t>(found->second.chunks.size());
}

std::vector<session_id> replication_core::sessions() const {
  std::vector<session_id> ids;
  for (auto& [id, s] : sessions_) ids.push_back(id);
  return ids;
}

bool replication_core::is_settled(const session_id& session) const {
  auto found = sessions_.find(session);
  return found != sessions_.end() && !found->second.open;
}

bool replication_core::holds_any(const node_id& node, const session_id& session) const {
  auto found = sessions_.find(session);
  if (found == sessions_.end()) return false;
  auto h = found->second.holders.find(node);
  return h != found->second.holders.end() && any(h->second.held);
}

std::vector<chunk_mark> replication_core::page(const session_id& session, std::uint32_t from, std::uint64_t bytes_max,
                                               std::size_t count_max) const {
  std::vector<chunk_mark> marks;
  auto found = sessions_.find(session);
  if (found == sessions_.end()) return marks;
  auto& chunks = found->second.chunks;
  std::uint64_t bytes = 0;
  for (std::size_t place = from; place < chunks.size() && marks.size() < count_max; ++place) {
    bytes += chunks[place].sealed_size_bytes;
    if (bytes > bytes_max && !marks.empty()) break;
    marks.push_back(mark_of(chunks[place]));
  }
  return marks;
}

std::vector<chunk_mark> replication_core::held_of(const node_id& node, const session_id& session,
                                                  const std::vector<chunk_mark>& chunks) const {
  std::vector<chunk_mark> held;
  auto found = sessions_.find(session);
  if (found == sessions_.end()) return held;
  auto h = found->second.holders.find(node);
  if (h == found->second.holders.end()) return held;
  for (auto& mark : chunks)
    if (auto place = place_of(found->second, {session, mark.on, mark.index}); place && bit(h->second.held, *place)) held.push_back(mark);
  return held;
}

replication_status replication_core::status() const {
  replication_status status;
  status.copies = limits_.copies;
  status.session_count = static_cast<std::uint32_t>(sessions_.size());
  std::map<node_id, holder_status> holders;
  for (auto& [id, m] : members_) {
    holder_status h;
    h.node = id;
    h.name = m.name;
    h.up = m.up;
    status.in_flight += static_cast<std::uint32_t>(m.puts + m.asks);
    holders.emplace(id, std::move(h));
  }
  for (auto& [id, s] : sessions_) {
    status.chunk_count += s.chunks.size();
    for (std::size_t place = 0; place < s.chunks.size(); ++place) {
      std::uint32_t live = 0;
      for (auto& [node, h] : s.holders) {
        auto m = members_.find(node);
        if (m == members_.end() || !bit(h.held, place)) continue;
        live += counts(m->second);
        auto& row = holders.at(node);
        ++row.chunk_count;
        row.bytes += s.chunks[place].sealed_size_bytes;
      }
      status.replicated_count += live >= limits_.copies;
      status.without_copy_count += live == 0;
    }
  }
  for (auto& [id, h] : holders) status.holders.push_back(std::move(h));
  return status;
}

} // namespace lucid
