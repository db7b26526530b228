// messages/identity.hpp - fixed-size names and keys: digests, session ids, public keys, signatures.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "messages/bytes.hpp"

namespace lucid {

/// 32 bytes of BLAKE3. Source: docs/format.md, "Digests".
using digest = std::array<std::uint8_t, 32>;

/// 32 bytes, shown as 64 hexadecimal digits. Bound to node key and start time: docs/format.md, "Session id".
using session_id = std::array<std::uint8_t, 32>;

using sign_public_key = std::array<std::uint8_t, 32>; ///< Ed25519.
using box_public_key = std::array<std::uint8_t, 32>;  ///< X25519.
using signature = std::array<std::uint8_t, 64>;       ///< Ed25519, detached.
using transport_key = std::array<std::uint8_t, 32>;   ///< CURVE's public key, as bytes.

/// 32 bytes that follow from a node's signing key; shown as 64 hexadecimal digits. Source: docs/mesh.md, "Identity".
using node_id = std::array<std::uint8_t, 32>;

/// Unix time, UTC, microseconds. All times of recordings and blocks are of this type.
using unix_time_us = std::int64_t;

/// The shortest prefix people are asked to type and shown in tables.
inline std::string short_id(const session_id& id) { return to_hex(byte_view(id).first(6)); }

} // namespace lucid
