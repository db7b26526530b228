// adapters/zstd/zstd_codec.cpp - the only file that includes zstd.
#include "adapters/zstd/zstd_codec.hpp"

#include <algorithm>
#include <new>
#include <string>

#include <zstd.h>

namespace lucid {

struct zstd_compressor::context {
  ZSTD_CCtx* zstd = ZSTD_createCCtx();
  ~context() { ZSTD_freeCCtx(zstd); }
};

struct zstd_decompressor::context {
  ZSTD_DCtx* zstd = ZSTD_createDCtx();
  ~context() { ZSTD_freeDCtx(zstd); }
};

zstd_compressor::zstd_compressor() : context_(std::make_unique<context>()) {
  if (!context_->zstd) throw std::bad_alloc();
}
zstd_compressor::~zstd_compressor() = default;
zstd_compressor::zstd_compressor(zstd_compressor&&) noexcept = default;
zstd_compressor& zstd_compressor::operator=(zstd_compressor&&) noexcept = default;

zstd_decompressor::zstd_decompressor() : context_(std::make_unique<context>()) {
  if (!context_->zstd) throw std::bad_alloc();
}
zstd_decompressor::~zstd_decompressor() = default;
zstd_decompressor::zstd_decompressor(zstd_decompressor&&) noexcept = default;
zstd_decompressor& zstd_decompressor::operator=(zstd_decompressor&&) noexcept = default;

namespace {

/// A stored chunk is worth more than one that saves less than 1/64: reading it back costs no decompression.
constexpr std::size_t worth_it(std::size_t size_bytes) noexcept {
  return size_bytes - std::min(size_bytes, std::max<std::size_t>(1, size_bytes / 64));
}

std::size_t total_size(std::span<const payload> parts) noexcept {
  std::size_t total = 0;
  for (const auto& part : parts) total += part.size();
  return total;
}

tl::unexpected<error> zstd_failure(std::size_t result) {
  return fail(errc::internal, "zstd", std::string("compression failed: ") + ZSTD_getErrorName(result));
}

/// Starts a frame that states its content size and carries no checksum: the seal around it is one.
std::size_t begin_frame(ZSTD_CCtx* zstd, int level, std::size_t size_bytes) {
  ZSTD_CCtx_reset(zstd, ZSTD_reset_session_and_parameters);
  if (auto result = ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, level); ZSTD_isError(result)) return result;
  return ZSTD_CCtx_setPledgedSrcSize(zstd, size_bytes);
}

/// Compresses all of `piece`; false if the output is full before that.
outcome<bool> feed(ZSTD_CCtx* zstd, byte_view piece, ZSTD_EndDirective then, ZSTD_outBuffer& output) {
  ZSTD_inBuffer input{piece.data(), piece.size(), 0};
  for (;;) {
    auto left = ZSTD_compressStream2(zstd, &output, &input, then);
    if (ZSTD_isError(left)) return zstd_failure(left);
    bool done = input.pos == input.size && (then == ZSTD_e_continue || left == 0);
    if (done) return true;
    if (output.pos == output.size) return false;
  }
}

} // namespace

outcome<std::optional<std::size_t>> zstd_compressor::compress(std::span<const payload> parts,
                                                              std::span<std::uint8_t> out,
                                                              const compress_options& options) {
  if (options.level < 1 || options.level > 19)
    return fail(errc::internal, "zstd", "level " + std::to_string(options.level) + " is not within 1..19");
  auto size_bytes = total_size(parts);
  auto zstd = context_->zstd;
  if (auto result = begin_frame(zstd, options.level, size_bytes); ZSTD_isError(result)) return zstd_failure(result);

  // An output that cannot hold more than what is worth keeping ends a useless attempt by itself.
  ZSTD_outBuffer output{out.data(), std::min(out.size(), worth_it(size_bytes)), 0};
  std::size_t consumed = 0;
  for (const auto& part : parts) {
    for (auto rest = part.view(); !rest.empty();) {
      bool probing = consumed < options.give_up_after_bytes;
      auto piece = probing ? rest.first(std::min(rest.size(), options.give_up_after_bytes - consumed)) : rest;
      rest = rest.subspan(piece.size());
      consumed += piece.size();
      // The flush at the end of the probe makes the output comparable with the input.
      bool judge = probing && consumed == options.give_up_after_bytes;
      auto fits = feed(zstd, piece, judge ? ZSTD_e_flush : ZSTD_e_continue, output);
      if (!fits) return pass_on(std::move(fits));
      if (!*fits || (judge && output.pos > worth_it(consumed))) return std::nullopt;
    }
  }
  auto fits = feed(zstd, {}, ZSTD_e_end, output);
  if (!fits) return pass_on(std::move(fits));
  if (!*fits) return std::nullopt;
  return output.pos;
}

outcome<void> zstd_decompressor::decompress(byte_view in, std::span<std::uint8_t> out) {
  // Another frame behind the first would be decompressed too: the encoding must be the only one of its plaintext.
  if (auto frame = ZSTD_findFrameCompressedSize(in.data(), in.size()); ZSTD_isError(frame) || frame != in.size())
    return fail(errc::corrupted, "zstd", "expected exactly one whole zstd frame");
  auto result = ZSTD_decompressDCtx(context_->zstd, out.data(), out.size(), in.data(), in.size());
  if (ZSTD_isError(result))
    return fail(errc::corrupted, "zstd", std::string("the frame does not decompress: ") + ZSTD_getErrorName(result));
  if (result != out.size())
    return fail(errc::corrupted, "zstd",
                "the frame holds " + std::to_string(result) + " bytes, expected " + std::to_string(out.size()));
  return {};
}

} // namespace lucid
