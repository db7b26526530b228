// messages/mesh_frames.hpp - what the first byte of a frame between two nodes says, and how long a frame may be.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lucid {

/// The largest frame between nodes. One large message cannot hide the heartbeat of others behind it.
inline constexpr std::size_t mesh_frame_bytes_max = 64 * 1024;

/// The first byte of every frame. The numbers travel between nodes: append, never renumber.
enum class mesh_channel : std::uint8_t {
  control = 0,  ///< Of the transport itself: never passed on, and never sent by anyone else.
  envelope = 1, ///< A signed message: docs/mesh.md, "Envelope".
  tunnel = 2,   ///< Bytes of the middleman: docs/mesh.md, "Tunnel".
  blob = 3,     ///< Pieces of chunks: docs/mesh.md, "Pieces".
};

/// The second byte of a tunnel frame. A u32 stream number follows; all numbers are little-endian.
enum class tunnel_frame_kind : std::uint8_t {
  open = 1,   ///< u32 version, u64 credit: the dialler begins a stream; the credit is for the other side.
  data = 2,   ///< u64 sequence (of the first byte, from 0), then the bytes.
  credit = 3, ///< u64 bytes: so many more may be sent. The first one accepts the stream.
  close = 4,  ///< u8 code (errc), u16 length, text: the stream has ended.
};

inline constexpr std::uint32_t tunnel_version = 1;
inline constexpr std::size_t tunnel_head_bytes = 6;                     ///< Channel, kind, stream number.
inline constexpr std::size_t tunnel_data_head_bytes = tunnel_head_bytes + 8; ///< With the sequence.
inline constexpr std::size_t tunnel_data_bytes_max = mesh_frame_bytes_max - tunnel_data_head_bytes;
inline constexpr std::size_t tunnel_reason_bytes_max = 256;             ///< Of the text of a close frame.

} // namespace lucid
