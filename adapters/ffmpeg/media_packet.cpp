// adapters/ffmpeg/media_packet.cpp - packets, FFmpeg's codes and FFmpeg's log.
#include "adapters/ffmpeg/media_packet.hpp"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <new>

#include "adapters/ffmpeg/ffmpeg_types.hpp"

namespace lucid::ffmpeg {
namespace {

/// A broken file may cause a line a packet: enough to see why, not enough to fill a log.
constexpr int line_count_max = 200;

std::atomic<void (*)(const char*, bool)> log_sink{nullptr};
std::atomic<int> line_count{0};

void take_log_line(void* context, int level, const char* format, va_list arguments) {
  auto* sink = log_sink.load();
  if (level > AV_LOG_WARNING || !sink || line_count.fetch_add(1) >= line_count_max) return;
  char line[512];
  int with_prefix = 1;
  av_log_format_line2(context, level, format, arguments, line, sizeof line, &with_prefix);
  sink(line, level <= AV_LOG_ERROR);
}

} // namespace

void packet_deleter::operator()(AVPacket* packet) const noexcept { av_packet_free(&packet); }
void parameters_deleter::operator()(AVCodecParameters* parameters) const noexcept {
  avcodec_parameters_free(&parameters);
}

bool media_packet::key_frame() const noexcept { return (packet->flags & AV_PKT_FLAG_KEY) != 0; }
std::size_t media_packet::size_bytes() const noexcept { return static_cast<std::size_t>(packet->size); }
std::int64_t media_packet::presented_us() const noexcept { return packet->pts; }
std::int64_t media_packet::decoded_us() const noexcept { return packet->dts; }
std::int64_t media_packet::duration_us() const noexcept { return packet->duration; }

void redirect_log(void (*sink)(const char*, bool)) {
  log_sink = sink;
  av_log_set_level(AV_LOG_WARNING);
  av_log_set_callback(take_log_line);
}

std::string text_of(int code) {
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(code, text, sizeof text);
  return text;
}

errc errc_of(int code) noexcept {
  switch (code) {
    case AVERROR(ENOSPC): return errc::disk_full;
    case AVERROR(ENOENT): return errc::not_found;
    case AVERROR(EACCES):
    case AVERROR(EPERM): return errc::permission_denied;
    case AVERROR(EROFS): return errc::read_only;
    case AVERROR(ENOMEM): return errc::limit_exceeded;
    case AVERROR(EIO): return errc::io_failed;
    case AVERROR_INVALIDDATA: return errc::corrupted;
    case AVERROR_EOF: return errc::truncated;
    case AVERROR_ENCODER_NOT_FOUND:
    case AVERROR_DECODER_NOT_FOUND:
    case AVERROR_DEMUXER_NOT_FOUND:
    case AVERROR_PATCHWELCOME: return errc::unsupported;
    default: return errc::io_failed;
  }
}

media_packet new_packet() {
  media_packet made{std::unique_ptr<AVPacket, packet_deleter>(av_packet_alloc())};
  if (!made.packet) throw std::bad_alloc();
  return made;
}

} // namespace lucid::ffmpeg
