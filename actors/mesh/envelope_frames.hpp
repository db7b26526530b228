// actors/mesh/envelope_frames.hpp - envelopes longer than a frame, in pieces; pure.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "actors/mesh/message_table.hpp"
#include "messages/bytes.hpp"
#include "messages/mesh_frames.hpp"
#include "messages/outcome.hpp"

namespace lucid {

/// Channel, and whether more follows.
inline constexpr std::size_t envelope_frame_head_bytes = 2;

/// `envelope` as frames, in order.
std::vector<byte_buffer> frames_of_envelope(byte_view envelope);

/// What may begin at present.
struct envelope_bounds {
  envelope_ring ring = envelope_ring::cluster;
  std::size_t content_bytes_max = message_content_bytes_max; ///< Beside the bound of its type.
};

/// Puts the frames of one link together again. Type and length are looked at with the first frame, so that no more is
/// kept than the type allows, and nothing of what nobody knows. Threads: none.
class envelope_reader {
public:
  /// Asked once for each envelope, before anything of it is kept. False: it is passed over, to its last frame.
  using admission = std::function<bool(const message_rule& rule, std::size_t envelope_bytes)>;

  /// Whole after its last frame. Errors: `limit_exceeded`, `unsupported` (its type, in this ring), `truncated`,
  /// `invalid_input` (no such frame, or another length than it said); then the link is of no more use.
  outcome<std::optional<byte_buffer>> take(byte_view frame, const envelope_bounds& bounds, const admission& admit);

  std::size_t kept_bytes() const noexcept { return parts_.size(); }

private:
  outcome<void> begin(byte_view piece, const envelope_bounds& bounds, const admission& admit);

  std::size_t expected_ = 0; ///< Of the whole envelope; 0: none has begun.
  std::size_t come_ = 0;
  bool passed_over_ = false;
  byte_buffer parts_;
};

} // namespace lucid
