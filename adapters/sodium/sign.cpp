// adapters/sodium/sign.cpp - crypto_sign_* and crypto_box_seal*.
#include "adapters/sodium/sign.hpp"

#include <cassert>

#include <sodium.h>

namespace lucid {

static_assert(crypto_sign_SECRETKEYBYTES == 64 && crypto_sign_SEEDBYTES == 32 && crypto_sign_BYTES == 64);
static_assert(crypto_box_SEALBYTES == box_overhead_size_bytes);

sign_key::sign_key(const secret_key& seed) {
  crypto_sign_seed_keypair(public_.data(), secret_.span().data(), seed.view().data());
}

signature sign_key::sign(byte_view message) const {
  signature result;
  crypto_sign_detached(result.data(), nullptr, message.data(), message.size(), secret_.view().data());
  return result;
}

bool verify_signature(const signature& by, byte_view message, const sign_public_key& key) {
  prepare_sodium();
  return crypto_sign_verify_detached(by.data(), message.data(), message.size(), key.data()) == 0;
}

box_public_key box_public_key_of(const secret_key& secret) {
  box_public_key result;
  crypto_scalarmult_base(result.data(), secret.view().data());
  return result;
}

outcome<void> box_seal(std::span<std::uint8_t> out, byte_view plain, const box_public_key& recipient) {
  assert(out.size() == plain.size() + box_overhead_size_bytes);
  prepare_sodium();
  if (crypto_box_seal(out.data(), plain.data(), plain.size(), recipient.data()) != 0)
    return fail(errc::invalid_input, "keys", "recipient key " + to_hex(recipient) + " is no usable X25519 key");
  return {};
}

bool box_open(std::span<std::uint8_t> out, byte_view sealed, const secret_key& secret) {
  if (sealed.size() < box_overhead_size_bytes) return false;
  assert(out.size() + box_overhead_size_bytes == sealed.size());
  auto own = box_public_key_of(secret);
  return crypto_box_seal_open(out.data(), sealed.data(), sealed.size(), own.data(), secret.view().data()) == 0;
}

} // namespace lucid
