// adapters/zstd/zstd_codec.hpp - one zstd frame, and back within a stated bound.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include "messages/bytes.hpp"
#include "messages/outcome.hpp"

namespace lucid {

/// How to compress.
struct compress_options {
  int level = 3;                             ///< zstd levels 1..19.
  std::size_t give_up_after_bytes = 1 << 20; ///< If that much input saved too little, the rest is not tried.
};

/// Compresses into a caller's buffer. Keeps its tables between calls: one per worker thread.
/// Threads: one thread at a time.
class zstd_compressor {
public:
  zstd_compressor();
  ~zstd_compressor();
  zstd_compressor(zstd_compressor&&) noexcept;
  zstd_compressor& operator=(zstd_compressor&&) noexcept;

  /// One frame of `plain`, read where it is; the size written.
  /// Nothing if it does not fit into `out` or saves less than 1/16: the caller then stores the bytes as they are.
  /// Errors: `internal` if zstd refuses (a level out of range).
  outcome<std::optional<std::size_t>> compress(byte_view plain, std::span<std::uint8_t> out,
                                               const compress_options& options);

  /// The bare library call, without judging whether it pays: what benchmarks compare with.
  /// `out` holds at least `bound(plain.size())`. The size of the frame.
  std::size_t compress_all(byte_view plain, std::span<std::uint8_t> out, int level);
  static std::size_t bound(std::size_t size_bytes) noexcept;

private:
  struct context;
  std::unique_ptr<context> context_;
};

/// Decompresses into a buffer of the size that was stated and authenticated. Allocates nothing that depends on the input.
/// Threads: one thread at a time.
class zstd_decompressor {
public:
  zstd_decompressor();
  ~zstd_decompressor();
  zstd_decompressor(zstd_decompressor&&) noexcept;
  zstd_decompressor& operator=(zstd_decompressor&&) noexcept;

  /// Fills `out` exactly from the one frame in `in`.
  /// Errors: `corrupted` if `in` is no single frame of exactly that many bytes.
  outcome<void> decompress(byte_view in, std::span<std::uint8_t> out);

private:
  struct context;
  std::unique_ptr<context> context_;
};

} // namespace lucid
