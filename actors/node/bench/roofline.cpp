// actors/node/bench/roofline.cpp - the calls, through wrappers that are one call thin.
#include "actors/node/bench/roofline.hpp"

#include <algorithm>
#include <array>

#include "actors/format/contexts.hpp"
#include "actors/format/merkle.hpp"
#include "adapters/blake3/blake3_hasher.hpp"

namespace lucid {
namespace {

constexpr std::size_t probe_size_bytes = compress_options{}.give_up_after_bytes;

/// Keeps a result from being optimised away.
void used(const digest& value) { asm volatile("" : : "r"(value.data()) : "memory"); }

} // namespace

void hash_bare(byte_view file) {
  static const blake3_hasher fresh_leaf(contexts::merkle_leaf);
  used(blake3(file));
  auto leaf = fresh_leaf;
  for (; !file.empty(); file = file.subspan(std::min(block_size_bytes, file.size()))) {
    leaf.reset();
    leaf.update(file.first(std::min(block_size_bytes, file.size())));
    used(leaf.finish());
  }
}

roofline::roofline(std::size_t size_bytes, int zstd_level)
  : level_(zstd_level), compressed_(zstd_compressor::bound(size_bytes)),
    sealed_(compressed_.size() + aead_tag_size_bytes) {}

byte_view roofline::compress(byte_view plain, policy how) {
  if (how == policy::probe_only) {
    zstd_.compress_all(plain.first(std::min(plain.size(), probe_size_bytes)), compressed_, level_);
    return plain;
  }
  auto size = zstd_.compress_all(plain, compressed_, level_);
  return size < plain.size() ? byte_view(compressed_).first(size) : plain;
}

void roofline::run(byte_view plain, policy how) {
  static const std::array<std::uint8_t, chunk_header_size_bytes> head{};
  static const aead_nonce nonce{};
  auto body = compress(plain, how);
  auto sealed = std::span(sealed_).first(body.size() + aead_tag_size_bytes);
  aead_seal(sealed, body, head, nonce, key_);
  hash_bare(sealed);
}

} // namespace lucid
