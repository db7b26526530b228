// actors/mesh/placement_core.cpp - shares by preference; claims in turn; places handed back.
#include "actors/mesh/placement_core.hpp"

#include <algorithm>
#include <set>

namespace lucid {

namespace {

tl::unexpected<error> refused(errc code, std::string what) { return fail(code, "placement", std::move(what)); }

std::uint32_t held_by(const node_id& id, const std::vector<node_id>& holders) {
  return static_cast<std::uint32_t>(std::ranges::count(holders, id));
}

} // namespace

outcome<void> placement_core::set_rules(std::vector<placement_rule> rules) {
  if (rules.size() > lease_roles_max) return refused(errc::limit_exceeded, "more than 16 roles");
  std::set<std::string> roles;
  for (auto& rule : rules) {
    if (!is_sound(rule.role, 0)) return refused(errc::invalid_input, "a role is 1 to 31 of a-z, 0-9 and -");
    if (!roles.insert(rule.role).second) return refused(errc::invalid_input, "two rules for " + rule.role);
    if (rule.count == 0) return refused(errc::invalid_input, "no place of " + rule.role);
    if (rule.count > lease_places_max) return refused(errc::limit_exceeded, "more than 8 places of " + rule.role);
    if (rule.nodes.size() > cluster_members_max) return refused(errc::limit_exceeded, "more than 256 nodes for " + rule.role);
  }
  rules_ = std::move(rules);
  std::erase_if(free_since_, [&](auto& f) { return !roles.contains(f.first.role); });
  std::erase_if(experiences_, [&](auto& e) { return !roles.contains(e.first.first); });
  return {};
}

std::vector<placement_wish> placement_core::decide(const std::vector<placement_member>& members,
                                                   const std::vector<lease_view>& held, time now) {
  auto up = static_cast<std::size_t>(std::ranges::count_if(members, &placement_member::up));
  bool quorum = up > members.size() / 2;
  std::erase_if(experiences_, [&](auto& e) { return !std::ranges::count(members, e.first.second, &placement_member::id); });
  std::vector<placement_wish> out;
  for (auto& rule : rules_) decide_role(rule, members, held, quorum, now, out);
  for (auto& h : held) { // Of rules that are no more.
    auto ruled = [&](auto& rule) { return rule.role == h.role && h.place < rule.count; };
    if (h.holder == settings_.self && std::ranges::none_of(rules_, ruled)) out.push_back({{h.role, h.place}, false});
  }
  return out;
}

/// Those who are up and may have the role, the preferred first.
std::vector<placement_core::candidate> placement_core::candidates_of(const placement_rule& rule,
                                                                     const std::vector<placement_member>& members) const {
  std::vector<const placement_member*> by_name;
  for (auto& m : members) by_name.push_back(&m);
  std::ranges::sort(by_name, {}, [](auto* m) -> auto& { return m->name; });
  std::vector<candidate> out;
  auto add = [&](const placement_member& m) {
    if (m.up && std::ranges::find(out, &m, &candidate::member) == out.end()) out.push_back({&m, 0, 0});
  };
  for (auto& name : rule.nodes)
    for (auto* m : by_name) {
      bool named = std::ranges::find(rule.nodes, m->name) != rule.nodes.end();
      if (name == "*" ? !named : m->name == name) add(*m);
    }
  return out;
}

bool placement_core::is_steady(const std::string& role, const placement_member& node, time now) const {
  auto known = experiences_.find({role, node.id});
  if (known == experiences_.end()) return now - node.since >= settings_.return_after;
  auto since = std::max(node.since, known->second.failed_at);
  return now - since >= settings_.return_after * (1 << known->second.doublings);
}

/// Whoever gave a place away and sees it come back soon waits longer the next time.
void placement_core::learn(const std::string& role, const std::vector<node_id>& holders, time now) {
  bool mine = held_by(settings_.self, holders) > 0;
  for (auto& [key, e] : experiences_) {
    if (key.first != role || !e.open) continue;
    bool kept = held_by(key.second, holders) > 0;
    if (kept && now - e.handed_at >= settings_.return_after) {
      e = {};
    } else if (!kept && mine && now - e.handed_at >= settings_.step) {
      e.open = false;
      e.failed_at = now;
      e.doublings = std::min(e.doublings + 1, doublings_max);
    }
  }
}

void placement_core::decide_role(const placement_rule& rule, const std::vector<placement_member>& members,
                                 const std::vector<lease_view>& held, bool quorum, time now,
                                 std::vector<placement_wish>& out) {
  // What is held by whom, and what is free since when.
  std::vector<node_id> holders;
  std::vector<std::uint32_t> mine, free;
  for (std::uint32_t place = 0; place < rule.count; ++place) {
    auto is_it = [&](auto& h) { return h.role == rule.role && h.place == place && h.holder != node_id{}; };
    auto known = std::ranges::find_if(held, is_it);
    if (known != held.end()) {
      holders.push_back(known->holder);
      if (known->holder == settings_.self) mine.push_back(place);
      free_since_.erase({rule.role, place});
    } else {
      free.push_back(place);
      if (quorum) free_since_.try_emplace({rule.role, place}, now);
      else free_since_.erase({rule.role, place});
    }
  }
  learn(rule.role, holders, now);

  auto want = [&](std::uint32_t place, bool wanted) { out.push_back({{rule.role, place}, wanted}); };
  auto refuse_all_but = [&](const std::vector<std::uint32_t>& wanted) {
    for (std::uint32_t place = 0; place < rule.count; ++place) want(place, std::ranges::find(wanted, place) != wanted.end());
  };
  auto all = candidates_of(rule, members);
  auto self = std::ranges::find(all, settings_.self, [](auto& c) { return c.member->id; });
  if (self == all.end()) return refuse_all_but({});
  if (!quorum) return refuse_all_but(mine); // The lease itself decides how long.

  auto share = [&](std::vector<candidate>& of) {
    for (std::size_t i = 0; i < of.size(); ++i) {
      of[i].places = held_by(of[i].member->id, holders);
      of[i].share = static_cast<std::uint32_t>(rule.count / of.size() + (i < rule.count % of.size() ? 1 : 0));
    }
  };
  share(all);

  // Claims: each of those who lack one takes another free place at once; the rest wait for their turn.
  auto rank = static_cast<std::size_t>(self - all.begin());
  if (!free.empty() && self->places < std::max(self->share, 1u)) {
    auto lacks = [](auto& c) { return c.places < c.share; };
    auto place = free[rank % free.size()];
    auto wait = settings_.step * static_cast<std::int64_t>(rank + 1);
    if (lacks(*self)) {
      auto before = static_cast<std::size_t>(std::count_if(all.begin(), self, lacks));
      place = free[before % free.size()];
      wait = settings_.step * static_cast<std::int64_t>(before / free.size());
    }
    if (now - free_since_[{rule.role, place}] >= wait) {
      for (auto c = all.begin(); c != self; ++c) // They had their turn, and did not take it.
        if (lacks(*c) && !lacks(*self)) experiences_[{rule.role, c->member->id}].failed_at = now;
      mine.push_back(place);
      return refuse_all_but(mine);
    }
  }

  // Handing back: to those who lack one, have been up steadily, and find no free place.
  std::vector<candidate> steady;
  for (auto& c : all)
    if (c.member->id == settings_.self || c.places > 0 || is_steady(rule.role, *c.member, now))
      steady.push_back(c);
  share(steady);
  std::size_t lacking = 0, over = 0;
  const candidate* first_lacking = nullptr;
  for (auto& c : steady)
    if (c.places < c.share && c.member->id != settings_.self) {
      ++lacking;
      if (!first_lacking) first_lacking = &c;
    }
  auto me = std::ranges::find(steady, settings_.self, [](auto& c) { return c.member->id; });
  for (auto c = me + 1; c != steady.end(); ++c) over += c->places > c->share ? c->places - c->share : 0; // They go first.
  if (!mine.empty() && me->places > me->share && lacking > free.size() + over) {
    auto& e = experiences_[{rule.role, first_lacking->member->id}];
    e.handed_at = now;
    e.open = true;
    mine.pop_back();
  }
  refuse_all_but(mine);
}

} // namespace lucid
