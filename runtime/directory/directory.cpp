// runtime/directory/directory.cpp - slots: who is in them, who was, and when they go.
#include "runtime/directory/directory.hpp"

#include <iterator>
#include <utility>

namespace lucid {

directory_slot::directory_slot(std::string path, std::shared_ptr<std::atomic<std::uint64_t>> dead_letters_total)
  : path_(std::move(path)), dead_letters_total_(std::move(dead_letters_total)) {}

directory_slot::occupant directory_slot::present() const {
  std::lock_guard lock(mutex_);
  return {actor_, incarnation_, generation_.load(std::memory_order_relaxed), observed_};
}

std::uint64_t directory_slot::begin_incarnation() {
  std::lock_guard lock(mutex_);
  return ++begun_;
}

std::uint64_t directory_slot::incarnation() const {
  std::lock_guard lock(mutex_);
  return incarnation_;
}

void directory_slot::publish(std::uint64_t incarnation, caf::strong_actor_ptr actor,
                             std::shared_ptr<const observed_actor> observed, unix_time_us now_us) {
  caf::strong_actor_ptr before; // Released outside of the lock: it may be the last handle.
  std::lock_guard lock(mutex_);
  if (incarnation <= incarnation_) return;
  incarnation_ = incarnation;
  forgotten_ = false;
  before = std::exchange(actor_, std::move(actor));
  if (actor_) actor_ids_.push_back(actor_->id());
  if (actor_ids_.size() > inspection_restarts_max) actor_ids_.pop_front();
  observed_ = std::move(observed);
  started_us_ = now_us;
  generation_.fetch_add(1, std::memory_order_release);
}

void directory_slot::withdraw(std::uint64_t incarnation) {
  caf::strong_actor_ptr before;
  std::lock_guard lock(mutex_);
  if (incarnation != incarnation_ || !actor_) return;
  before = std::move(actor_);
  actor_ = nullptr;
  generation_.fetch_add(1, std::memory_order_release);
}

void directory_slot::place_remote(caf::strong_actor_ptr actor) {
  caf::strong_actor_ptr before;
  std::lock_guard lock(mutex_);
  remote_ = true;
  if (actor == actor_) return;
  ++incarnation_;
  before = std::exchange(actor_, std::move(actor));
  generation_.fetch_add(1, std::memory_order_release);
}

void directory_slot::note_restart(restart_record record) {
  std::lock_guard lock(mutex_);
  ++restart_count_;
  restarts_.push_back(std::move(record));
  if (restarts_.size() > inspection_restarts_max) restarts_.pop_front();
}

std::uint64_t directory_slot::restart_count() const {
  std::lock_guard lock(mutex_);
  return restart_count_;
}

void directory_slot::describe(spec_summary spec) {
  std::lock_guard lock(mutex_);
  described_ = true;
  forgotten_ = false;
  spec_ = std::move(spec);
}

void directory_slot::show(actor_state state) {
  std::lock_guard lock(mutex_);
  state_ = state;
}

spec_summary directory_slot::spec() const {
  std::lock_guard lock(mutex_);
  return spec_;
}

void directory_slot::set_forgotten() {
  std::lock_guard lock(mutex_);
  forgotten_ = true;
}

bool directory_slot::listed() const {
  std::lock_guard lock(mutex_);
  return !remote_ && (actor_ || ((incarnation_ != 0 || described_) && !forgotten_));
}

void directory_slot::add_actor_ids(std::unordered_map<std::uint64_t, std::string>& into) const {
  std::lock_guard lock(mutex_);
  for (auto id : actor_ids_) into.emplace(id, path_);
}

void directory_slot::count_dead_letter() noexcept {
  dead_letters_.fetch_add(1, std::memory_order_relaxed);
  dead_letters_total_->fetch_add(1, std::memory_order_relaxed);
}

inspection directory_slot::inspect_from_outside(std::chrono::nanoseconds now) const {
  inspection seen;
  std::shared_ptr<const observed_actor> observed;
  {
    std::lock_guard lock(mutex_);
    seen.incarnation = incarnation_;
    seen.present = actor_ != nullptr;
    seen.state_now = state_;
    seen.spec = spec_;
    seen.started_us = started_us_;
    seen.restart_count = restart_count_;
    seen.restarts.assign(restarts_.begin(), restarts_.end());
    observed = observed_;
  }
  seen.path = path_;
  seen.dead_letter_count = dead_letters_.load(std::memory_order_relaxed);
  if (observed) observed->stats.read(seen, now);
  // The supervisor's word may be a moment old, or its last one.
  if (seen.state_now == actor_state::running && !seen.present) seen.state_now = actor_state::stopped;
  if (seen.state_now == actor_state::running && observed && observed->gate.closed()) seen.state_now = actor_state::suspended;
  return seen;
}

directory::directory() : dead_letters_(std::make_shared<std::atomic<std::uint64_t>>(0)) {}

slot_ptr directory::slot(std::string_view path) {
  std::lock_guard lock(mutex_);
  if (auto known = slots_.find(path); known != slots_.end()) return known->second;
  if (slots_.size() >= sweep_at_) sweep();
  auto made = std::make_shared<directory_slot>(std::string(path), dead_letters_);
  slots_.emplace(path, made);
  return made;
}

void directory::forget(std::string_view path) {
  std::lock_guard lock(mutex_);
  const auto below = std::string(path) + "/";
  for (auto at = slots_.lower_bound(path); at != slots_.end() && at->first.starts_with(path);) {
    bool concerned = at->first == path || at->first.starts_with(below);
    if (concerned) at->second->set_forgotten();
    at = concerned && at->second.use_count() == 1 ? slots_.erase(at) : std::next(at);
  }
}

std::vector<slot_ptr> directory::slots() const {
  std::lock_guard lock(mutex_);
  std::vector<slot_ptr> all;
  for (const auto& [path, slot] : slots_)
    if (slot->listed()) all.push_back(slot);
  return all;
}

std::unordered_map<std::uint64_t, std::string> directory::paths_by_actor() const {
  std::lock_guard lock(mutex_);
  std::unordered_map<std::uint64_t, std::string> paths;
  paths.reserve(2 * slots_.size());
  for (const auto& [path, slot] : slots_) slot->add_actor_ids(paths);
  return paths;
}

// With the lock held. Doubling makes it cheap over time. Nobody else can take a share of a slot meanwhile.
void directory::sweep() {
  std::erase_if(slots_, [](const auto& entry) { return entry.second.use_count() == 1 && !entry.second->listed(); });
  sweep_at_ = 2 * slots_.size() + 128;
}

} // namespace lucid
