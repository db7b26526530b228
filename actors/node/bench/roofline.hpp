// actors/node/bench/roofline.hpp - what bare zstd, libsodium and BLAKE3 calls take for the same bytes.
#pragma once

#include "actors/format/chunk_codec.hpp"

namespace lucid {

/// BLAKE3 of the whole, then of each 16 KiB block.
void hash_bare(byte_view file);

/// One call each of zstd, libsodium's XChaCha20-Poly1305 and BLAKE3 (the whole file, then each 16 KiB block), one after
/// the other on one core, on buffers that are there already. Nothing is cut, moved, encoded or stored.
class roofline {
public:
  enum class policy : std::uint8_t {
    probe_only, ///< Like sealing where the first 1 MiB saves nothing: the rest is not compressed either.
    all,        ///< zstd runs over everything, whatever it saves.
  };

  explicit roofline(std::size_t size_bytes, int zstd_level);

  void run(byte_view plain, policy how);

private:
  byte_view compress(byte_view plain, policy how);

  int level_;
  zstd_compressor zstd_;
  byte_buffer compressed_;
  byte_buffer sealed_;
  secret_key key_;
};

} // namespace lucid
