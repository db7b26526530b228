// actors/chunk/chunk_core.cpp - cutting tracks into chunks.
#include "actors/chunk/chunk_core.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace lucid {
namespace {

bool belongs_to(fragment_kind kind, track on) noexcept {
  return (kind == fragment_kind::event) == (on == track::events);
}

void widen(session_progress& progress, unix_time_us start, unix_time_us end) noexcept {
  if (progress.started_us == 0 || start < progress.started_us) progress.started_us = start;
  progress.ended_us = std::max(progress.ended_us, end);
}

std::uint64_t size_of(const plain_chunk& chunk) noexcept {
  std::uint64_t sum = 0;
  for (auto& part : chunk.parts) sum += part.size();
  return sum;
}

} // namespace

chunk_core::chunk_core(chunk_options options, const std::vector<chunk_record>& stored) : options_(options) {
  std::map<flight_key, const chunk_record*> by_index;
  for (auto& record : stored) by_index[{record.key.index, static_cast<std::uint8_t>(record.key.on)}] = &record;
  for (auto& [key, record] : by_index) {
    auto& of = lane_of(record->key.on);
    if (record->key.index != of.stored_count) continue; // Behind a missing chunk: it will be cut again.
    of.next_index = ++of.stored_count;
    of.stored_sequence = record->span.last_sequence;
    replayed_below_ = std::max(replayed_below_, of.stored_sequence);
    auto& counted = record->key.on == track::video ? progress_.frame_count : progress_.gap_count;
    counted += record->span.frame_count;
    progress_.captured_bytes += record->plain_size_bytes;
    progress_.stored_bytes += record->sealed_size_bytes;
    ++progress_.chunk_count;
    if (record->key.on == track::video) widen(progress_, record->span.start_us, record->span.end_us);
  }
  last_sequence_ = replay_after();
  progress_.fragment_count = last_sequence_;
}

outcome<std::vector<plain_chunk>> chunk_core::add(const fragment& piece) {
  if (piece.sequence != 0 && piece.sequence <= last_sequence_) return std::vector<plain_chunk>{};
  if (finished_) return fail(errc::wrong_state, "chunk", "the recording is finished");
  if (piece.sequence != last_sequence_ + 1 && piece.sequence > replayed_below_ + 1)
    return fail(errc::wrong_state, "chunk",
                "fragment " + std::to_string(piece.sequence) + " came where " + std::to_string(last_sequence_ + 1) +
                  " was due");
  if (piece.bytes.empty() || piece.bytes.size() > fragment_size_bytes_max || !belongs_to(piece.kind, piece.on))
    return fail(errc::limit_exceeded, "chunk",
                "fragment " + std::to_string(piece.sequence) + " has " + std::to_string(piece.bytes.size()) +
                  " bytes; 1 to " + std::to_string(fragment_size_bytes_max) + " of its track's kind are allowed");

  auto& open = lane_of(piece.on);
  std::vector<plain_chunk> complete;
  if (piece.sequence > open.stored_sequence) {
    if (must_cut_before(open, piece)) {
      if (open.next_index + 1 >= chunk_count_max)
        return fail(errc::limit_exceeded, "chunk",
                    "a recording has at most " + std::to_string(chunk_count_max) + " chunks a track");
      complete.push_back(cut(piece.on, false));
    }
    append(open, piece);
  }
  last_sequence_ = piece.sequence;
  progress_.fragment_count = last_sequence_;
  return complete;
}

std::vector<plain_chunk> chunk_core::finish() {
  std::vector<plain_chunk> complete;
  if (std::exchange(finished_, true)) return complete;
  for (auto on : {track::video, track::events})
    if (!lane_of(on).parts.empty()) complete.push_back(cut(on, true));
  return complete;
}

void chunk_core::stored(const chunk_record& record) {
  auto found = in_flight_.find({record.key.index, static_cast<std::uint8_t>(record.key.on)});
  if (found == in_flight_.end()) return;
  auto size_bytes = size_of(found->second);
  in_flight_bytes_ -= size_bytes;
  passed_bytes_ += size_bytes;
  in_flight_.erase(found);
  progress_.stored_bytes += record.sealed_size_bytes;
  ++progress_.chunk_count;
  settle(lane_of(record.key.on), record.key.index, record.span.last_sequence);
}

std::vector<plain_chunk> chunk_core::in_flight() const {
  std::vector<plain_chunk> chunks;
  chunks.reserve(in_flight_.size());
  for (auto& [key, chunk] : in_flight_) chunks.push_back(chunk);
  return chunks;
}

bool chunk_core::has_room() const noexcept {
  return in_flight_.size() < options_.in_flight_max;
}

std::uint64_t chunk_core::replay_after() const noexcept {
  return std::min(lanes_[0].stored_sequence, lanes_[1].stored_sequence);
}

std::uint64_t chunk_core::droppable(track on) const noexcept {
  return lanes_[static_cast<std::size_t>(on)].stored_sequence;
}

chunk_totals chunk_core::totals() const noexcept {
  return {lanes_[0].next_index + lanes_[1].next_index, last_sequence_};
}

// A chunk that is large enough ends where the next one can be played alone. One that would burst is cut anywhere:
// nothing that entered the pipeline is dropped.
bool chunk_core::must_cut_before(const lane& open, const fragment& piece) const noexcept {
  if (open.parts.empty()) return false;
  bool may_start = piece.kind == fragment_kind::init || piece.kind == fragment_kind::event;
  bool large_enough = open.size_bytes >= options_.size_bytes;
  bool bursts = open.size_bytes + piece.bytes.size() > chunk_size_bytes_max;
  return (may_start && large_enough) || bursts;
}

plain_chunk chunk_core::cut(track on, bool last) {
  auto& open = lane_of(on);
  plain_chunk chunk;
  chunk.key = {options_.session, on, open.next_index++};
  chunk.span = std::exchange(open.span, {});
  chunk.last_of_track = last;
  chunk.parts = std::exchange(open.parts, {});
  open.size_bytes = 0;
  in_flight_bytes_ += size_of(chunk);
  in_flight_.emplace(flight_key{chunk.key.index, static_cast<std::uint8_t>(on)}, chunk);
  return chunk;
}

void chunk_core::append(lane& open, const fragment& piece) {
  if (piece.kind == fragment_kind::init) open.init = piece.bytes;
  if (open.parts.empty()) {
    open.span = {piece.sequence, piece.sequence, 0, piece.start_us, piece.end_us};
    bool needs_init = piece.kind == fragment_kind::media && !open.init.empty();
    if (needs_init) {
      open.parts.push_back(open.init);
      open.size_bytes += open.init.size();
    }
  }
  open.parts.push_back(piece.bytes);
  open.size_bytes += piece.bytes.size();
  open.span.last_sequence = piece.sequence;
  open.span.frame_count += piece.frame_count;
  open.span.start_us = std::min(open.span.start_us, piece.start_us);
  open.span.end_us = std::max(open.span.end_us, piece.end_us);

  (piece.on == track::video ? progress_.frame_count : progress_.gap_count) += piece.frame_count;
  progress_.captured_bytes += piece.bytes.size();
  if (piece.on == track::video) widen(progress_, piece.start_us, piece.end_us);
}

void chunk_core::settle(lane& of, std::uint32_t index, std::uint64_t last_sequence) {
  of.stored_ahead[index] = last_sequence;
  for (auto next = of.stored_ahead.begin(); next != of.stored_ahead.end() && next->first == of.stored_count;
       next = of.stored_ahead.erase(next)) {
    of.stored_sequence = next->second;
    ++of.stored_count;
  }
}

} // namespace lucid
