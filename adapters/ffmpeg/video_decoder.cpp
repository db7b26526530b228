// adapters/ffmpeg/video_decoder.cpp - drives libavcodec's decoders.
#include "adapters/ffmpeg/video_decoder.hpp"

namespace lucid::ffmpeg {
namespace {

constexpr const char* who = "decoder";

/// Pictures above 8192x8192 are none of ours.
constexpr std::int64_t pixel_count_max = std::int64_t{8192} * 8192;

} // namespace

outcome<video_decoder> video_decoder::open(const AVCodecParameters& parameters) {
  video_decoder made;
  const auto* codec = avcodec_find_decoder(parameters.codec_id);
  if (!codec) return fail(errc::unsupported, who, std::string("no decoder for ") + avcodec_get_name(parameters.codec_id));
  made.context_.reset(avcodec_alloc_context3(codec));
  made.frame_.reset(av_frame_alloc());
  if (!made.context_ || !made.frame_ || avcodec_parameters_to_context(made.context_.get(), &parameters) < 0)
    return fail(errc::limit_exceeded, who, "no memory for a decoder");
  made.context_->thread_count = 1;
  made.context_->max_pixels = pixel_count_max;
  made.context_->pkt_timebase = microseconds;
  if (auto code = avcodec_open2(made.context_.get(), codec, nullptr); code < 0)
    return fail_with(code, who, "the decoder does not open");
  return made;
}

outcome<void> video_decoder::receive(const picture_taker& take) {
  for (;;) {
    auto code = avcodec_receive_frame(context_.get(), frame_.get());
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return {};
    if (code < 0) return fail(errc::corrupted, who, "a picture cannot be decoded: " + text_of(code));
    if (frame_->best_effort_timestamp != AV_NOPTS_VALUE) frame_->pts = frame_->best_effort_timestamp;
    auto taken = take(*frame_);
    av_frame_unref(frame_.get());
    if (!taken) return taken;
  }
}

outcome<void> video_decoder::decode(const media_packet& packet, const picture_taker& take) {
  if (auto code = avcodec_send_packet(context_.get(), packet.packet.get()); code < 0)
    return fail(errc::corrupted, who, "a frame cannot be decoded: " + text_of(code));
  return receive(take);
}

outcome<void> video_decoder::finish(const picture_taker& take) {
  avcodec_send_packet(context_.get(), nullptr);
  auto received = receive(take);
  avcodec_flush_buffers(context_.get());
  return received;
}

} // namespace lucid::ffmpeg
