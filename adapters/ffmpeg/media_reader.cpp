// adapters/ffmpeg/media_reader.cpp - counts frames and exports a recording to one MP4 file.
#include "adapters/ffmpeg/media_reader.hpp"

#include <algorithm>

#include "adapters/ffmpeg/fragment_stream.hpp"
#include "adapters/ffmpeg/video_decoder.hpp"

namespace lucid::ffmpeg {
namespace {

constexpr const char* who = "export";

struct filter_deleter {
  void operator()(AVBSFContext* filter) const noexcept { av_bsf_free(&filter); }
};
using filter_ptr = std::unique_ptr<AVBSFContext, filter_deleter>;

/// Puts the parameter sets before each key frame, so that one track can hold segments of several sizes.
outcome<filter_ptr> open_filter(const AVCodecParameters& parameters) {
  const char* name = parameters.codec_id == AV_CODEC_ID_H264   ? "h264_mp4toannexb"
                     : parameters.codec_id == AV_CODEC_ID_HEVC ? "hevc_mp4toannexb"
                                                               : "null";
  AVBSFContext* raw = nullptr;
  if (av_bsf_alloc(av_bsf_get_by_name(name), &raw) < 0)
    return fail(errc::unsupported, who, std::string("this FFmpeg lacks its filter ") + name);
  filter_ptr filter(raw);
  filter->time_base_in = microseconds;
  if (avcodec_parameters_copy(filter->par_in, &parameters) < 0)
    return fail(errc::limit_exceeded, who, "no memory for a stream");
  if (auto code = av_bsf_init(filter.get()); code < 0) return fail_with(code, who, "the stream cannot be converted");
  return filter;
}

/// The file under way. The time of its first frame is its time zero.
class mp4_file {
public:
  explicit mp4_file(std::string path) : path_(std::move(path)) {}
  mp4_file(const mp4_file&) = delete;
  mp4_file& operator=(const mp4_file&) = delete;
  ~mp4_file() {
    if (context_ && context_->pb) avio_closep(&context_->pb);
  }

  outcome<void> write(media_packet packet, const stream_parameters& parameters) {
    if (parameters != parameters_) {
      auto filter = open_filter(*parameters);
      if (!filter) return pass_on(std::move(filter));
      filter_ = std::move(*filter);
      parameters_ = parameters;
      ++summary.segment_count;
    }
    if (!context_)
      if (auto opened = open(packet); !opened) return opened;
    summary.last_us = std::max(summary.last_us, packet.presented_us());
    ++summary.frame_count;
    if (auto code = av_bsf_send_packet(filter_.get(), packet.packet.get()); code < 0)
      return fail(errc::corrupted, who, "a frame cannot be converted: " + text_of(code));
    while (av_bsf_receive_packet(filter_.get(), packet.packet.get()) >= 0)
      if (auto written = write_converted(*packet.packet); !written) return written;
    return {};
  }

  outcome<void> finish() {
    if (!context_) return fail(errc::not_found, who, "no frame was recorded in this range");
    if (auto code = av_write_trailer(context_.get()); code < 0) return broken(code);
    if (auto code = avio_closep(&context_->pb); code < 0) return broken(code);
    return {};
  }

  export_summary summary{0, 0, 0, 0};

private:
  outcome<void> open(const media_packet& first) {
    AVFormatContext* raw = nullptr;
    if (avformat_alloc_output_context2(&raw, nullptr, "mp4", nullptr) < 0)
      return fail(errc::limit_exceeded, who, "no memory for a muxer");
    context_.reset(raw);
    auto* track = avformat_new_stream(context_.get(), nullptr);
    if (!track || avcodec_parameters_copy(track->codecpar, filter_->par_out) < 0)
      return fail(errc::limit_exceeded, who, "no memory for a stream");
    track->codecpar->codec_tag = 0;
    track->time_base = microseconds;
    if (auto code = avio_open(&context_->pb, path_.c_str(), AVIO_FLAG_WRITE); code < 0) return broken(code);
    options extra;
    extra.set("video_track_timescale", "90000");
    if (auto code = avformat_write_header(context_.get(), extra.out()); code < 0) return broken(code);
    summary.first_us = summary.last_us = first.presented_us();
    zero_us_ = first.decoded_us();
    return {};
  }

  outcome<void> write_converted(AVPacket& packet) {
    packet.stream_index = 0;
    packet.pts -= zero_us_;
    packet.dts -= zero_us_;
    // A clock that stepped back must not make the file unplayable. 12 us: one tick of 1/90000 s.
    if (last_us_ && packet.dts < *last_us_ + 12) packet.dts = *last_us_ + 12;
    packet.pts = std::max(packet.pts, packet.dts);
    last_us_ = packet.dts;
    av_packet_rescale_ts(&packet, microseconds, context_->streams[0]->time_base);
    if (auto code = av_write_frame(context_.get(), &packet); code < 0) return broken(code);
    return {};
  }

  tl::unexpected<error> broken(int code) const { return fail_with(code, who, path_ + " cannot be written"); }

  std::string path_;
  filter_ptr filter_;
  muxer_ptr context_;
  stream_parameters parameters_; ///< Of the segment under way.
  std::int64_t zero_us_ = 0;
  std::optional<std::int64_t> last_us_;
};

struct waiting_packet {
  media_packet packet;
  stream_parameters parameters;
};

/// Bound of packets kept while looking for the range's first key frame: 16 MiB, three times the longest distance
/// between key frames in a recording of ours.
constexpr std::size_t waiting_size_bytes_max = 16u << 20;

/// The packets since the last key frame before the range.
class waiting_room {
public:
  outcome<void> add(media_packet packet, stream_parameters parameters) {
    if (packet.key_frame()) {
      packets_.clear();
      size_bytes_ = 0;
    }
    size_bytes_ += packet.size_bytes();
    if (size_bytes_ > waiting_size_bytes_max)
      return fail(errc::limit_exceeded, who, "more than 16 MiB without a key frame");
    packets_.push_back({std::move(packet), std::move(parameters)});
    return {};
  }

  outcome<void> write_to(mp4_file& file) {
    for (auto& w : packets_)
      if (auto written = file.write(std::move(w.packet), w.parameters); !written) return written;
    packets_.clear();
    return {};
  }

private:
  std::vector<waiting_packet> packets_;
  std::size_t size_bytes_ = 0;
};

outcome<void> copy_range(fragment_stream& stream, mp4_file& file, const media_range& range) {
  waiting_room waiting;
  for (;;) {
    auto next = stream.next();
    if (!next) return pass_on(std::move(next));
    // At the end or behind the range: if nothing changed within it, what was shown then still waits.
    if (!*next || (**next).decoded_us() >= range.to_us) return waiting.write_to(file);
    auto packet = std::move(**next);
    if (packet.presented_us() <= range.from_us) {
      if (auto added = waiting.add(std::move(packet), stream.parameters()); !added) return added;
      continue;
    }
    if (auto written = waiting.write_to(file); !written) return written;
    if (auto written = file.write(std::move(packet), stream.parameters()); !written) return written;
  }
}

} // namespace

outcome<export_summary> remux_to_mp4(const media_parts& parts, const std::string& path, const media_range& range) {
  fragment_stream stream(parts);
  mp4_file file(path);
  if (auto copied = copy_range(stream, file, range); !copied) return tl::unexpected(copied.error());
  if (auto finished = file.finish(); !finished) return tl::unexpected(finished.error());
  return file.summary;
}

outcome<media_summary> summarize(const media_parts& parts) {
  fragment_stream stream(parts);
  media_summary summary;
  std::optional<video_decoder> decoder;
  stream_parameters segment;
  auto count = [&](AVFrame& frame) -> outcome<void> {
    if (summary.frame_count++ == 0) summary.first_us = frame.pts;
    summary.last_us = frame.pts;
    summary.width = static_cast<std::uint32_t>(frame.width);
    summary.height = static_cast<std::uint32_t>(frame.height);
    if (summary.times_us.size() < media_summary::times_count_max) summary.times_us.push_back(frame.pts);
    return {};
  };
  for (;;) {
    auto next = stream.next();
    if (!next) return pass_on(std::move(next));
    if (!*next) break;
    if (stream.parameters() != segment) {
      if (decoder)
        if (auto done = decoder->finish(count); !done) return tl::unexpected(done.error());
      auto opened = video_decoder::open(*stream.parameters());
      if (!opened) return pass_on(std::move(opened));
      decoder = std::move(*opened);
      segment = stream.parameters();
    }
    if ((**next).key_frame()) ++summary.key_frame_count;
    if (auto done = decoder->decode(**next, count); !done) return tl::unexpected(done.error());
  }
  if (decoder)
    if (auto done = decoder->finish(count); !done) return tl::unexpected(done.error());
  return summary;
}

outcome<media_summary> summarize(byte_view bytes) {
  auto once = [rest = bytes]() mutable -> outcome<byte_buffer> {
    auto all = std::exchange(rest, {});
    return byte_buffer(all.begin(), all.end());
  };
  return summarize(media_parts(once));
}

} // namespace lucid::ffmpeg
