// adapters/ffmpeg/remuxer.cpp - reads packets, copies them while that is possible, else transcodes.
#include "adapters/ffmpeg/remuxer.hpp"

#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <unistd.h>

#include "adapters/ffmpeg/ffmpeg_types.hpp"
#include "adapters/ffmpeg/video_decoder.hpp"

namespace lucid::ffmpeg {
namespace {

constexpr const char* who = "media";
constexpr int io_size_bytes = 64 << 10;
constexpr int patience_ms = 100;

/// Bytes libavformat may read to find out what the input is.
constexpr std::int64_t probe_size_bytes = 5 << 20;

bool fits_mp4(AVCodecID codec) {
  return codec == AV_CODEC_ID_H264 || codec == AV_CODEC_ID_HEVC || codec == AV_CODEC_ID_AV1 || codec == AV_CODEC_ID_VP9;
}

/// The descriptor as libavformat reads it.
struct input {
  int fd = -1;
  std::function<bool()> keep_going;

  static int read(void* opaque, std::uint8_t* into, int size_bytes) {
    auto& self = *static_cast<input*>(opaque);
    for (;;) {
      pollfd waiting{self.fd, POLLIN, 0};
      auto ready = ::poll(&waiting, 1, patience_ms);
      if (self.keep_going && !self.keep_going()) return AVERROR_EOF;
      if (ready <= 0) {
        if (ready < 0 && errno != EINTR) return AVERROR(errno);
        continue;
      }
      auto got = ::read(self.fd, into, static_cast<std::size_t>(size_bytes));
      if (got > 0) return static_cast<int>(got);
      if (got == 0) return AVERROR_EOF;
      if (errno != EINTR && errno != EAGAIN) return AVERROR(errno);
    }
  }

  static std::int64_t seek(void* opaque, std::int64_t offset, int whence) {
    auto fd = static_cast<input*>(opaque)->fd;
    if (whence == AVSEEK_SIZE) {
      auto here = ::lseek(fd, 0, SEEK_CUR);
      auto end = ::lseek(fd, 0, SEEK_END);
      ::lseek(fd, here, SEEK_SET);
      return end;
    }
    return ::lseek(fd, offset, whence & ~AVSEEK_FORCE);
  }
};

std::string mode_detail(const std::string& mode, const std::string& why) {
  return R"({"mode":")" + mode + R"(","reason":")" + why + "\"}";
}

} // namespace

class remuxer::impl {
public:
  explicit impl(remux_options o) : options_(std::move(o)) {}

  outcome<void> open(int fd) {
    input_ = {fd, options_.keep_going};
    auto seekable = ::lseek(fd, 0, SEEK_SET) == 0;
    auto* buffer = static_cast<unsigned char*>(av_malloc(io_size_bytes));
    if (!buffer) return no_memory();
    io_.reset(avio_alloc_context(buffer, io_size_bytes, 0, &input_, input::read, nullptr, seekable ? input::seek : nullptr));
    auto* raw = avformat_alloc_context();
    if (!io_ || !raw) return no_memory();
    raw->pb = io_.get();
    raw->probesize = probe_size_bytes;
    raw->flags |= AVFMT_FLAG_CUSTOM_IO;
    if (auto code = avformat_open_input(&raw, "", nullptr, nullptr); code < 0)
      return fail(errc::invalid_input, who, "the input is no media that can be read: " + text_of(code));
    demuxer_.reset(raw);
    if (auto code = avformat_find_stream_info(raw, nullptr); code < 0)
      return fail(errc::corrupted, who, "the input's streams cannot be read: " + text_of(code));
    return choose_stream();
  }

  outcome<remux_step> next() {
    remux_step step;
    auto done = ended_ ? outcome<void>{} : advance(step);
    if (!done) return tl::unexpected(done.error());
    step.ended = ended_;
    return step;
  }

private:
  static tl::unexpected<error> no_memory() { return fail(errc::limit_exceeded, who, "no memory for a demuxer"); }

  outcome<void> choose_stream() {
    index_ = av_find_best_stream(demuxer_.get(), AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
    if (index_ < 0) return fail(errc::unsupported, who, "the input has no video");
    auto* stream = demuxer_->streams[index_];
    auto rate = stream->avg_frame_rate.num > 0 ? stream->avg_frame_rate : stream->r_frame_rate;
    if (rate.num > 0 && rate.den > 0) nominal_us_ = std::clamp<std::int64_t>(av_rescale(1'000'000, rate.den, rate.num), 1000, 10'000'000);
    if (!fits_mp4(stream->codecpar->codec_id))
      reason_ = "the codec does not fit MP4";
    else if (stream->codecpar->extradata_size == 0 && stream->codecpar->codec_id != AV_CODEC_ID_VP9)
      reason_ = "the stream has no parameter sets of its own";
    return {};
  }

  outcome<void> advance(remux_step& step) {
    if (!announced_) {
      announced_ = true;
      if (reason_.empty())
        step.events.push_back({options_.muxer.base_us, "source_mode", mode_detail("remux", "")});
      else if (auto turned = turn_to_transcoding(reason_, options_.muxer.base_us, step); !turned)
        return turned;
    }
    auto made = new_packet();
    auto code = av_read_frame(demuxer_.get(), made.packet.get());
    if (code == AVERROR_EOF || code == AVERROR_EXIT) return finish(step);
    if (code < 0) return fail(errc::corrupted, who, "the input cannot be read on: " + text_of(code));
    if (made.packet->stream_index != index_) return {};
    if (auto timed = set_times(*made.packet, step); !timed) return timed;
    return decoder_ ? decode(made, step) : copy(std::move(made), step);
  }

  /// Microseconds since the input's first frame. Times that are missing or fall are a reason to transcode.
  outcome<void> set_times(AVPacket& packet, remux_step& step) {
    if (packet.dts == AV_NOPTS_VALUE || packet.pts == AV_NOPTS_VALUE) {
      if (!decoder_)
        if (auto turned = turn_to_transcoding("a frame has no time", now_us(), step); !turned) return turned;
      return {};
    }
    av_packet_rescale_ts(&packet, demuxer_->streams[index_]->time_base, microseconds);
    if (!zero_us_) zero_us_ = packet.dts;
    packet.dts -= *zero_us_;
    packet.pts -= *zero_us_;
    if (packet.duration <= 0) packet.duration = nominal_us_;
    if (!decoder_ && last_decoded_us_ && packet.dts <= *last_decoded_us_)
      if (auto turned = turn_to_transcoding("times do not rise", now_us(), step); !turned) return turned;
    last_decoded_us_ = packet.dts;
    return {};
  }

  unix_time_us now_us() const { return options_.muxer.base_us + last_decoded_us_.value_or(0); }

  // --- copying -----------------------------------------------------------------------------------------------------

  outcome<void> copy(media_packet packet, remux_step& step) {
    if (packet.key_frame()) {
      group_.clear();
      group_size_bytes_ = 0;
      group_start_us_ = packet.decoded_us();
    }
    auto too_long = packet.decoded_us() - group_start_us_ > options_.encoder.key_frame_interval.count();
    auto too_large = group_size_bytes_ + packet.size_bytes() > options_.encoder.key_frame_size_bytes_max;
    auto no_start = group_.empty() && !packet.key_frame();
    if (too_long || too_large || no_start) {
      auto why = too_long ? "key frames are too far apart" : too_large ? "too many bytes between key frames" : "no key frame at the start";
      if (auto turned = turn_to_transcoding(why, now_us(), step); !turned) return turned;
      return decode(packet, step);
    }
    group_size_bytes_ += packet.size_bytes();
    auto kept = new_packet();
    if (av_packet_ref(kept.packet.get(), packet.packet.get()) < 0) return no_memory();
    group_.push_back(std::move(kept));
    if (frame_count_++ < options_.skip_frame_count) return {};
    return mux(std::move(packet), nullptr, step);
  }

  outcome<void> mux(media_packet packet, const video_encoder* encoder, remux_step& step) {
    if (!muxer_) {
      stream_parameters parameters = encoder ? encoder->parameters() : copied_parameters();
      if (!parameters) return no_memory();
      auto opened = fragment_muxer::open(parameters, options_.muxer);
      if (!opened) return pass_on(std::move(opened));
      muxer_ = std::move(*opened);
    }
    return take(muxer_->add(std::move(packet)), step);
  }

  stream_parameters copied_parameters() const {
    std::unique_ptr<AVCodecParameters, parameters_deleter> copied(avcodec_parameters_alloc());
    if (!copied || avcodec_parameters_copy(copied.get(), demuxer_->streams[index_]->codecpar) < 0) return nullptr;
    return copied;
  }

  static outcome<void> take(outcome<std::vector<fragment>> fragments, remux_step& step) {
    if (!fragments) return pass_on(std::move(fragments));
    std::move(fragments->begin(), fragments->end(), std::back_inserter(step.fragments));
    return {};
  }

  outcome<void> finish(remux_step& step) {
    ended_ = true;
    if (decoder_)
      if (auto done = decoder_->finish([&](AVFrame& frame) { return encode(frame, step); }); !done) return done;
    if (encoder_) {
      auto packets = encoder_->finish();
      if (!packets) return pass_on(std::move(packets));
      for (auto& packet : *packets)
        if (auto done = mux(std::move(packet), &*encoder_, step); !done) return done;
    }
    return muxer_ ? take(muxer_->flush(), step) : outcome<void>{};
  }

  // --- transcoding -------------------------------------------------------------------------------------------------

  /// From here on frames are decoded. Those copied since the last key frame are decoded too, and not encoded again.
  outcome<void> turn_to_transcoding(const std::string& why, unix_time_us at_us, remux_step& step) {
    step.events.push_back({at_us, "source_mode", mode_detail("transcode", why)});
    if (muxer_) {
      if (auto flushed = take(muxer_->flush(), step); !flushed) return flushed;
      muxer_.reset();
    }
    auto opened = video_decoder::open(*demuxer_->streams[index_]->codecpar);
    if (!opened) return pass_on(std::move(opened));
    decoder_ = std::move(*opened);
    for (const auto& packet : group_) copied_us_.push_back(packet.presented_us());
    std::sort(copied_us_.begin(), copied_us_.end());
    auto group = std::exchange(group_, {});
    for (const auto& packet : group)
      if (auto done = decode(packet, step); !done) return done;
    return {};
  }

  outcome<void> decode(const media_packet& packet, remux_step& step) {
    auto done = decoder_->decode(packet, [&](AVFrame& frame) { return encode(frame, step); });
    // A frame that cannot be decoded is missing, not the end: the recording says so.
    if (!done && done.error().code == errc::corrupted && broken_count_++ < broken_count_max) {
      step.events.push_back({now_us(), "frame_lost", R"({"reason":"a frame of the input is broken"})"});
      return {};
    }
    return done;
  }

  outcome<void> encode(AVFrame& frame, remux_step& step) {
    auto at_us = frame.pts == AV_NOPTS_VALUE ? last_shown_us_.value_or(-nominal_us_) + nominal_us_ : frame.pts;
    if (std::binary_search(copied_us_.begin(), copied_us_.end(), at_us)) return {};
    if (last_shown_us_) at_us = std::max(at_us, *last_shown_us_ + 1000);
    last_shown_us_ = at_us;
    if (frame_count_++ < options_.skip_frame_count) return {};
    auto picture = to_picture(frame);
    if (!picture) return pass_on(std::move(picture));
    if (auto ready = ready_encoder(picture->width, picture->height, step); !ready) return ready;
    auto packets = encoder_->encode(*picture, at_us);
    if (!packets) return pass_on(std::move(packets));
    for (auto& packet : *packets)
      if (auto done = mux(std::move(packet), &*encoder_, step); !done) return done;
    return {};
  }

  outcome<void> ready_encoder(std::uint32_t width, std::uint32_t height, remux_step& step) {
    if (encoder_ && encoder_->width() == width && encoder_->height() == height) return {};
    if (muxer_) {
      if (auto flushed = take(muxer_->flush(), step); !flushed) return flushed;
      muxer_.reset();
    }
    auto wanted = options_.encoder;
    wanted.width = width;
    wanted.height = height;
    auto opened = video_encoder::open(wanted);
    if (!opened) return pass_on(std::move(opened));
    encoder_ = std::move(*opened);
    return {};
  }

  /// The decoded frame as BGRX of even size.
  outcome<frame_view> to_picture(const AVFrame& frame) {
    auto width = frame.width & ~1, height = frame.height & ~1;
    scaler_.reset(sws_getCachedContext(scaler_.release(), width, height, static_cast<AVPixelFormat>(frame.format), width,
                                       height, AV_PIX_FMT_BGR0, SWS_BILINEAR, nullptr, nullptr, nullptr));
    if (!scaler_) return fail(errc::unsupported, who, "the input's pictures cannot be converted");
    auto stride = static_cast<std::size_t>(width) * 4;
    pixels_.resize(stride * static_cast<std::size_t>(height));
    std::uint8_t* to[4] = {pixels_.data()};
    int to_stride[4] = {static_cast<int>(stride)};
    sws_scale(scaler_.get(), frame.data, frame.linesize, 0, height, to, to_stride);
    damage_ = {0, 0, static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height)};
    return frame_view{pixels_.data(), static_cast<std::uint32_t>(stride), damage_.width, damage_.height, 0, {&damage_, 1}};
  }

  /// Broken frames after which an input counts as unreadable.
  static constexpr int broken_count_max = 1000;

  remux_options options_;
  input input_;
  io_ptr io_;
  demuxer_ptr demuxer_;
  int index_ = -1;
  std::string reason_; ///< Why it must be transcoded from the start; empty if not.
  bool announced_ = false;
  bool ended_ = false;
  std::uint64_t frame_count_ = 0;
  std::int64_t nominal_us_ = 40'000;
  std::optional<std::int64_t> zero_us_;
  std::optional<std::int64_t> last_decoded_us_;
  std::optional<fragment_muxer> muxer_;

  std::vector<media_packet> group_; ///< Since the last key frame.
  std::size_t group_size_bytes_ = 0;
  std::int64_t group_start_us_ = 0;

  std::optional<video_decoder> decoder_; ///< Present: transcoding.
  std::optional<video_encoder> encoder_;
  std::vector<std::int64_t> copied_us_;
  std::optional<std::int64_t> last_shown_us_;
  int broken_count_ = 0;
  scaler_ptr scaler_;
  byte_buffer pixels_;
  damage_rect damage_;
};

remuxer::remuxer(std::unique_ptr<impl> made) : impl_(std::move(made)) {}
remuxer::remuxer(remuxer&&) noexcept = default;
remuxer& remuxer::operator=(remuxer&&) noexcept = default;
remuxer::~remuxer() = default;

outcome<remuxer> remuxer::open(int fd, remux_options options) {
  auto made = std::make_unique<impl>(std::move(options));
  if (auto opened = made->open(fd); !opened) return tl::unexpected(opened.error());
  return remuxer(std::move(made));
}

outcome<remux_step> remuxer::next() { return impl_->next(); }

} // namespace lucid::ffmpeg
