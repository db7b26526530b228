// actors/recorder/session_vault.cpp - plans and passwords in memory, wiped when they go.
#include "actors/recorder/session_vault.hpp"

#include <utility>

#include "adapters/sodium/secret.hpp"

namespace lucid {

session_vault::~session_vault() {
  for (auto& [id, kept] : entries_) wipe(kept.password);
}

void session_vault::put(session_plan plan, std::string password) {
  std::lock_guard lock(mutex_);
  auto& kept = entries_[plan.session];
  wipe(kept.password);
  kept = {std::move(plan), std::move(password)};
}

std::optional<session_plan> session_vault::plan(const session_id& session) const {
  std::lock_guard lock(mutex_);
  auto found = entries_.find(session);
  if (found == entries_.end()) return std::nullopt;
  return found->second.plan;
}

std::string session_vault::password(const session_id& session) const {
  std::lock_guard lock(mutex_);
  auto found = entries_.find(session);
  return found == entries_.end() ? std::string() : found->second.password;
}

void session_vault::erase(const session_id& session) {
  std::lock_guard lock(mutex_);
  auto found = entries_.find(session);
  if (found == entries_.end()) return;
  wipe(found->second.password);
  entries_.erase(found);
}

std::size_t session_vault::count() const {
  std::lock_guard lock(mutex_);
  return entries_.size();
}

std::vector<session_id> session_vault::running() const {
  std::lock_guard lock(mutex_);
  std::vector<session_id> ids;
  for (auto& [id, kept] : entries_) ids.push_back(id);
  return ids;
}

void session_vault::put_interrupted(const session_id& session) {
  std::lock_guard lock(mutex_);
  interrupted_.push_back(session);
}

std::vector<session_id> session_vault::take_interrupted() {
  std::lock_guard lock(mutex_);
  return std::exchange(interrupted_, {});
}

void session_vault::set_draining(bool on) {
  std::lock_guard guard(mutex_);
  draining_ = on;
}

bool session_vault::draining() const {
  std::lock_guard guard(mutex_);
  return draining_;
}

} // namespace lucid
