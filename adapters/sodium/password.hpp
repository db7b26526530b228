// adapters/sodium/password.hpp - a key from a passphrase: Argon2id.
#pragma once

#include <array>

#include "adapters/sodium/secret.hpp"
#include "messages/outcome.hpp"

namespace lucid {

/// Cost of one guess. Stored beside what it protects, so it comes back from outside and is bounded.
struct password_cost {
  std::uint32_t passes = 3;                   ///< RFC 9106, second recommended option: t = 3, 64 MiB.
  std::uint32_t memory_bytes = 64u << 20;

  static constexpr std::uint32_t passes_max = 16;
  static constexpr std::uint32_t memory_bytes_min = 1u << 20;
  static constexpr std::uint32_t memory_bytes_max = 1u << 30; ///< A Raspberry Pi must be able to open it.
};
using password_salt = std::array<std::uint8_t, 16>;

/// The key that `passphrase` stands for. Takes a good part of a second by design.
/// Errors: `limit_exceeded` for a cost outside the bounds above or memory the system does not give.
outcome<secret_key> key_from_password(std::string_view passphrase, const password_salt& salt, const password_cost& cost);

} // namespace lucid
