// adapters/sodium/sign.hpp - Ed25519 signatures and X25519 sealed boxes.
#pragma once

#include "adapters/sodium/secret.hpp"
#include "messages/identity.hpp"
#include "messages/outcome.hpp"

namespace lucid {

/// An Ed25519 key pair, made from its 32-byte seed. Threads: const use from any.
class sign_key {
public:
  explicit sign_key(const secret_key& seed);
  const sign_public_key& public_key() const noexcept { return public_; }
  signature sign(byte_view message) const;

private:
  sign_public_key public_{};
  secret_bytes<64> secret_;
};

/// Ed25519 as libsodium verifies it: canonical S, no small-order keys.
[[nodiscard]] bool verify_signature(const signature& by, byte_view message, const sign_public_key& key);

/// The X25519 public key of `secret`.
box_public_key box_public_key_of(const secret_key& secret);

inline constexpr std::size_t box_overhead_size_bytes = 48; ///< Ephemeral key 32, tag 16.

/// crypto_box_seal: only the holder of the recipient's secret key can open it; nobody can tell who made it.
/// `out` is `plain.size() + box_overhead_size_bytes` long. Errors: `invalid_input` for a public key of small order.
outcome<void> box_seal(std::span<std::uint8_t> out, byte_view plain, const box_public_key& recipient);

/// False if it was not made for this key or was changed.
[[nodiscard]] bool box_open(std::span<std::uint8_t> out, byte_view sealed, const secret_key& secret);

} // namespace lucid
