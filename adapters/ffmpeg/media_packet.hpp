// adapters/ffmpeg/media_packet.hpp - encoded frames and what describes their stream, without FFmpeg's headers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

struct AVPacket;
struct AVCodecParameters;

namespace lucid::ffmpeg {

struct packet_deleter {
  void operator()(AVPacket* packet) const noexcept;
};
struct parameters_deleter {
  void operator()(AVCodecParameters* parameters) const noexcept;
};

/// One encoded frame. Times in microseconds since the track's time zero.
struct media_packet {
  std::unique_ptr<AVPacket, packet_deleter> packet;

  bool key_frame() const noexcept;
  std::size_t size_bytes() const noexcept;
  std::int64_t presented_us() const noexcept;
  std::int64_t decoded_us() const noexcept;
  std::int64_t duration_us() const noexcept;
};

/// Codec, size and parameter sets of a stream. Shared, immutable.
using stream_parameters = std::shared_ptr<const AVCodecParameters>;

/// FFmpeg's own log goes to `sink` (one line a call, level warning or worse), at most `line_count_max` lines a process.
void redirect_log(void (*sink)(const char* line, bool is_error));

} // namespace lucid::ffmpeg
