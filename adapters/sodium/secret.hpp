// adapters/sodium/secret.hpp - memory for secrets: guarded, locked where possible, wiped at its end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "messages/bytes.hpp"

namespace lucid {

/// Overwrites `bytes`; the compiler may not leave it out.
void wipe(std::span<std::uint8_t> bytes) noexcept;
void wipe(std::string& text) noexcept;

/// Compares in a time that depends on the lengths only.
bool equal_constant_time(byte_view a, byte_view b) noexcept;

/// Prepares libsodium; called by everything in this folder, so callers need not.
void prepare_sodium();

namespace detail {
std::uint8_t* allocate_secret(std::size_t size_bytes); // Throws std::bad_alloc.
void free_secret(std::uint8_t* secret) noexcept;
} // namespace detail

/// N secret bytes between guard pages, locked into memory where the system allows it, wiped when destroyed.
/// Moves, and copies only when asked by name.
/// Owns: its memory. Threads: as a plain value.
template <std::size_t N>
class secret_bytes {
public:
  static constexpr std::size_t size_bytes = N;

  secret_bytes() : bytes_(detail::allocate_secret(N)) {}
  explicit secret_bytes(std::span<const std::uint8_t, N> from) : secret_bytes() {
    for (std::size_t i = 0; i < N; ++i) bytes_[i] = from[i];
  }
  ~secret_bytes() { detail::free_secret(bytes_); }
  secret_bytes(const secret_bytes&) = delete;
  secret_bytes& operator=(const secret_bytes&) = delete;
  secret_bytes(secret_bytes&& other) noexcept : bytes_(std::exchange(other.bytes_, nullptr)) {}
  secret_bytes& operator=(secret_bytes&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }

  secret_bytes clone() const { return secret_bytes(view()); }
  std::span<std::uint8_t, N> span() noexcept { return std::span<std::uint8_t, N>(bytes_, N); }
  std::span<const std::uint8_t, N> view() const noexcept { return std::span<const std::uint8_t, N>(bytes_, N); }

private:
  std::uint8_t* bytes_;
};

using secret_key = secret_bytes<32>;

} // namespace lucid
