// messages/mesh_frames.hpp - what the first byte of a frame between nodes says, and how long a frame may be.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lucid {

/// 64 KiB: one frame never holds up a heartbeat for longer than it takes to send this.
inline constexpr std::size_t mesh_frame_bytes_max = 64u << 10;

/// The first byte of every frame. Source: docs/mesh.md, "Frames".
enum class mesh_channel : std::uint8_t {
  envelope = 1, ///< Signed messages between nodes.
  tunnel = 2,   ///< The middleman's byte stream.
  blob = 3,     ///< Pieces of large bytes.
};

} // namespace lucid
