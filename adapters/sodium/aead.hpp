// adapters/sodium/aead.hpp - XChaCha20-Poly1305 (IETF): seal and open bytes in place or into a given buffer.
#pragma once

#include <array>

#include "adapters/sodium/secret.hpp"
#include "messages/outcome.hpp"

namespace lucid {

inline constexpr std::size_t aead_tag_size_bytes = 16;
using aead_nonce = std::array<std::uint8_t, 24>;

/// Writes ciphertext and tag of `plain` to `out`, which is `plain.size() + aead_tag_size_bytes` long.
/// `out` may begin where `plain` begins (in place); other overlaps are forbidden.
void aead_seal(std::span<std::uint8_t> out, byte_view plain, byte_view associated, const aead_nonce& nonce,
               const secret_key& key);

/// Writes the plaintext of `sealed` (ciphertext and tag) to `out`, which is a tag shorter. In place as above.
/// False, and `out` is undefined, if anything was changed or the key is another.
[[nodiscard]] bool aead_open(std::span<std::uint8_t> out, byte_view sealed, byte_view associated,
                             const aead_nonce& nonce, const secret_key& key);

} // namespace lucid
