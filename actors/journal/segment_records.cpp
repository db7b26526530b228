// actors/journal/segment_records.cpp - base records, carried records, and the way back.
#include "actors/journal/segment_records.hpp"

#include <algorithm>

#include "actors/format/little_endian.hpp"

namespace lucid {
namespace {

constexpr std::size_t base_size_bytes = 1 + 6 * 8;
constexpr std::size_t sequence_size_bytes = 8;

bool is_base(const fragment& f) noexcept { return f.on == track::video && f.kind == fragment_kind::event; }

tl::unexpected<error> damaged(const std::string& what) { return fail(errc::corrupted, "journal", what); }

outcome<journal_segment> base_from(const fragment& record) {
  if (record.bytes.size() != base_size_bytes) return damaged("the base record has another length than 49 bytes");
  field_reader in(record.bytes.view());
  journal_segment s;
  auto form = in.get<std::uint8_t>();
  s.carried = form == 1;
  for (auto* position : {&s.base, &s.end}) {
    position->last_sequence = in.get<std::uint64_t>();
    position->source.frame_count = in.get<std::uint64_t>();
    position->source.recorded_until_us = in.get<std::int64_t>();
  }
  if (form > 1 || s.end.last_sequence < s.base.last_sequence || (!s.carried && record.sequence != s.base.last_sequence))
    return damaged("the base record contradicts itself");
  return s;
}

} // namespace

fragment base_record_of(const journal_segment& segment) {
  byte_buffer bytes(base_size_bytes);
  field_writer out(bytes);
  out.put(static_cast<std::uint8_t>(segment.carried ? 1 : 0));
  for (auto* position : {&segment.base, &segment.end})
    out.put(position->last_sequence).put(position->source.frame_count).put(position->source.recorded_until_us);
  fragment record;
  record.sequence = segment.carried ? 1 : segment.base.last_sequence;
  record.on = track::video;
  record.kind = fragment_kind::event;
  record.bytes = payload(std::move(bytes));
  return record;
}

bool can_be_carried(const fragment& f) noexcept {
  return f.bytes.size() + sequence_size_bytes <= fragment_size_bytes_max;
}

fragment carried_record_of(const fragment& f, std::uint64_t place) {
  byte_buffer bytes(sequence_size_bytes + f.bytes.size());
  field_writer(bytes).put(f.sequence).put(f.bytes.view());
  auto record = f;
  record.sequence = place;
  record.bytes = payload(std::move(bytes));
  return record;
}

segment_reader::segment_reader(byte_buffer file, const session_key& key)
  : file_(std::move(file)), decoder_(journal_decoder::open(file_, key)) {}

outcome<std::unique_ptr<segment_reader>> segment_reader::open(byte_buffer file, const session_key& key,
                                                              const session_id& session, std::uint32_t number) {
  std::unique_ptr<segment_reader> made(new segment_reader(std::move(file), key));
  if (!made->decoder_) return tl::unexpected(made->decoder_.error());
  auto ready = made->read_base(session, number);
  if (!ready) return pass_on(std::move(ready));
  return made;
}

outcome<void> segment_reader::read_base(const session_id& session, std::uint32_t number) {
  auto& header = decoder_->header();
  if (header.session != session || header.segment != number)
    return damaged("this is segment " + std::to_string(header.segment) + " of session " + short_id(header.session));
  offset_ = decoder_->offset_bytes();
  auto first = decoder_->next();
  if (!first || !*first) return {}; // Nothing in it, or torn: `next` tells.
  if (is_base(**first)) {
    auto base = base_from(**first);
    if (!base) return pass_on(std::move(base));
    base_ = *base;
    offset_ = decoder_->offset_bytes();
  } else if ((*first)->sequence == 1) {
    first_ = std::move(**first);
  } else {
    return damaged("the segment begins with fragment " + std::to_string((*first)->sequence) + " and has no base record");
  }
  base_.number = number;
  return {};
}

outcome<std::optional<fragment>> segment_reader::next() {
  if (first_) {
    offset_ = decoder_->offset_bytes();
    return std::exchange(first_, std::nullopt);
  }
  auto record = decoder_->next();
  if (!record || !*record) return record;
  auto own = own_form(std::move(**record));
  if (own) offset_ = decoder_->offset_bytes();
  return own;
}

bool segment_reader::zeros_follow() const noexcept {
  constexpr std::size_t sector_size_bytes = 512; // The smallest unit a disk writes.
  auto end = std::min(file_.size(), (offset_ / sector_size_bytes + 1) * sector_size_bytes);
  return offset_ < end && std::all_of(file_.begin() + static_cast<std::ptrdiff_t>(offset_),
                                      file_.begin() + static_cast<std::ptrdiff_t>(end), [](auto b) { return b == 0; });
}

outcome<std::optional<fragment>> segment_reader::own_form(fragment record) const {
  if (is_base(record)) return damaged("a second base record stands in segment " + std::to_string(base_.number));
  if (!base_.carried) return std::optional(std::move(record));
  auto bytes = record.bytes.view();
  if (bytes.size() <= sequence_size_bytes) return damaged("a carried record is too short");
  auto sequence = field_reader(bytes).get<std::uint64_t>();
  if (sequence <= base_.base.last_sequence || sequence > base_.end.last_sequence)
    return damaged("a carried record is of fragment " + std::to_string(sequence) + ", which is not of this segment");
  record.sequence = sequence;
  record.bytes = payload(byte_buffer(bytes.begin() + sequence_size_bytes, bytes.end()));
  return std::optional(std::move(record));
}

} // namespace lucid
