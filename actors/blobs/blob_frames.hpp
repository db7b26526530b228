// actors/blobs/blob_frames.hpp - the frames of channel 3: how blobs are offered, taken, and cut into pieces.
//
// All begin with the channel and the kind, a byte each. Numbers are little-endian. Source: docs/replication.md, "Blobs".
#pragma once

#include <cstdint>
#include <variant>

#include "messages/blob.hpp"
#include "messages/mesh_frames.hpp"
#include "messages/outcome.hpp"

namespace lucid::blob_frames {

/// Why a receiver does not take a blob. Numbers travel: append.
enum class refusal : std::uint8_t {
  busy = 1,  ///< No room at present; offer it again later.
  corrupted, ///< All of it arrived, and it is not what was offered. Offer it again: from the beginning.
};

struct offer {           ///< 1: id 16, size 8, content 32, purpose 1 (zero)
  blob_ref what;
};
struct accept {          ///< 2: id 16, offset 8. Also what the receiver has already, after a break.
  blob_id id{};
  std::uint64_t offset = 0;
};
struct refuse {          ///< 3: id 16, reason 1
  blob_id id{};
  refusal reason = refusal::busy;
};
struct piece {           ///< 4: id 16, offset 8, bytes
  blob_id id{};
  std::uint64_t offset = 0;
  byte_view bytes;       ///< Within the frame that was decoded. Never empty.
};
struct credit {          ///< 5: bytes 4. So many more bytes of pieces may be sent.
  std::uint32_t bytes = 0;
};
struct done {            ///< 6: id 16. Arrived whole, and checked.
  blob_id id{};
};
struct abort {           ///< 7: id 16. The sender gave it up.
  blob_id id{};
};

using frame = std::variant<offer, accept, refuse, piece, credit, done, abort>;

/// Channel, kind, id, offset.
inline constexpr std::size_t piece_head_bytes = 2 + 16 + 8;
inline constexpr std::size_t piece_bytes_max = mesh_frame_bytes_max - piece_head_bytes;

/// REQUIRES: a piece has 1 .. piece_bytes_max bytes.
byte_buffer encode(const frame& what);

/// Strict: exactly the length of its kind, an offer of 1 .. payload::size_bytes_max bytes, a piece that is not empty.
/// Errors: `protocol_violation`, `unsupported` for an unknown kind.
outcome<frame> decode(byte_view bytes);

} // namespace lucid::blob_frames
