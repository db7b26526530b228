// adapters/sodium/aead.cpp - crypto_aead_xchacha20poly1305_ietf.
#include "adapters/sodium/aead.hpp"

#include <cassert>

#include <sodium.h>

namespace lucid {

static_assert(aead_tag_size_bytes == crypto_aead_xchacha20poly1305_ietf_ABYTES);
static_assert(std::tuple_size_v<aead_nonce> == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
static_assert(secret_key::size_bytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

void aead_seal(std::span<std::uint8_t> out, byte_view plain, byte_view associated, const aead_nonce& nonce,
               const secret_key& key) {
  assert(out.size() == plain.size() + aead_tag_size_bytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(out.data(), nullptr, plain.data(), plain.size(), associated.data(),
                                             associated.size(), nullptr, nonce.data(), key.view().data());
}

bool aead_open(std::span<std::uint8_t> out, byte_view sealed, byte_view associated, const aead_nonce& nonce,
               const secret_key& key) {
  if (sealed.size() < aead_tag_size_bytes) return false;
  assert(out.size() + aead_tag_size_bytes == sealed.size());
  return crypto_aead_xchacha20poly1305_ietf_decrypt(out.data(), nullptr, nullptr, sealed.data(), sealed.size(),
                                                    associated.data(), associated.size(), nonce.data(),
                                                    key.view().data()) == 0;
}

} // namespace lucid
