// messages/blob.hpp - large bytes on their way between two nodes, beside the messages that speak of them.
//
// Whoever wants bytes at another node has mesh/blobs send them there, then sends a message with the `blob_ref`; who gets
// that message takes the bytes from the mesh/blobs of its own node.
#pragma once

#include <array>
#include <cstdint>

#include "messages/identity.hpp"
#include "messages/payload.hpp"

namespace lucid {

/// 16 random bytes. Never used twice by one sender.
using blob_id = std::array<std::uint8_t, 16>;

struct blob_ref {
  blob_id id{};
  std::uint64_t size_bytes = 0; ///< 1 .. payload::size_bytes_max
  digest content{};             ///< BLAKE3 of the bytes.
  friend bool operator==(const blob_ref&, const blob_ref&) = default;
};

/// Answered with the reference once the peer has all of it and has checked it.
/// Errors: `limit_exceeded` for an empty or too large one; `busy` when too many are on their way to the peer;
/// `timeout` when nothing moved for `blob_limits::idle_max`; `corrupted` when it arrived changed again and again.
struct blob_send_request {
  node_id to{};
  blob_id id{};
  payload bytes;
  digest content{}; ///< BLAKE3 of the bytes, where it is known; zero: it is computed. A wrong one ends in `corrupted`.
};

/// Answered with the bytes once they have arrived, and forgotten here by that. Arrived bytes are kept for
/// `blob_limits::unclaimed_kept`. Errors: `timeout` when they did not arrive within `blob_limits::take_patience`;
/// `corrupted` when what has arrived under this id is not what the reference says; `busy`.
struct blob_take_request {
  node_id from{};
  blob_ref what;
};

} // namespace lucid
