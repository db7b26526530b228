// adapters/ffmpeg/fragment_stream.cpp - cuts the stream at its top-level boxes and lets libavformat read the rest.
#include "adapters/ffmpeg/fragment_stream.hpp"

#include <algorithm>
#include <cstring>

namespace lucid::ffmpeg {
namespace {

constexpr const char* who = "media";

/// No box of ours is larger than a fragment; a foreign one may be as large as a chunk.
constexpr std::size_t box_size_bytes_max = 16u << 20;
constexpr int io_size_bytes = 32 << 10;

constexpr std::uint32_t four_cc(const char (&text)[5]) {
  return std::uint32_t(std::uint8_t(text[0])) << 24 | std::uint32_t(std::uint8_t(text[1])) << 16 |
         std::uint32_t(std::uint8_t(text[2])) << 8 | std::uint8_t(text[3]);
}

std::uint32_t big_endian(const std::uint8_t* at) {
  return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 | at[3];
}

void append(byte_buffer& to, const byte_buffer& from) { to.insert(to.end(), from.begin(), from.end()); }

} // namespace

/// Makes `size_bytes` available in `rest_`; false at a clean end of the parts.
outcome<bool> fragment_stream::fill(std::size_t size_bytes) {
  while (rest_.size() - rest_at_ < size_bytes && !parts_ended_) {
    auto part = parts_();
    if (!part) return pass_on(std::move(part));
    if (part->empty()) {
      parts_ended_ = true;
      break;
    }
    rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(rest_at_));
    rest_at_ = 0;
    if (rest_.empty())
      rest_ = std::move(*part);
    else
      append(rest_, *part);
  }
  if (rest_.size() - rest_at_ >= size_bytes) return true;
  if (rest_.size() == rest_at_) return false;
  return fail(errc::truncated, who, "the video ends inside a box");
}

outcome<std::optional<fragment_stream::box>> fragment_stream::next_box() {
  auto ready = fill(8);
  if (!ready) return pass_on(std::move(ready));
  if (!*ready) return std::optional<box>{};
  auto size = std::size_t{big_endian(rest_.data() + rest_at_)};
  auto type = big_endian(rest_.data() + rest_at_ + 4);
  if (size < 8 || size > box_size_bytes_max)
    return fail(errc::corrupted, who, "a box of " + std::to_string(size) + " bytes cannot be part of a recording");
  if (ready = fill(size); !ready) return pass_on(std::move(ready));
  auto begin = rest_.begin() + static_cast<std::ptrdiff_t>(rest_at_);
  rest_at_ += size;
  return std::optional(box{type, byte_buffer(begin, begin + static_cast<std::ptrdiff_t>(size))});
}

/// Puts the next thing to demux into `piece_`; false where the segment ends.
outcome<bool> fragment_stream::load_next_piece() {
  for (;;) {
    auto found = next_box();
    if (!found) return pass_on(std::move(found));
    if (!*found) return false;
    auto& current = **found;
    if (current.type != four_cc("ftyp")) {
      piece_ = std::move(current.bytes);
      piece_at_ = 0;
      return true;
    }
    auto moov = next_box();
    if (!moov) return pass_on(std::move(moov));
    if (!*moov || (*moov)->type != four_cc("moov"))
      return fail(errc::corrupted, who, "an init segment lacks its moov box");
    append(current.bytes, (*moov)->bytes);
    if (current.bytes == init_) continue;
    next_init_ = std::move(current.bytes);
    return false;
  }
}

int fragment_stream::serve_demuxer(void* opaque, std::uint8_t* into, int size_bytes) {
  try {
    return static_cast<fragment_stream*>(opaque)->serve(into, size_bytes);
  } catch (...) {
    return AVERROR(ENOMEM);
  }
}

int fragment_stream::serve(std::uint8_t* into, int size_bytes) {
  if (piece_at_ == piece_.size()) {
    auto loaded = next_init_.empty() ? load_next_piece() : outcome<bool>(false);
    if (!loaded) {
      failure_ = loaded.error();
      return AVERROR(EIO);
    }
    if (!*loaded) return AVERROR_EOF;
  }
  auto size = std::min(static_cast<std::size_t>(size_bytes), piece_.size() - piece_at_);
  std::memcpy(into, piece_.data() + piece_at_, size);
  piece_at_ += size;
  return static_cast<int>(size);
}

/// Opens the demuxer on the next segment; false at the end of the stream.
outcome<bool> fragment_stream::open_segment() {
  if (next_init_.empty()) {
    piece_at_ = piece_.size();
    auto loaded = load_next_piece();
    if (!loaded) return loaded;
    if (*loaded) return fail(errc::corrupted, who, "the video does not begin with an init segment");
    if (next_init_.empty()) return false;
  }
  init_ = std::move(next_init_);
  next_init_.clear();
  piece_ = init_;
  piece_at_ = 0;
  demuxer_.reset();
  auto* buffer = static_cast<unsigned char*>(av_malloc(io_size_bytes));
  if (!buffer) return fail(errc::limit_exceeded, who, "no memory for a demuxer");
  io_.reset(avio_alloc_context(buffer, io_size_bytes, 0, this, serve_demuxer, nullptr, nullptr));
  auto* raw = avformat_alloc_context();
  if (!io_ || !raw) return fail(errc::limit_exceeded, who, "no memory for a demuxer");
  raw->pb = io_.get();
  raw->flags |= AVFMT_FLAG_CUSTOM_IO;
  // On failure it frees `raw`.
  if (auto code = avformat_open_input(&raw, "", av_find_input_format("mp4"), nullptr); code < 0) {
    if (failure_) return tl::unexpected(*failure_);
    return fail(errc::corrupted, who, "the init segment cannot be read: " + text_of(code));
  }
  demuxer_.reset(raw);
  if (demuxer_->nb_streams != 1 || demuxer_->streams[0]->codecpar->codec_type != AVMEDIA_TYPE_VIDEO)
    return fail(errc::corrupted, who, "the init segment does not describe one video track");
  std::unique_ptr<AVCodecParameters, parameters_deleter> copy(avcodec_parameters_alloc());
  if (!copy || avcodec_parameters_copy(copy.get(), demuxer_->streams[0]->codecpar) < 0)
    return fail(errc::limit_exceeded, who, "no memory for a demuxer");
  parameters_ = std::move(copy);
  return true;
}

outcome<std::optional<media_packet>> fragment_stream::read_packet() {
  auto made = new_packet();
  auto code = av_read_frame(demuxer_.get(), made.packet.get());
  if (failure_) return tl::unexpected(*failure_);
  if (code == AVERROR_EOF) return std::optional<media_packet>{};
  if (code < 0) return fail(errc::corrupted, who, "a fragment cannot be read: " + text_of(code));
  if (made.packet->pts == AV_NOPTS_VALUE || made.packet->dts == AV_NOPTS_VALUE)
    return fail(errc::corrupted, who, "a frame has no time");
  av_packet_rescale_ts(made.packet.get(), demuxer_->streams[0]->time_base, microseconds);
  return std::optional(std::move(made));
}

outcome<std::optional<media_packet>> fragment_stream::next() {
  for (;;) {
    if (demuxer_) {
      auto packet = read_packet();
      if (!packet || *packet) return packet;
      if (next_init_.empty()) return packet;
    }
    auto opened = open_segment();
    if (!opened) return pass_on(std::move(opened));
    if (!*opened) return std::optional<media_packet>{};
  }
}

} // namespace lucid::ffmpeg
