// actors/recorder/interrupted_core.cpp - a plan asked back, and begun again.
#include "actors/recorder/interrupted_core.hpp"

#include <algorithm>
#include <utility>

#include "adapters/sodium/secret.hpp"

namespace lucid {

void interrupted_core::add(const session_id& session, time now) {
  if (left_.size() >= interrupted_sessions_max) return;
  left_.try_emplace(session).first->second.until = now + patience;
}

std::vector<interrupted_command> interrupted_core::next(time now, unix_time_us wall) {
  std::vector<interrupted_command> out;
  for (auto at = left_.begin(); at != left_.end();) {
    auto& [session, one] = *at;
    auto left = one.plan ? remaining_seconds(**one.plan, wall) : std::optional<std::uint32_t>(0);
    if (one.number == 0 && (now >= one.until || !left)) {
      at = left_.erase(at);
      continue;
    }
    if (auto command = next_of(session, one, now, wall)) out.push_back(std::move(*command));
    ++at;
  }
  return out;
}

std::optional<interrupted_command> interrupted_core::next_of(const session_id& session, left_behind& one, time now,
                                                             unix_time_us wall) {
  if (one.number != 0 && !one.plan && !is_keeper(one.asked)) one.number = 0; // It is gone, and answers no more.
  if (one.number != 0 || one.not_before > now) return std::nullopt;
  if (one.plan) {
    auto length = remaining_seconds(**one.plan, wall);
    one.number = ++last_number_;
    return interrupted_action::start{one.number, session, continued_wish(**one.plan, self_name_, *length)};
  }
  auto of_use = [&](auto& k) {
    auto useless = one.useless.find(k.id);
    return k.road != 0 && (useless == one.useless.end() || useless->second != k.road);
  };
  // Another one than that which failed last, if there is one.
  auto keeper = std::find_if(keepers_.begin(), keepers_.end(), [&](auto& k) { return of_use(k) && k.id != one.asked.id; });
  if (keeper == keepers_.end()) keeper = std::find_if(keepers_.begin(), keepers_.end(), of_use);
  if (keeper == keepers_.end()) return std::nullopt;
  one.number = ++last_number_;
  one.asked = *keeper;
  return interrupted_action::ask{one.number, keeper->id, session};
}

bool interrupted_core::is_keeper(const plan_keeper& keeper) const {
  return std::any_of(keepers_.begin(), keepers_.end(), [&](auto& k) { return k.id == keeper.id && k.road == keeper.road; });
}

interrupted_core::left_behind* interrupted_core::under_way(const session_id& session, std::uint64_t number) {
  auto found = left_.find(session);
  return found == left_.end() || found->second.number != number ? nullptr : &found->second;
}

void interrupted_core::given(const interrupted_action::ask& action, const standby_plan& plan) {
  auto* one = under_way(action.session, action.number);
  if (!one) return;
  one->number = 0;
  one->plan = kept_plan(plan);
}

void interrupted_core::not_given(const interrupted_action::ask& action, errc why, time now) {
  auto* one = under_way(action.session, action.number);
  if (!one) return;
  one->number = 0;
  if (why == errc::wrong_state) left_.erase(action.session);
  else if (why == errc::not_found) one->useless[one->asked.id] = one->asked.road;
  else one->not_before = now + retry_after;
}

const std::string* interrupted_core::password_of(const interrupted_action::start& action) const {
  auto found = left_.find(action.session);
  if (found == left_.end() || found->second.number != action.number || !found->second.plan) return nullptr;
  return &(*found->second.plan)->wish.what.password;
}

std::optional<kept_plan> interrupted_core::started(const interrupted_action::start& action, const session_summary& own) {
  auto* one = under_way(action.session, action.number);
  if (!one) return std::nullopt;
  standby_plan plan{(*one->plan)->recorder, own.id, action.wish, own.created_us, action.session};
  plan.wish.what.password = (*one->plan)->wish.what.password;
  kept_plan kept(plan);
  wipe(plan.wish.what.password);
  left_.erase(action.session);
  return kept;
}

void interrupted_core::not_started(const interrupted_action::start& action, bool for_good, time now) {
  auto* one = under_way(action.session, action.number);
  if (!one) return;
  one->number = 0;
  one->not_before = now + retry_after;
  if (for_good) left_.erase(action.session);
}

} // namespace lucid
