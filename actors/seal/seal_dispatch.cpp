// actors/seal/seal_dispatch.cpp - one current attempt for each chunk.
#include "actors/seal/seal_dispatch.hpp"

#include <algorithm>

namespace lucid {

void seal_dispatch::add(std::uint64_t chunk, time now) { waiting_.try_emplace(chunk, entry{0, now, retry_min}); }

void seal_dispatch::set_holder(std::optional<seal_holder> holder, time now) {
  if (holder == holder_) return;
  bool same_way = holder && last_ && holder->node == last_->node && holder->road == last_->road;
  holder_ = holder;
  if (!holder) return; // What is under way may still arrive.
  last_ = holder;
  if (same_way) return; // The same node under another number: it goes on with what it has.
  for (auto& [chunk, one] : waiting_) one = {0, now, retry_min};
}

std::uint64_t seal_dispatch::fence_of(const seal_attempt& attempt) const {
  return last_ && last_->node == attempt.where.node ? last_->fence : attempt.where.fence;
}

std::vector<seal_attempt> seal_dispatch::due(time now) {
  std::vector<seal_attempt> begun;
  if (!holder_) return begun;
  for (auto& [chunk, one] : waiting_) {
    if (one.attempt != 0 || one.not_before > now) continue;
    one.attempt = ++last_attempt_;
    begun.push_back({one.attempt, chunk, *holder_});
  }
  return begun;
}

bool seal_dispatch::current(const seal_attempt& attempt) const {
  auto known = waiting_.find(attempt.chunk);
  return known != waiting_.end() && known->second.attempt == attempt.number;
}

bool seal_dispatch::done(const seal_attempt& attempt) {
  if (!current(attempt)) return false;
  waiting_.erase(attempt.chunk);
  return true;
}

bool seal_dispatch::failed(const seal_attempt& attempt, time now) {
  if (!current(attempt)) return false;
  auto& one = waiting_[attempt.chunk];
  one.attempt = 0;
  one.not_before = now + one.pause;
  one.pause = std::min(one.pause * 2, retry_max);
  return true;
}

std::optional<seal_dispatch::time> seal_dispatch::wake_at() const {
  std::optional<time> first;
  if (!holder_) return first;
  for (auto& [chunk, one] : waiting_)
    if (one.attempt == 0 && (!first || one.not_before < *first)) first = one.not_before;
  return first;
}

} // namespace lucid
