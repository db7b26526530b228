// actors/journal/journal_core.cpp - positions, sync times and drop plans.
#include "actors/journal/journal_core.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace lucid {

void advance(capture_position& position, const fragment& f) noexcept {
  position.last_sequence = f.sequence;
  if (f.kind == fragment_kind::media) position.source.frame_count += f.frame_count;
  position.source.recorded_until_us = std::max(position.source.recorded_until_us, f.end_us);
}

journal_core::journal_core(journal_limits limits, std::vector<journal_segment> found)
  : limits_(limits), segments_(std::move(found)) {
  if (!segments_.empty()) written_ = durable_ = segments_.back().end;
}

outcome<journal_core::admission> journal_core::admit(std::uint64_t sequence) const {
  if (sequence == written_.last_sequence + 1) return admission::write;
  if (sequence == 0 || sequence > written_.last_sequence)
    return fail(errc::wrong_state, "journal",
                "fragment " + std::to_string(sequence) + " came where " + std::to_string(written_.last_sequence + 1) +
                  " was due");
  return sequence <= durable_.last_sequence ? admission::done : admission::wait;
}

bool journal_core::needs_segment() const noexcept {
  return !open_ || segments_.back().size_bytes >= limits_.segment_size_bytes;
}

journal_segment journal_core::next_segment() const noexcept {
  journal_segment next;
  next.number = segments_.empty() ? 0 : segments_.back().number + 1;
  next.base = next.end = written_;
  return next;
}

void journal_core::opened(std::uint64_t size_bytes) {
  auto next = next_segment();
  next.size_bytes = size_bytes;
  segments_.push_back(next);
  open_ = true;
}

void journal_core::wrote(const fragment& f, std::uint64_t size_bytes, std::chrono::nanoseconds now) {
  assert(open_ && f.sequence == written_.last_sequence + 1);
  advance(written_, f);
  auto& segment = segments_.back();
  segment.end = written_;
  segment.size_bytes += size_bytes;
  (f.on == track::video ? segment.last_video : segment.last_event) = f.sequence;
  if (unsynced_bytes_ == 0) unsynced_since_ = now;
  unsynced_bytes_ += size_bytes;
}

std::optional<std::chrono::nanoseconds> journal_core::sync_at() const noexcept {
  if (unsynced_bytes_ == 0) return std::nullopt;
  return unsynced_since_ + limits_.sync_interval;
}

bool journal_core::sync_due(std::chrono::nanoseconds now) const noexcept {
  return unsynced_bytes_ >= limits_.unsynced_bytes_max || (unsynced_bytes_ > 0 && now >= *sync_at());
}

void journal_core::synced() noexcept {
  durable_ = written_;
  synced_bytes_ += std::exchange(unsynced_bytes_, 0);
}

journal_drop_plan journal_core::plan_drop(const journal_drop_request& stored) const {
  journal_drop_plan plan;
  std::vector<const journal_segment*> group; // To become one carried segment. Carried ones stand before fresh ones.
  for (std::size_t i = 0; i + 1 < segments_.size(); ++i) {
    auto& segment = segments_[i];
    if (segment.last_video > stored.video_up_to) break; // Video is stored in order: nothing behind it is done either.
    if (segment.last_event <= stored.events_up_to)
      plan.remove.push_back(segment.number);
    else if (segment.carried && segment.size_bytes >= limits_.carry_size_bytes_min)
      group.clear();
    else
      group.push_back(&segment);
  }
  if (group.empty() || group.back()->carried) return plan;
  auto carry = *group.back();
  carry.base = group.front()->base;
  carry.last_video = 0;
  carry.carried = true;
  plan.write = carry;
  group.pop_back();
  for (auto* replaced : group) plan.remove.push_back(replaced->number);
  return plan;
}

void journal_core::dropped(const journal_drop_plan& plan, std::uint64_t carry_size_bytes) {
  if (plan.write)
    for (auto& segment : segments_)
      if (segment.number == plan.write->number) {
        segment = *plan.write;
        segment.size_bytes = carry_size_bytes;
      }
  std::erase_if(segments_, [&](const journal_segment& s) {
    return std::find(plan.remove.begin(), plan.remove.end(), s.number) != plan.remove.end();
  });
}

std::uint64_t journal_core::size_bytes() const noexcept {
  std::uint64_t sum = 0;
  for (auto& segment : segments_) sum += segment.size_bytes;
  return sum;
}

} // namespace lucid
