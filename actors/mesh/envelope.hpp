// actors/mesh/envelope.hpp - a message with its sender's signature over all of it.
//
// u8 version, u16 type, u32 length of the content, 32 bytes sender, u64 epoch, u64 counter, content, 64 bytes signature.
// Version, type, ring, and length are checked before anything else is looked at, and nothing is copied. Source: docs/mesh.md,
// "Envelope".
//
// Replays: counters rise by themselves within a link, and each link begins anew. A node that starts again has new links. In
// the cluster, a link is bound to its sender by the transport key that opened it. In the network ring, moreover, the epoch
// is a random number that the receiver drew for this link and told in its hello: what was signed for an earlier link, or for
// another receiver, has another. Only a network hello has epoch 0, since it comes first; replayed, it has no effect but
// its cost.
#pragma once

#include "actors/mesh/message_table.hpp"
#include "adapters/sodium/sign.hpp"
#include "messages/bytes.hpp"

namespace lucid {

inline constexpr std::uint8_t envelope_version = 1;
inline constexpr std::size_t envelope_head_bytes = 1 + 2 + 4 + 32 + 8 + 8;
inline constexpr std::size_t envelope_overhead_bytes = envelope_head_bytes + 64;
inline constexpr std::size_t envelope_bytes_max = envelope_overhead_bytes + message_content_bytes_max;

struct envelope_head {
  std::uint16_t type = 0;
  node_id sender{};
  std::uint64_t counter = 0; ///< From 1; rises with each envelope of a link.
  std::uint64_t epoch = 0;   ///< What the receiver asked for; 0 in the cluster and in a network hello.
  bool operator==(const envelope_head&) const = default;
};

/// Where the receiver's count of one link stands.
struct envelope_counter {
  std::uint64_t last = 0;
  std::uint64_t epoch = 0; ///< Drawn by the receiver, for this link.
};

/// Errors: `unsupported` for a type that is not in the table, `limit_exceeded` for content over its bound.
outcome<byte_buffer> seal_envelope(const envelope_head& head, byte_view content, const sign_key& key);

/// How long the envelope is of which `start` is the beginning, so that no more than that is waited for.
/// Errors: as `peek_envelope`; `truncated` while the length is not there.
outcome<std::size_t> envelope_size(byte_view start, envelope_ring ring = envelope_ring::cluster);

/// The type of what `envelope_size` has taken.
std::uint16_t envelope_type(byte_view start) noexcept;

/// The head of a whole envelope, not verified. Takes no memory.
/// Errors: `truncated`, `unsupported` for another version or a type that the ring does not have, `limit_exceeded` for a
/// length over the type's bound, `invalid_input` for bytes after the end or a counter of 0.
outcome<envelope_head> peek_envelope(byte_view bytes, envelope_ring ring = envelope_ring::cluster);

/// The content of an envelope that `peek_envelope` has taken, not verified.
byte_view envelope_content(byte_view bytes) noexcept;

/// The verified content, a view of `bytes`. The count moves on only when all is right. REQUIRES of the caller: `key` is
/// the sender's, and the sender is whom the link belongs to.
/// Errors: those of `peek_envelope`; `protocol_violation` for a counter that does not rise or another epoch;
/// `bad_signature`.
outcome<byte_view> open_envelope(byte_view bytes, const sign_public_key& key, envelope_counter& counter,
                                 envelope_ring ring = envelope_ring::cluster);

} // namespace lucid
