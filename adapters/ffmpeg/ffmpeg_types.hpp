// adapters/ffmpeg/ffmpeg_types.hpp - owners of FFmpeg's objects and its errors as ours; for this folder's sources only.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavcodec/bsf.h>
#include <libavformat/avformat.h>
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
}

#include <memory>
#include <string>

#include "adapters/ffmpeg/media_packet.hpp"
#include "messages/outcome.hpp"

namespace lucid::ffmpeg {

struct frame_deleter {
  void operator()(AVFrame* frame) const noexcept { av_frame_free(&frame); }
};
struct codec_deleter {
  void operator()(AVCodecContext* context) const noexcept { avcodec_free_context(&context); }
};
struct scaler_deleter {
  void operator()(SwsContext* context) const noexcept { sws_freeContext(context); }
};
struct demuxer_deleter {
  void operator()(AVFormatContext* context) const noexcept { avformat_close_input(&context); }
};
struct muxer_deleter {
  void operator()(AVFormatContext* context) const noexcept { avformat_free_context(context); }
};
/// Of contexts made by us, with a buffer from av_malloc.
struct io_deleter {
  void operator()(AVIOContext* context) const noexcept {
    av_freep(&context->buffer);
    avio_context_free(&context);
  }
};

using frame_ptr = std::unique_ptr<AVFrame, frame_deleter>;
using codec_ptr = std::unique_ptr<AVCodecContext, codec_deleter>;
using scaler_ptr = std::unique_ptr<SwsContext, scaler_deleter>;
using demuxer_ptr = std::unique_ptr<AVFormatContext, demuxer_deleter>;
using muxer_ptr = std::unique_ptr<AVFormatContext, muxer_deleter>;
using io_ptr = std::unique_ptr<AVIOContext, io_deleter>;

inline constexpr AVRational microseconds{1, 1'000'000};

/// FFmpeg's sentence for one of its codes.
std::string text_of(int code);

/// `code` as ours: what memory, format and system errors mean to a caller.
errc errc_of(int code) noexcept;

/// "who: what: FFmpeg's sentence".
inline tl::unexpected<error> fail_with(int code, std::string who, std::string what) {
  return fail(errc_of(code), std::move(who), std::move(what.append(": ").append(text_of(code))));
}

/// An empty packet. Throws std::bad_alloc when there is no memory.
media_packet new_packet();

/// A dictionary of options, freed with it.
class options {
public:
  options() = default;
  options(const options&) = delete;
  options& operator=(const options&) = delete;
  ~options() { av_dict_free(&dictionary_); }
  void set(const char* key, const std::string& value) { av_dict_set(&dictionary_, key, value.c_str(), 0); }
  AVDictionary** out() noexcept { return &dictionary_; }

private:
  AVDictionary* dictionary_ = nullptr;
};

/// A writer's callback has a `const` buffer from FFmpeg 7 on.
#if LIBAVFORMAT_VERSION_MAJOR >= 61
using written_byte = const std::uint8_t;
#else
using written_byte = std::uint8_t;
#endif

} // namespace lucid::ffmpeg
