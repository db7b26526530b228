// adapters/zstd/zstd_codec.cpp - the only file that includes zstd.
#include "adapters/zstd/zstd_codec.hpp"

#include <algorithm>
#include <new>
#include <string>

// For ZSTD_c_stableInBuffer: in the shared library since 1.4.9, in the "advanced" part of the header.
#define ZSTD_STATIC_LINKING_ONLY
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

/// Video of an encoder still gives zstd 2 to 4 %, for more processor time than all the rest of sealing takes.
constexpr std::size_t saving_min_part = 16;

/// The most a compressed chunk may have to be worth the time, now and when it is read back.
constexpr std::size_t worth_it(std::size_t size_bytes) noexcept {
  return size_bytes - std::min(size_bytes, std::max<std::size_t>(1, size_bytes / saving_min_part));
}

tl::unexpected<error> zstd_failure(std::size_t result) {
  return fail(errc::internal, "zstd", std::string("compression failed: ") + ZSTD_getErrorName(result));
}

/// Starts a frame that states its content size and carries no checksum: the seal around it is one.
/// The input stays where it is from call to call, so zstd need not copy it into a window of its own.
std::size_t begin_frame(ZSTD_CCtx* zstd, int level, std::size_t size_bytes) {
  ZSTD_CCtx_reset(zstd, ZSTD_reset_session_and_parameters);
  if (auto result = ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, level); ZSTD_isError(result)) return result;
  if (auto result = ZSTD_CCtx_setParameter(zstd, ZSTD_c_stableInBuffer, 1); ZSTD_isError(result)) return result;
  return ZSTD_CCtx_setPledgedSrcSize(zstd, size_bytes);
}

/// Compresses all of `input`; false if the output is full before that.
outcome<bool> feed(ZSTD_CCtx* zstd, ZSTD_inBuffer& input, ZSTD_EndDirective then, ZSTD_outBuffer& output) {
  for (;;) {
    auto left = ZSTD_compressStream2(zstd, &output, &input, then);
    if (ZSTD_isError(left)) return zstd_failure(left);
    if (input.pos == input.size && left == 0) return true;
    if (output.pos == output.size) return false;
  }
}

} // namespace

outcome<std::optional<std::size_t>> zstd_compressor::compress(byte_view plain, std::span<std::uint8_t> out,
                                                              const compress_options& options) {
  if (options.level < 1 || options.level > 19)
    return fail(errc::internal, "zstd", "level " + std::to_string(options.level) + " is not within 1..19");
  auto zstd = context_->zstd;
  if (auto result = begin_frame(zstd, options.level, plain.size()); ZSTD_isError(result)) return zstd_failure(result);

  // An output that cannot hold more than what is worth keeping ends a useless attempt by itself.
  ZSTD_outBuffer output{out.data(), std::min(out.size(), worth_it(plain.size())), 0};
  ZSTD_inBuffer input{plain.data(), plain.size(), 0};
  if (options.give_up_after_bytes < plain.size()) {
    input.size = options.give_up_after_bytes;
    // The flush at the end of the probe makes the output comparable with the input.
    auto fits = feed(zstd, input, ZSTD_e_flush, output);
    if (!fits) return pass_on(std::move(fits));
    if (!*fits || output.pos > worth_it(input.size)) return std::nullopt;
    input.size = plain.size();
  }
  auto fits = feed(zstd, input, ZSTD_e_end, output);
  if (!fits) return pass_on(std::move(fits));
  if (!*fits) return std::nullopt;
  return output.pos;
}

std::size_t zstd_compressor::compress_all(byte_view plain, std::span<std::uint8_t> out, int level) {
  auto size = ZSTD_compressCCtx(context_->zstd, out.data(), out.size(), plain.data(), plain.size(), level);
  return ZSTD_isError(size) ? plain.size() : size;
}

std::size_t zstd_compressor::bound(std::size_t size_bytes) noexcept { return ZSTD_compressBound(size_bytes); }

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
