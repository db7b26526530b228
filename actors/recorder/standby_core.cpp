// actors/recorder/standby_core.cpp - plans told, plans kept, plans begun.
#include "actors/recorder/standby_core.hpp"

#include <algorithm>

#include "adapters/sodium/secret.hpp"

namespace lucid {
namespace {

std::string named(const standby_key& key, const std::string& recorder) {
  return short_id(key.session).append(" of ").append(recorder);
}

} // namespace

// --- the cluster ----------------------------------------------------------------------------------------------------

void standby_core::set_members(const std::vector<standby_member>& members, bool has_lease, time now) {
  has_lease_ = has_lease;
  std::map<node_id, member_state> anew;
  for (auto& member : members) {
    if (member.id == settings_.self) continue;
    auto known = members_.find(member.id);
    bool same = known != members_.end() && known->second.seen.up == member.up;
    anew[member.id] = {member, same ? known->second.since : now};
  }
  members_ = std::move(anew);
  auto gone = [this](const node_id& id) { return !members_.contains(id); };
  std::erase_if(watches_, [&](auto& one) { return gone(one.first.recorder); });
  for (auto& [key, said] : words_) std::erase_if(said.at, [&](auto& one) { return gone(one.first); });
  forget_heard_drops();
}

// --- as a recorder --------------------------------------------------------------------------------------------------

bool standby_core::set_session(const standby_plan& plan) {
  standby_key key{settings_.self, plan.session};
  auto known = words_.find(key);
  bool is_new = known == words_.end() || !known->second.plan;
  if (is_new && sessions().size() >= standby_plans_max) return false;
  auto from = is_new || plan.goes_on_from != session_id{} ? plan.goes_on_from : (*known->second.plan)->goes_on_from;
  words_[key] = word{kept_plan(plan, from), std::nullopt, 0, {}};
  return true;
}

void standby_core::end_session(const session_id& session) {
  standby_key key{settings_.self, session};
  auto known = words_.find(key);
  if (known != words_.end() && known->second.plan) make_drop(key, std::nullopt);
}

std::vector<session_id> standby_core::sessions() const {
  std::vector<session_id> ids;
  for (auto& [key, said] : words_)
    if (said.plan) ids.push_back(key.session);
  return ids;
}

const standby_plan* standby_core::plan_to_tell(const standby_key& what) const {
  auto known = words_.find(what);
  return known == words_.end() || !known->second.plan ? nullptr : &**known->second.plan;
}

/// To those who may know of it; of what another recorder had, to all but that.
void standby_core::make_drop(const standby_key& what, std::optional<session_id> after) {
  word drop;
  drop.after = after;
  drop.age = ++last_number_;
  auto known = words_.find(what);
  for (auto& [id, member] : members_) {
    bool may_know = member.seen.may_record && id != what.recorder;
    if (what.recorder == settings_.self) may_know = known != words_.end() && known->second.at[id].asked;
    if (may_know) drop.at.emplace(id, hearing{});
  }
  words_[what] = std::move(drop);
  forget_heard_drops();
}

void standby_core::forget_heard_drops() {
  std::erase_if(words_, [](auto& one) {
    auto& said = one.second;
    return !said.plan && std::all_of(said.at.begin(), said.at.end(), [](auto& h) { return h.second.known; });
  });
  auto is_drop = [](auto& one) { return !one.second.plan; };
  // Whoever does not hear of it hears nothing of the plan either, and forgets it.
  while (std::count_if(words_.begin(), words_.end(), is_drop) > static_cast<std::ptrdiff_t>(standby_drops_max)) {
    auto oldest = words_.end();
    for (auto at = words_.begin(); at != words_.end(); ++at)
      if (is_drop(*at) && (oldest == words_.end() || at->second.age < oldest->second.age)) oldest = at;
    words_.erase(oldest);
  }
}

bool standby_core::wants_to_hear(const standby_key& what, const word& said, const member_state& member, time now) {
  auto& to = member.seen;
  if (!to.up || !to.may_record || to.road == 0 || to.id == what.recorder) return false;
  auto known = said.at.find(to.id);
  if (known == said.at.end()) return said.plan.has_value();
  if (said.after) {
    auto first = words_.find({settings_.self, *said.after});
    if (first != words_.end() && first->second.plan) {
      auto heard = first->second.at.find(to.id);
      if (heard == first->second.at.end() || !heard->second.known) return false;
    }
  }
  auto& h = known->second;
  bool same_road = h.road == to.road;
  if (h.ask != 0 && same_road) return false;
  if (h.known && same_road && (!said.plan || now - h.told_at < retell_after)) return false;
  return h.not_before <= now || !same_road;
}

void standby_core::tell_all(std::vector<standby_command>& out, time now) {
  for (auto& [id, member] : members_) {
    std::size_t under_way = 0;
    for (auto& [key, said] : words_)
      if (auto h = said.at.find(id); h != said.at.end() && h->second.ask != 0 && h->second.road == member.seen.road) ++under_way;
    for (auto& [key, said] : words_) {
      if (under_way >= standby_asks_max) break;
      if (!wants_to_hear(key, said, member, now)) continue;
      auto& h = said.at[id];
      if (h.road != member.seen.road) h = {};
      h.ask = ++last_number_;
      h.road = member.seen.road;
      h.asked = true;
      out.push_back(standby_action::tell{h.ask, id, key, !said.plan});
      ++under_way;
    }
  }
}

standby_core::hearing* standby_core::under_way(const standby_action::tell& action) {
  auto said = words_.find(action.what);
  if (said == words_.end()) return nullptr;
  auto h = said->second.at.find(action.to);
  return h == said->second.at.end() || h->second.ask != action.number ? nullptr : &h->second;
}

void standby_core::told(const standby_action::tell& action, time now) {
  auto* h = under_way(action);
  if (!h) return;
  h->ask = 0;
  h->known = true;
  h->told_at = now;
  h->pause = retry_min;
  if (action.drop) forget_heard_drops();
}

void standby_core::not_told(const standby_action::tell& action, time now) {
  auto* h = under_way(action);
  if (!h) return;
  h->ask = 0;
  h->known = false;
  back_off(h->not_before, h->pause, now);
}

void standby_core::back_off(time& not_before, time& pause, time now) {
  not_before = now + pause;
  pause = std::min(pause * 2, retry_max);
}

// --- as a stand-in --------------------------------------------------------------------------------------------------

standby_status standby_core::status_of(const node_id& recorder) const {
  auto of_it = [&](auto& one) { return one.first.recorder == recorder; };
  return {static_cast<std::uint32_t>(std::count_if(watches_.begin(), watches_.end(), of_it))};
}

outcome<standby_status> standby_core::put(const standby_plan& plan, time now, unix_time_us wall) {
  if (auto sound = check_plan(plan); !sound) return tl::unexpected(sound.error());
  standby_key key{plan.recorder, plan.session};
  auto recorder = members_.find(key.recorder);
  if (recorder == members_.end() || !recorder->second.seen.may_record)
    return fail(errc::permission_denied, "standby", "the recorder of the plan is no other member that may record");
  words_.erase(key); // It records on after all: nobody is told any more that the plan is done.
  if (plan.goes_on_from != session_id{}) replace({plan.recorder, plan.goes_on_from}, now);
  auto known = watches_.find(key);
  if (known == watches_.end()) {
    if (!remaining_seconds(plan, wall)) return status_of(key.recorder);
    if (status_of(key.recorder).plan_count >= standby_plans_max || watches_.size() >= standby_plans_all_max)
      return fail(errc::limit_exceeded, "standby", "at most 64 plans of a recorder are kept, 1024 of all");
    known = watches_.emplace(key, watch{}).first;
  }
  auto& one = known->second;
  one.plan = kept_plan(plan);
  one.heard_at = now;
  if (one.now == phase::starting) one.put_again = true;
  if (one.now == phase::done) one.now = phase::waiting;
  if (one.now == phase::going_on) stop_own(one, now);
  return status_of(key.recorder);
}

void standby_core::stop_own(watch& one, time now) {
  one.now = phase::stopping;
  one.not_before = now;
  one.pause = retry_min;
}

/// Two recordings of one desktop: the recorder's own stays.
void standby_core::replace(const standby_key& key, time now) {
  auto known = watches_.find(key);
  if (known == watches_.end()) return;
  auto& one = known->second;
  if (one.now == phase::waiting || one.now == phase::done) {
    watches_.erase(known);
    return;
  }
  one.replaced = true;
  if (one.now == phase::starting) one.put_again = true;
  if (one.now == phase::going_on) stop_own(one, now);
}

outcome<const standby_plan*> standby_core::give_back(const standby_key& what, time now) {
  auto known = watches_.find(what);
  if (known == watches_.end()) return fail(errc::not_found, "standby", "no plan of this session is known here");
  auto& one = known->second;
  if (one.now != phase::waiting)
    return fail(errc::wrong_state, "standby", "this session is gone on with by another node");
  one.heard_at = now;
  return &*one.plan;
}

standby_status standby_core::drop(const standby_key& what) {
  watches_.erase(what); // What was begun in its place goes on.
  return status_of(what.recorder);
}

std::vector<standby_command> standby_core::next(time now, unix_time_us wall) {
  std::vector<standby_command> out;
  for (auto at = watches_.begin(); at != watches_.end();)
    at = watch_over(at->first, at->second, out, now, wall) ? std::next(at) : watches_.erase(at);
  tell_all(out, now);
  return out;
}

/// False: the plan is over.
bool standby_core::watch_over(const standby_key& key, watch& one, std::vector<standby_command>& out, time now,
                              unix_time_us wall) {
  auto& recorder = members_.at(key.recorder);
  bool own_runs = words_.contains({settings_.self, one.own}) && words_.at({settings_.self, one.own}).plan;
  bool silent = recorder.seen.up && now - std::max(one.heard_at, recorder.since) >= silence_max;
  switch (one.now) {
    case phase::waiting: return !silent && begin(key, one, out, now, wall);
    case phase::starting: return true;
    case phase::going_on:
      if (!own_runs) one.now = phase::done;
      return !silent;
    case phase::stopping:
      if (!own_runs) ended_own(one);
      else end_own(key, one, out, now);
      return true;
    case phase::done: break;
  }
  return !silent && remaining_seconds(*one.plan, wall);
}

bool standby_core::begin(const standby_key& key, watch& one, std::vector<standby_command>& out, time now, unix_time_us wall) {
  auto left = remaining_seconds(*one.plan, wall);
  if (!left) return false;
  auto& recorder = members_.at(key.recorder);
  bool lost = !recorder.seen.up && now - std::max(one.heard_at, recorder.since) >= settings_.lost_after;
  if (!has_lease_ || !lost || one.not_before > now) return true;
  one.now = phase::starting;
  one.put_again = false;
  one.attempt = ++last_number_;
  out.push_back(standby_action::start{one.attempt, key, recorder.seen.name, continued_wish(*one.plan, recorder.seen.name, *left)});
  return true;
}

void standby_core::end_own(const standby_key& key, watch& one, std::vector<standby_command>& out, time now) {
  if (one.attempt != 0 || one.not_before > now) return;
  one.attempt = ++last_number_;
  auto& name = members_.at(key.recorder).seen.name;
  out.push_back(standby_action::stop{one.attempt, key, one.own, std::string(name).append(" records again")});
}

template <class Action>
standby_core::watch* standby_core::under_way(const Action& action) {
  auto known = watches_.find(action.instead_of);
  return known == watches_.end() || known->second.attempt != action.number ? nullptr : &known->second;
}

const std::string* standby_core::password_of(const standby_action::start& action) const {
  auto known = watches_.find(action.instead_of);
  if (known == watches_.end() || known->second.attempt != action.number) return nullptr;
  return &known->second.plan->wish.what.password;
}

void standby_core::started(const standby_action::start& action, const session_summary& own) {
  auto* one = under_way(action);
  standby_plan plan{settings_.self, own.id, action.wish, own.created_us};
  if (one) plan.wish.what.password = one->plan->wish.what.password;
  set_session(plan);
  wipe(plan.wish.what.password);
  if (!one) return; // Dropped meanwhile: what was begun goes on.
  one->attempt = 0;
  one->own = own.id;
  if (std::exchange(one->put_again, false)) {
    one->now = phase::stopping;
    return;
  }
  one->now = phase::going_on;
  one->plan.wipe_password();
  make_drop(action.instead_of, own.id);
}

void standby_core::not_started(const standby_action::start& action, bool for_good, time now) {
  auto* one = under_way(action);
  if (!one) return;
  one->attempt = 0;
  one->put_again = false;
  one->now = for_good || one->replaced ? phase::done : phase::waiting;
  if (for_good) one->plan.wipe_password();
  back_off(one->not_before, one->pause, now);
}

void standby_core::stopped(const standby_action::stop& action) {
  auto* one = under_way(action);
  if (!one) return;
  one->attempt = 0;
  one->pause = retry_min;
  ended_own(*one);
}

/// Its recorder has it again; if it is lost once more, so is what it has.
void standby_core::ended_own(watch& one) { one.now = one.replaced ? phase::done : phase::waiting; }

void standby_core::not_stopped(const standby_action::stop& action, time now) {
  auto* one = under_way(action);
  if (!one) return;
  one->attempt = 0;
  back_off(one->not_before, one->pause, now);
}

// --- for people -----------------------------------------------------------------------------------------------------

standby_counts standby_core::counts() const {
  standby_counts found;
  found.plans = watches_.size();
  for (auto& [key, one] : watches_) found.standing_in += one.now == phase::going_on ? 1 : 0;
  for (auto& [key, said] : words_) {
    if (!said.plan) continue;
    ++found.sessions;
    for (auto& [id, member] : members_) {
      if (!member.seen.may_record) continue;
      auto h = said.at.find(id);
      if (h != said.at.end() && h->second.known && h->second.road == member.seen.road) ++found.told;
      else if (member.seen.up) ++found.to_tell;
    }
  }
  return found;
}

std::vector<std::string> standby_core::standing_in_for() const {
  std::vector<std::string> shown;
  for (auto& [key, one] : watches_)
    if (one.now == phase::going_on)
      shown.push_back(named(key, members_.at(key.recorder).seen.name).append(" as ").append(short_id(one.own)));
  return shown;
}

} // namespace lucid
