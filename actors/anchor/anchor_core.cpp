// actors/anchor/anchor_core.cpp - batches, retries, repeats.
#include "actors/anchor/anchor_core.hpp"

#include <algorithm>

namespace lucid {

outcome<void> anchor_core::add(const anchor_entry& entry, time now) {
  auto known = pending_.find(key_of(entry));
  if (known != pending_.end()) {
    if (known->second == entry) return {};
    return fail(errc::already_exists, "anchor",
                "the manifest of " + short_id(entry.session) + " is being anchored with another root or time");
  }
  if (pending_.size() >= limits_.pending_count_max)
    return fail(errc::busy, "anchor",
                std::to_string(pending_.size()) + " manifests wait to be anchored; the ledger takes none");
  pending_.emplace(key_of(entry), entry);
  if (!due_at_ && !under_way_) due_at_ = now + limits_.batch_window;
  return {};
}

std::vector<anchor_entry> anchor_core::take_batch(time now) {
  std::vector<anchor_entry> batch;
  // A full batch need not wait for more, unless it waits because of a failure.
  bool full = pending_.size() >= limits_.batch_count_max && failures_in_row_ == 0;
  if (under_way_ || pending_.empty() || !due_at_ || (now < *due_at_ && !full)) return batch;
  for (auto& [key, entry] : pending_) {
    if (batch.size() == limits_.batch_count_max) break;
    batch.push_back(entry);
  }
  under_way_ = true;
  due_at_.reset();
  return batch;
}

std::optional<anchor_core::time> anchor_core::wake_at() const noexcept { return under_way_ ? std::nullopt : due_at_; }

void anchor_core::done(const entry_key& key) { pending_.erase(key); }

void anchor_core::batch_ended(bool failed, time now) {
  under_way_ = false;
  failures_in_row_ = failed ? failures_in_row_ + 1 : 0;
  if (pending_.empty()) {
    due_at_.reset();
    return;
  }
  if (!failed) {
    due_at_ = now; // They have waited long enough.
    return;
  }
  auto doublings = std::min(failures_in_row_ - 1, 16u);
  auto wait = std::min<time>(limits_.retry_min * (1u << doublings), limits_.retry_max);
  due_at_ = now + wait;
}

void anchor_core::start_over(time now) {
  failures_in_row_ = 0;
  if (!under_way_ && !pending_.empty()) due_at_ = now;
}

void anchor_core::batch_lost(time now) {
  under_way_ = false;
  start_over(now);
}

} // namespace lucid
