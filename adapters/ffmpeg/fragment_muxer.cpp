// adapters/ffmpeg/fragment_muxer.cpp - drives libavformat's MP4 writer, whose output is cut into fragments.
#include "adapters/ffmpeg/fragment_muxer.hpp"

#include <algorithm>

#include "adapters/ffmpeg/ffmpeg_types.hpp"

namespace lucid::ffmpeg {
namespace {

constexpr const char* who = "muxer";

/// Buffer between libavformat and ours: the usual page of 32 KiB.
constexpr int io_size_bytes = 32 << 10;

/// Appends to the byte_buffer behind `opaque`. C code calls it, so nothing may be thrown through.
int append(void* opaque, written_byte* bytes, int size) {
  try {
    auto* into = static_cast<byte_buffer*>(opaque);
    into->insert(into->end(), bytes, bytes + size);
    return size;
  } catch (...) {
    return AVERROR(ENOMEM);
  }
}

io_ptr open_io(byte_buffer& into) {
  auto* buffer = static_cast<unsigned char*>(av_malloc(io_size_bytes));
  if (!buffer) return nullptr;
  io_ptr io(avio_alloc_context(buffer, io_size_bytes, 1, &into, nullptr, append, nullptr));
  if (!io) av_free(buffer);
  return io;
}

/// What is known of the fragment under way.
struct open_fragment {
  std::uint32_t frame_count = 0;
  std::size_t size_bytes = 0;
  std::int64_t first_decoded_us = 0;
  std::int64_t start_us = 0;
  std::int64_t end_us = 0;
  bool key_frame = false;
  bool started = false; ///< Its first frame is written.
};

} // namespace

class fragment_muxer::impl {
public:
  explicit impl(const muxer_options& options) : options_(options) {}

  outcome<void> open(const stream_parameters& stream) {
    stream_ = stream;
    if (auto opened = open_context(); !opened) return opened;
    auto init = take();
    if (!init) return pass_on(std::move(init));
    init_ = std::move(*init);
    return {};
  }

  outcome<std::vector<fragment>> add(media_packet packet) {
    if (packet.size_bytes() > packet_size_bytes_max)
      return fail(errc::limit_exceeded, who, "a frame of " + std::to_string(packet.size_bytes()) +
                                               " bytes does not fit a fragment");
    std::vector<fragment> done;
    if (open_ && must_cut_before(packet)) {
      auto cut = flush(packet.decoded_us());
      if (!cut) return cut;
      done = std::move(*cut);
    } else if (held_.packet) {
      if (auto written = write_held(packet.decoded_us()); !written) return tl::unexpected(written.error());
    }
    note(packet);
    held_ = std::move(packet);
    return done;
  }

  outcome<std::vector<fragment>> flush(std::int64_t shown_until_us) {
    if (!open_) return std::vector<fragment>{};
    if (auto written = write_held(shown_until_us); !written) return tl::unexpected(written.error());
    if (auto code = av_write_frame(context_.get(), nullptr); code < 0)
      return fail_with(code, who, "a fragment could not be written");
    ++fragment_number_;
    fragment made;
    made.key_frame = open_->key_frame;
    made.frame_count = open_->frame_count;
    made.start_us = options_.base_us + open_->start_us;
    made.end_us = options_.base_us + open_->end_us;
    open_.reset();
    auto bytes = take();
    if (!bytes) return pass_on(std::move(bytes));
    made.bytes = std::move(*bytes);
    std::vector<fragment> done;
    if (made.key_frame) done.push_back(init_from(made.start_us));
    done.push_back(std::move(made));
    return done;
  }

  muxer_options options_;
  stream_parameters stream_;
  payload init_;
  std::uint32_t fragment_number_ = 1;
  std::optional<std::int64_t> written_until_us_;
  byte_buffer written_;
  io_ptr io_;
  muxer_ptr context_;
  media_packet held_; ///< The last frame: how long it is shown is known only with the next one.
  std::optional<open_fragment> open_;

private:
  outcome<void> open_context() {
    if (!io_) io_ = open_io(written_);
    AVFormatContext* raw = nullptr;
    if (!io_ || avformat_alloc_output_context2(&raw, nullptr, "mp4", nullptr) < 0)
      return fail(errc::limit_exceeded, who, "no memory for a muxer");
    context_.reset(raw);
    context_->pb = io_.get();
    context_->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT;
    // Times are the track's; libavformat would move the first one to zero.
    context_->avoid_negative_ts = 0;
    auto* track = avformat_new_stream(context_.get(), nullptr);
    if (!track || avcodec_parameters_copy(track->codecpar, stream_.get()) < 0)
      return fail(errc::limit_exceeded, who, "no memory for a stream");
    track->codecpar->codec_tag = 0;
    track->time_base = microseconds;
    options extra;
    // frag_discont: decode times count from the track's time zero, not from this context's first frame.
    extra.set("movflags", "empty_moov+default_base_moof+frag_custom+frag_discont+skip_trailer");
    extra.set("use_editlist", "0");
    extra.set("video_track_timescale", "1000000");
    extra.set("fragment_index", std::to_string(fragment_number_));
    if (auto code = avformat_write_header(context_.get(), extra.out()); code < 0)
      return fail_with(code, who, "MP4 cannot hold this stream");
    return {};
  }

  /// libavformat lets a fragment follow the one before it without a gap. Where nothing moved for a while, a new context
  /// states the true time; its init segment is the one in force and is not written again.
  outcome<void> bridge_gap(std::int64_t decoded_us) {
    if (!written_until_us_ || *written_until_us_ == decoded_us) return {};
    if (auto opened = open_context(); !opened) return opened;
    avio_flush(io_.get());
    written_.clear();
    return {};
  }

  bool must_cut_before(const media_packet& packet) const {
    return packet.key_frame() ||
           packet.decoded_us() - open_->first_decoded_us >= options_.fragment_interval.count() ||
           open_->size_bytes + packet.size_bytes() > packet_size_bytes_max;
  }

  void note(const media_packet& packet) {
    auto end_us = packet.presented_us() + packet.duration_us();
    if (!open_)
      open_ = open_fragment{0, 0, packet.decoded_us(), packet.presented_us(), end_us, packet.key_frame(), false};
    ++open_->frame_count;
    // 32: the frame's entry in `trun`, and its parameter sets' share.
    open_->size_bytes += packet.size_bytes() + 32;
    open_->start_us = std::min(open_->start_us, packet.presented_us());
    open_->end_us = std::max(open_->end_us, end_us);
  }

  outcome<void> write_held(std::int64_t shown_until_us) {
    auto* packet = held_.packet.get();
    if (shown_until_us > packet->dts) packet->duration = shown_until_us - packet->dts;
    open_->end_us = std::max(open_->end_us, packet->pts + packet->duration);
    packet->stream_index = 0;
    if (!std::exchange(open_->started, true))
      if (auto bridged = bridge_gap(packet->dts); !bridged) return bridged;
    written_until_us_ = packet->dts + packet->duration;
    auto code = av_write_frame(context_.get(), packet);
    held_.packet.reset();
    if (code < 0) return fail_with(code, who, "a frame could not be written");
    return {};
  }

  /// What the muxer wrote since the last time.
  outcome<payload> take() {
    avio_flush(io_.get());
    if (written_.empty() || written_.size() > fragment_size_bytes_max)
      return fail(errc::limit_exceeded, who, "a fragment of " + std::to_string(written_.size()) + " bytes came out");
    return payload(std::exchange(written_, {}));
  }

  fragment init_from(unix_time_us at_us) const {
    fragment made;
    made.kind = fragment_kind::init;
    made.start_us = made.end_us = at_us;
    made.bytes = init_;
    return made;
  }
};

fragment_muxer::fragment_muxer(std::unique_ptr<impl> made) : impl_(std::move(made)) {}
fragment_muxer::fragment_muxer(fragment_muxer&&) noexcept = default;
fragment_muxer& fragment_muxer::operator=(fragment_muxer&&) noexcept = default;
fragment_muxer::~fragment_muxer() = default;

outcome<fragment_muxer> fragment_muxer::open(const stream_parameters& stream, const muxer_options& options) {
  auto made = std::make_unique<impl>(options);
  if (auto opened = made->open(stream); !opened) return tl::unexpected(opened.error());
  return fragment_muxer(std::move(made));
}

outcome<std::vector<fragment>> fragment_muxer::add(media_packet packet) { return impl_->add(std::move(packet)); }

outcome<std::vector<fragment>> fragment_muxer::flush(std::int64_t shown_until_us) {
  return impl_->flush(shown_until_us);
}

outcome<std::vector<fragment>> fragment_muxer::flush() {
  const auto& held = impl_->held_;
  return impl_->flush(held.packet ? held.decoded_us() + held.duration_us() : 0);
}

std::optional<std::int64_t> fragment_muxer::open_since_us() const noexcept {
  if (!impl_->open_) return std::nullopt;
  return impl_->open_->start_us;
}

} // namespace lucid::ffmpeg
