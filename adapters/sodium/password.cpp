// adapters/sodium/password.cpp - crypto_pwhash with Argon2id 1.3.
#include "adapters/sodium/password.hpp"

#include <sodium.h>

namespace lucid {

static_assert(crypto_pwhash_argon2id_SALTBYTES == std::tuple_size_v<password_salt>);

outcome<secret_key> key_from_password(std::string_view passphrase, const password_salt& salt,
                                      const password_cost& cost) {
  if (cost.passes < 1 || cost.passes > password_cost::passes_max ||
      cost.memory_bytes < password_cost::memory_bytes_min || cost.memory_bytes > password_cost::memory_bytes_max)
    return fail(errc::limit_exceeded, "keys",
                "Argon2id cost of " + std::to_string(cost.passes) + " passes over " +
                  std::to_string(cost.memory_bytes) + " bytes is outside 1..16 passes, 1 MiB..1 GiB");
  secret_key key;
  if (crypto_pwhash_argon2id(key.span().data(), key.size_bytes, passphrase.data(), passphrase.size(), salt.data(),
                             cost.passes, cost.memory_bytes, crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0)
    return fail(errc::limit_exceeded, "keys",
                "no memory for Argon2id with " + std::to_string(cost.memory_bytes) + " bytes");
  return key;
}

} // namespace lucid
