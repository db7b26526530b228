// actors/seal/sealing.cpp - one scratch a pool thread: compression contexts are costly to make and not to be shared.
#include "actors/seal/sealing.hpp"

#include "actors/format/chunk_codec.hpp"

namespace lucid {

outcome<sealed_chunk> seal_on_pool(const plain_chunk& chunk, const seal_options& options) {
  static thread_local seal_scratch scratch;
  compress_options how;
  how.level = options.zstd_level;
  return seal_chunk(chunk, *options.key, *options.random, scratch, how);
}

} // namespace lucid
