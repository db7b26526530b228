// runtime/supervision/supervisor_core.cpp - restarts, groups of them, back-off, giving up and orderly ends.
#include "runtime/supervision/supervisor_core.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <iterator>
#include <utility>

namespace lucid {

using kind = supervisor_command::kind;

std::string_view to_string(child_state state) noexcept {
  constexpr std::array<std::string_view, 5> names{"idle", "waiting", "starting", "running", "stopping"};
  return names[static_cast<std::size_t>(state)];
}

supervisor_core::supervisor_core(std::string path, supervisor_rules rules, std::vector<child_rules> children,
                                 std::uint64_t seed)
  : path_(std::move(path)), rules_(rules), random_state_(seed) {
  for (auto& c : children) children_.push_back({.rules = std::move(c)});
}

// -- events --------------------------------------------------------------------------------------------------------

supervisor_commands supervisor_core::start(supervisor_time) {
  for (auto& c : children_) c.wanted = true;
  return step();
}

supervisor_commands supervisor_core::child_started(std::string_view id, std::uint64_t incarnation, supervisor_time now) {
  auto at = find(id);
  if (at && children_[*at].incarnation == incarnation && children_[*at].state == child_state::starting) {
    auto& c = children_[*at];
    c.state = child_state::running;
    c.started_at = now;
    c.first_start = false;
  }
  return step();
}

supervisor_commands supervisor_core::start_failed(std::string_view id, std::uint64_t incarnation, const error& why,
                                                  supervisor_time now) {
  auto at = find(id);
  if (at && children_[*at].incarnation == incarnation && children_[*at].state == child_state::starting) {
    if (children_[*at].first_start)
      forget(*at); // Whoever asked for it is told; there is nothing to bring back.
    else
      ended(*at, {false, "start failed: " + to_string(why)}, now);
  }
  return step();
}

supervisor_commands supervisor_core::child_down(std::string_view id, std::uint64_t incarnation, const child_end& end,
                                                supervisor_time now) {
  auto at = find(id);
  if (!at || children_[*at].incarnation != incarnation || !active(children_[*at])) return step(); // An abandoned one.
  bool expected = children_[*at].state == child_state::stopping || (group_from_ && *at >= *group_from_) || ending_;
  if (expected)
    went_down(*at);
  else
    ended(*at, end, now);
  return step();
}

supervisor_commands supervisor_core::timer(std::uint64_t token, supervisor_time) {
  if (token == 0) return step();
  if (token == group_token_) group_token_ = 0;
  for (position at = 0; at < children_.size(); ++at) {
    auto& c = children_[at];
    if (c.token != token) continue;
    c.token = 0;
    if (c.state == child_state::waiting) {
      c.state = child_state::idle;
      c.wanted = true;
    } else if (c.state == child_state::stopping && !c.killed) {
      kill_child(at);
    } else if (c.state == child_state::stopping) {
      emit(kind::abandon, c).reason = "it did not end even when killed: a handler blocks its thread";
      went_down(at);
    }
    break;
  }
  return step();
}

supervisor_commands supervisor_core::stop(supervisor_time) {
  if (!ending_) begin_end(std::nullopt);
  return step();
}

outcome<supervisor_commands> supervisor_core::add_child(child_rules rules, supervisor_time) {
  if (ending_) return fail(errc::wrong_state, path_, "cannot start '" + rules.id + "': this supervisor is stopping");
  if (find(rules.id)) return fail(errc::already_exists, path_, "there is a child '" + rules.id + "' already");
  if (children_.size() >= rules_.children_max)
    return fail(errc::busy, path_,
                "cannot start '" + rules.id + "': all " + std::to_string(rules_.children_max) + " places are taken");
  children_.push_back({.rules = std::move(rules), .wanted = true, .first_start = true});
  return step();
}

outcome<supervisor_commands> supervisor_core::remove_child(std::string_view id, supervisor_time) {
  auto at = find(id);
  if (!at) return fail(errc::not_found, path_, "there is no child '" + std::string(id) + "'");
  auto& c = children_[*at];
  c.leaving = true;
  if (c.state == child_state::running)
    stop_child(*at);
  else if (!active(c))
    forget(*at);
  return step();
}

outcome<supervisor_commands> supervisor_core::restart_child(std::string_view id, supervisor_time) {
  auto at = find(id);
  if (!at) return fail(errc::not_found, path_, "there is no child '" + std::string(id) + "'");
  auto& c = children_[*at];
  if (ending_ || c.leaving)
    return fail(errc::wrong_state, path_, "cannot restart '" + c.rules.id + "': it is being stopped for good");
  if (c.rules.when == restart::temporary)
    return fail(errc::wrong_state, path_, "cannot restart '" + c.rules.id + "': a temporary child is never started again");
  if (c.state == child_state::running) {
    auto& report = emit(kind::report, c);
    report.reason = "restarted by request";
    report.restarts = report.requested = true;
    ++c.restart_count;
    if (rules_.how == strategy::one_for_one) {
      c.again = true;
      stop_child(*at);
    } else {
      open_group(rules_.how == strategy::one_for_all ? 0 : *at, std::chrono::milliseconds(0));
    }
  } else if (!active(c)) { // One that is on its way is left to it.
    c.state = child_state::idle;
    c.token = 0;
    c.wanted = true;
    if (group_from_ && *at >= *group_from_) group_token_ = 0; // What it waits for is its group's back-off.
  }
  return step();
}

std::vector<child_status> supervisor_core::children() const {
  std::vector<child_status> all;
  for (const auto& c : children_) all.push_back({c.rules.id, c.state, c.incarnation, c.restart_count});
  return all;
}

// -- ends of children ----------------------------------------------------------------------------------------------

// A child ended on its own account, or could not be started.
void supervisor_core::ended(position at, const child_end& end, supervisor_time now) {
  auto& c = children_[at];
  bool again = !c.leaving && (c.rules.when == restart::permanent || (c.rules.when == restart::transient && !end.normal));
  auto& report = emit(kind::report, c);
  report.reason = end.reason;
  report.restarts = again;
  if (again) return failed(at, end, now);
  bool significant = c.rules.significant;
  went_down(at);
  if (significant)
    check_auto_shutdown(std::any_of(children_.begin(), children_.end(), [this](const child& other) {
      return other.rules.significant && (active(other) || other.state == child_state::waiting || other.wanted);
    }));
}

void supervisor_core::went_down(position at) {
  auto& c = children_[at];
  c.state = child_state::idle;
  c.token = 0;
  c.started_at.reset();
  if (std::exchange(c.again, false) && !c.leaving)
    c.wanted = true;
  else if (!stays(c))
    forget(at);
}

void supervisor_core::failed(position at, const child_end& end, supervisor_time now) {
  auto& c = children_[at];
  auto delay = next_delay(c, now);
  c.state = child_state::idle;
  c.started_at.reset();
  if (too_many_restarts(now)) {
    return begin_end(error{errc::crashed, path_,
                           "child '" + c.rules.id + "' failed, and with it children failed " +
                             std::to_string(restarts_.size()) + " times within " +
                             std::to_string(rules_.period.count()) + " ms (" + std::to_string(rules_.restarts_max) +
                             " are tolerated); the last reason: " + end.reason,
                           nullptr});
  }
  ++c.restart_count;
  if (rules_.how == strategy::one_for_one) {
    c.state = child_state::waiting;
    c.token = set_timer(delay);
  } else {
    open_group(rules_.how == strategy::one_for_all ? 0 : at, delay);
  }
}

void supervisor_core::open_group(position from, std::chrono::milliseconds delay) {
  group_from_ = group_from_ ? std::min(*group_from_, from) : from;
  group_token_ = set_timer(delay);
  for (position i = *group_from_; i < children_.size(); ++i) children_[i].wanted = false;
}

void supervisor_core::check_auto_shutdown(bool any_left) {
  if (rules_.shutdown == auto_shutdown::any_significant ||
      (rules_.shutdown == auto_shutdown::all_significant && !any_left))
    begin_end(std::nullopt);
}

bool supervisor_core::too_many_restarts(supervisor_time now) {
  restarts_.push_back(now);
  while (now - restarts_.front() > rules_.period) restarts_.pop_front();
  return restarts_.size() > rules_.restarts_max;
}

std::chrono::milliseconds supervisor_core::next_delay(child& c, supervisor_time now) {
  const auto& rule = c.rules.delay;
  if (c.started_at && now - *c.started_at > rule.max) c.failures_in_row = 0;
  auto doublings = std::min(c.failures_in_row++, 20u); // 2^20 times any minimum is beyond any maximum.
  auto whole = std::min(rule.max, rule.min * (1 << doublings));
  if (rule.min == rule.max) return whole;
  auto half = whole.count() / 2;
  return std::chrono::milliseconds(whole.count() - half +
                                   static_cast<std::int64_t>(next_random() % static_cast<std::uint64_t>(half + 1)));
}

// splitmix64: enough to keep restarts from falling into step.
std::uint64_t supervisor_core::next_random() noexcept {
  auto z = (random_state_ += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// -- stops ---------------------------------------------------------------------------------------------------------

void supervisor_core::stop_child(position at) {
  auto& c = children_[at];
  c.state = child_state::stopping;
  c.killed = false;
  if (c.rules.shutdown_timeout.count() == 0) return kill_child(at);
  emit(kind::stop, c);
  c.token = set_timer(c.rules.shutdown_timeout);
}

void supervisor_core::kill_child(position at) {
  auto& c = children_[at];
  c.killed = true;
  emit(kind::kill, c);
  c.token = set_timer(kill_patience);
}

void supervisor_core::forget(position at) {
  emit(kind::forget, children_[at]);
  children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(at));
  if (group_from_ && at < *group_from_) --*group_from_;
}

void supervisor_core::begin_end(std::optional<error> why) {
  ending_ = true;
  why_ = std::move(why);
  group_from_.reset();
  group_token_ = 0;
  for (auto& c : children_) {
    c.wanted = false;
    if (c.state != child_state::waiting) continue;
    c.state = child_state::idle;
    c.token = 0;
  }
}

// -- what is next --------------------------------------------------------------------------------------------------

supervisor_commands supervisor_core::step() {
  if (ending_)
    step_end();
  else if (!step_group())
    step_starts();
  show_changes();
  return std::exchange(out_, {});
}

void supervisor_core::step_end() {
  if (ended_) return;
  bool waiting = false;
  for (position i = children_.size(); i-- > 0;) {
    auto state = children_[i].state;
    if (state == child_state::running) stop_child(i);
    waiting = waiting || active(children_[i]);
    if (waiting && !rules_.dynamic) return; // One after the other, the last started first.
  }
  if (waiting) return;
  ended_ = true;
  out_.push_back({.what = kind::end, .error = why_});
}

// True while the group is not yet ready to be started.
bool supervisor_core::step_group() {
  if (!group_from_) return false;
  for (position i = children_.size(); i-- > *group_from_;) {
    if (children_[i].state == child_state::running) stop_child(i);
    if (active(children_[i])) return true;
  }
  if (group_token_ != 0) return true;
  for (position i = *group_from_; i < children_.size(); ++i) children_[i].wanted = true;
  group_from_.reset();
  return false;
}

// One at a time: the next one only when this one runs.
void supervisor_core::step_starts() {
  for (const auto& c : children_)
    if (c.state == child_state::starting) return;
  auto next = std::find_if(children_.begin(), children_.end(),
                           [](const child& c) { return c.wanted && c.state == child_state::idle; });
  if (next == children_.end()) return;
  next->wanted = false;
  next->state = child_state::starting;
  ++next->incarnation;
  emit(kind::start, *next);
}

// Before anything is done: what a start leads to must not be shown as what led to it.
void supervisor_core::show_changes() {
  auto done = std::exchange(out_, {});
  for (position at = 0; at < children_.size(); ++at) {
    auto& c = children_[at];
    auto state = state_of(at);
    if (state == c.shown) continue;
    c.shown = state;
    emit(kind::show, c).state = state;
  }
  if (out_.empty())
    out_ = std::move(done);
  else
    out_.insert(out_.end(), std::make_move_iterator(done.begin()), std::make_move_iterator(done.end()));
}

// -- small things --------------------------------------------------------------------------------------------------

std::optional<supervisor_core::position> supervisor_core::find(std::string_view id) const {
  for (position i = 0; i < children_.size(); ++i)
    if (children_[i].rules.id == id) return i;
  return std::nullopt;
}

bool supervisor_core::active(const child& c) const noexcept {
  return c.state == child_state::starting || c.state == child_state::running || c.state == child_state::stopping;
}

// Whether a child that is down is still one: OTP keeps the spec of a transient one, a dynamic supervisor does not.
bool supervisor_core::stays(const child& c) const noexcept {
  return !c.leaving && c.rules.when != restart::temporary && !rules_.dynamic;
}

actor_state supervisor_core::state_of(position at) const noexcept {
  const auto& c = children_[at];
  if (ending_) return c.state == child_state::running ? actor_state::running : actor_state::stopped;
  const auto on_its_way = c.incarnation > 0 ? actor_state::restarting : actor_state::starting;
  const bool in_group = group_from_ && at >= *group_from_;
  switch (c.state) {
    case child_state::running: return in_group ? actor_state::restarting : actor_state::running;
    case child_state::waiting: return actor_state::waiting;
    case child_state::starting: return c.incarnation > 1 ? actor_state::restarting : actor_state::starting;
    case child_state::stopping: return c.again || in_group ? actor_state::restarting : actor_state::stopped;
    case child_state::idle: break;
  }
  if (in_group) return group_token_ != 0 ? actor_state::waiting : on_its_way;
  return c.wanted ? on_its_way : actor_state::stopped;
}

supervisor_command& supervisor_core::emit(kind what, const child& c) {
  out_.push_back({.what = what, .id = c.rules.id, .incarnation = c.incarnation});
  return out_.back();
}

std::uint64_t supervisor_core::set_timer(std::chrono::milliseconds delay) {
  out_.push_back({.what = kind::set_timer, .token = ++tokens_, .delay = delay});
  return tokens_;
}

} // namespace lucid
