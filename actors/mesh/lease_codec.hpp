// actors/mesh/lease_codec.hpp - lease messages as bytes.
#pragma once

#include "messages/bytes.hpp"
#include "messages/mesh_lease.hpp"

namespace lucid {

/// Three full lists: 128 x (14 + 31 | 13 + 31 | 38 + 31 bytes) and the head are less.
inline constexpr std::size_t lease_message_bytes_max = 24 * 1024;

/// One encoding for one message: little-endian, leases in rising order. REQUIRES: a message within its bounds.
byte_buffer encode_lease_message(const lease_message& message);

/// Errors: `limit_exceeded` for more bytes or items than allowed, `unsupported` for another version, `truncated`,
/// `invalid_input` for names, numbers or an order that no encoder writes, and for bytes after the end.
outcome<lease_message> decode_lease_message(byte_view bytes);

} // namespace lucid
