// adapters/blake3/blake3_hasher.cpp - the only file that includes the BLAKE3 C library.
#include "adapters/blake3/blake3_hasher.hpp"

#include <cstring>
#include <new>
#include <type_traits>

#include <blake3.h>

namespace lucid {
namespace {

using state = ::blake3_hasher;
static_assert(std::is_trivially_copyable_v<state>);

state* of(std::byte* bytes) noexcept { return std::launder(reinterpret_cast<state*>(bytes)); }
const state* of(const std::byte* bytes) noexcept { return std::launder(reinterpret_cast<const state*>(bytes)); }

} // namespace

blake3_hasher::blake3_hasher() noexcept {
  static_assert(sizeof(state) <= state_size_bytes && alignof(state) <= 8);
  blake3_hasher_init(new (state_.data()) state);
}

blake3_hasher::blake3_hasher(std::string_view context) noexcept {
  blake3_hasher_init_derive_key_raw(new (state_.data()) state, context.data(), context.size());
}

void blake3_hasher::update(byte_view bytes) noexcept {
  if (!bytes.empty()) blake3_hasher_update(of(state_.data()), bytes.data(), bytes.size());
}

digest blake3_hasher::finish() const noexcept {
  digest result;
  finish_into(result);
  return result;
}

void blake3_hasher::finish_into(std::span<std::uint8_t> into) const noexcept {
  blake3_hasher_finalize(of(state_.data()), into.data(), into.size());
}

void blake3_hasher::reset() noexcept { blake3_hasher_reset(of(state_.data())); }

void blake3_hasher::wipe() noexcept { explicit_bzero(state_.data(), state_.size()); }

digest blake3(byte_view bytes) noexcept {
  blake3_hasher hasher;
  hasher.update(bytes);
  return hasher.finish();
}

void blake3_derive_into(std::string_view context, std::initializer_list<byte_view> parts,
                        std::span<std::uint8_t> into) noexcept {
  blake3_hasher hasher(context);
  for (auto part : parts) hasher.update(part);
  hasher.finish_into(into);
  hasher.wipe();
}

digest blake3_derive(std::string_view context, std::initializer_list<byte_view> parts) noexcept {
  digest result;
  blake3_derive_into(context, parts, result);
  return result;
}

} // namespace lucid
