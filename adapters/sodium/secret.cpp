// adapters/sodium/secret.cpp - libsodium's guarded allocations.
#include "adapters/sodium/secret.hpp"

#include <cstdlib>
#include <new>

#include <sodium.h>

namespace lucid {

void prepare_sodium() {
  // Only a missing system random source makes it fail, and nothing may go on without one.
  static const int ready = sodium_init();
  if (ready < 0) std::abort();
}

void wipe(std::span<std::uint8_t> bytes) noexcept { sodium_memzero(bytes.data(), bytes.size()); }

void wipe(std::string& text) noexcept {
  sodium_memzero(text.data(), text.size());
  text.clear();
}

bool equal_constant_time(byte_view a, byte_view b) noexcept {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

namespace detail {

std::uint8_t* allocate_secret(std::size_t size_bytes) {
  prepare_sodium();
  auto bytes = static_cast<std::uint8_t*>(sodium_malloc(size_bytes));
  if (!bytes) throw std::bad_alloc();
  sodium_memzero(bytes, size_bytes);
  return bytes;
}

void free_secret(std::uint8_t* secret) noexcept { sodium_free(secret); }

} // namespace detail
} // namespace lucid
