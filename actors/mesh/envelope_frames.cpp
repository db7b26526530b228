// actors/mesh/envelope_frames.cpp - cut, and put together.
#include "actors/mesh/envelope_frames.hpp"

#include <algorithm>
#include <utility>

#include "actors/mesh/envelope.hpp"

namespace lucid {
namespace {

constexpr const char* who = "envelope";
constexpr std::uint8_t last_piece = 0, more_follows = 1;

} // namespace

std::vector<byte_buffer> frames_of_envelope(byte_view envelope) {
  std::vector<byte_buffer> frames;
  do {
    auto size = std::min(envelope.size(), mesh_frame_bytes_max - envelope_frame_head_bytes);
    auto piece = envelope.first(size);
    envelope = envelope.subspan(size);
    auto& frame = frames.emplace_back();
    frame.reserve(envelope_frame_head_bytes + size);
    frame.push_back(static_cast<std::uint8_t>(mesh_channel::envelope));
    frame.push_back(envelope.empty() ? last_piece : more_follows);
    frame.insert(frame.end(), piece.begin(), piece.end());
  } while (!envelope.empty());
  return frames;
}

outcome<void> envelope_reader::begin(byte_view piece, const envelope_bounds& bounds, const admission& admit) {
  auto size = envelope_size(piece, bounds.ring);
  if (!size) return pass_on(std::move(size));
  if (*size > envelope_overhead_bytes + bounds.content_bytes_max)
    return fail(errc::limit_exceeded, who, "more than may be said on this link yet");
  expected_ = *size;
  come_ = 0;
  passed_over_ = !admit(*rule_of(envelope_type(piece), bounds.ring), *size);
  return {};
}

outcome<std::optional<byte_buffer>> envelope_reader::take(byte_view frame, const envelope_bounds& bounds,
                                                          const admission& admit) {
  if (frame.size() <= envelope_frame_head_bytes || frame[1] > more_follows)
    return fail(errc::invalid_input, who, "a frame without content, or of an unknown kind");
  auto piece = frame.subspan(envelope_frame_head_bytes);
  if (expected_ == 0)
    if (auto begun = begin(piece, bounds, admit); !begun) return pass_on(std::move(begun));
  bool last = frame[1] == last_piece;
  come_ += piece.size();
  if (last ? come_ != expected_ : come_ >= expected_) return fail(errc::invalid_input, who, "it has another length than it says");
  if (!passed_over_) parts_.insert(parts_.end(), piece.begin(), piece.end());
  if (!last) return std::optional<byte_buffer>();
  expected_ = 0;
  if (passed_over_) return std::optional<byte_buffer>();
  return std::optional(std::exchange(parts_, {}));
}

} // namespace lucid
