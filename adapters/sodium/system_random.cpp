// adapters/sodium/system_random.cpp - randombytes_buf.
#include "adapters/sodium/system_random.hpp"

#include <sodium.h>

#include "adapters/sodium/secret.hpp"

namespace lucid {

void system_random::fill(std::span<std::uint8_t> into) {
  prepare_sodium();
  randombytes_buf(into.data(), into.size());
}

} // namespace lucid
