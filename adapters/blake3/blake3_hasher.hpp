// adapters/blake3/blake3_hasher.hpp - BLAKE3 by the official C implementation: hash and derive_key modes.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <string_view>

#include "messages/bytes.hpp"
#include "messages/identity.hpp"

namespace lucid {

/// One BLAKE3 computation. `reset` makes it ready for the next one at no cost, so hot loops keep one hasher.
/// Threads: one thread at a time; copies are independent.
/// Source: the BLAKE3 specification, sections 2.1 and 2.3.
class blake3_hasher {
public:
  blake3_hasher() noexcept;                                   ///< hash mode.
  explicit blake3_hasher(std::string_view context) noexcept;  ///< derive_key mode.

  void update(byte_view bytes) noexcept;
  digest finish() const noexcept;
  void finish_into(std::span<std::uint8_t> into) const noexcept; ///< Extended output, any length.
  void reset() noexcept;                                      ///< Forgets the input, keeps the mode.
  void wipe() noexcept;                                       ///< Overwrites the state; the hasher is unusable after.

private:
  static constexpr std::size_t state_size_bytes = 1920; // blake3_hasher of the C library, rounded up.
  alignas(8) std::array<std::byte, state_size_bytes> state_;
};

/// BLAKE3 of `bytes`.
digest blake3(byte_view bytes) noexcept;

/// derive_key of the concatenation of `parts`; the intermediate state is wiped.
void blake3_derive_into(std::string_view context, std::initializer_list<byte_view> parts,
                        std::span<std::uint8_t> into) noexcept;

/// As above, for values that are not secret.
digest blake3_derive(std::string_view context, std::initializer_list<byte_view> parts) noexcept;

} // namespace lucid
