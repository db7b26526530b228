// actors/mesh/envelope_frames.hpp - envelopes longer than a frame, in pieces; pure.
#pragma once

#include <optional>
#include <vector>

#include "messages/bytes.hpp"
#include "messages/mesh_frames.hpp"
#include "messages/outcome.hpp"

namespace lucid {

/// Channel, and whether more follows.
inline constexpr std::size_t envelope_frame_head_bytes = 2;

/// `envelope` as frames, in order.
std::vector<byte_buffer> frames_of_envelope(byte_view envelope);

/// Puts the frames of one link together again. Threads: none.
class envelope_reader {
public:
  explicit envelope_reader(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// Whole after its last frame. Errors: `limit_exceeded`, `protocol_violation`; then the link is of no more use.
  outcome<std::optional<byte_buffer>> take(byte_view frame);

private:
  std::size_t bytes_max_;
  byte_buffer parts_;
};

} // namespace lucid
