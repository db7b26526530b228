// actors/mesh/envelope_frames.cpp - cut, and put together.
#include "actors/mesh/envelope_frames.hpp"

#include <algorithm>
#include <utility>

namespace lucid {
namespace {

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

outcome<std::optional<byte_buffer>> envelope_reader::take(byte_view frame) {
  if (frame.size() <= envelope_frame_head_bytes || frame[1] > more_follows)
    return fail(errc::protocol_violation, "envelope", "a frame without content, or of an unknown kind");
  auto piece = frame.subspan(envelope_frame_head_bytes);
  if (parts_.size() + piece.size() > bytes_max_)
    return fail(errc::limit_exceeded, "envelope", "an envelope of more than " + std::to_string(bytes_max_) + " bytes");
  parts_.insert(parts_.end(), piece.begin(), piece.end());
  if (frame[1] == more_follows) return std::optional<byte_buffer>();
  return std::optional(std::exchange(parts_, {}));
}

} // namespace lucid
