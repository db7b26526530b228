// adapters/ffmpeg/video_encoder.hpp - pictures of a desktop to an H.264 stream, converting only what changed.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "adapters/ffmpeg/media_packet.hpp"
#include "messages/outcome.hpp"
#include "messages/ports/frame_source.hpp"

namespace lucid::ffmpeg {

struct encoder_options {
  std::string name = "libx264";    ///< Or "auto": what the machine has in hardware, else libx264.
  std::uint32_t width = 0;         ///< Even, 16 .. 8192.
  std::uint32_t height = 0;        ///< Even, 16 .. 8192.
  std::uint32_t frame_rate_max = 15;
  std::uint32_t quality = 23;      ///< Constant rate factor 0 .. 51; hardware gets a bit rate that matches.
  std::string preset = "veryfast"; ///< Of libx264.
  std::uint32_t threads = 1;
  std::chrono::microseconds key_frame_interval{10'000'000}; ///< In shown time.
  std::size_t key_frame_size_bytes_max = 4u << 20; ///< A key frame is due after so many bytes, so that chunks can end.
};

/// An encoder that was tried at the real size and could not be taken.
struct encoder_refusal {
  std::string name;
  error why;
};

/// Encodes pictures in order, without delay and without reordering, at the times they were captured.
///
/// Owns: one picture in YUV 4:2:0 and the encoder's own (about 20 pictures).
/// Threads: none. One owner calls it; the encoder may have threads inside.
/// Errors: `invalid_input` for a size out of bounds, `unsupported` when no encoder can be taken, `io_failed` when one fails.
class video_encoder {
public:
  /// Opens the first encoder that really encodes a picture of this size: the named one, else what it falls back to.
  static outcome<video_encoder> open(const encoder_options& options);

  video_encoder(video_encoder&&) noexcept;
  video_encoder& operator=(video_encoder&&) noexcept;
  ~video_encoder();

  /// Encodes `picture` as shown from `at_us` on (since the track's time zero; later than the last one).
  /// The first picture must be damaged all over.
  outcome<std::vector<media_packet>> encode(const frame_view& picture, std::int64_t at_us);

  /// Encodes the last picture once more: shown from `at_us` on.
  outcome<std::vector<media_packet>> repeat(std::int64_t at_us);

  /// The next picture becomes a key frame.
  void want_key_frame() noexcept;

  /// What is still inside. Nothing can be encoded after it.
  outcome<std::vector<media_packet>> finish();

  const stream_parameters& parameters() const noexcept;
  const std::string& name() const noexcept;                       ///< Of the encoder taken.
  const std::vector<encoder_refusal>& refusals() const noexcept;  ///< Tried before it.
  std::uint32_t width() const noexcept;
  std::uint32_t height() const noexcept;

private:
  class impl;
  explicit video_encoder(std::unique_ptr<impl> made);
  std::unique_ptr<impl> impl_;
};

} // namespace lucid::ffmpeg
