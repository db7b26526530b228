// adapters/ffmpeg/fragment_stream.hpp - the packets of a recording's video track; for this folder's sources only.
#pragma once

#include <optional>

#include "adapters/ffmpeg/ffmpeg_types.hpp"
#include "adapters/ffmpeg/media_reader.hpp"

namespace lucid::ffmpeg {

/// Demuxes `[init][fragment]*` with repeated and changed init segments. A repeated init is skipped; a changed one begins
/// a new segment with parameters of its own.
///
/// Owns: one box of the stream (at most 16 MiB), one part. Threads: none.
/// Errors: `corrupted` for what is no such stream, `limit_exceeded` for a box too large.
class fragment_stream {
public:
  explicit fragment_stream(const media_parts& parts) : parts_(parts) {}
  fragment_stream(const fragment_stream&) = delete;
  fragment_stream& operator=(const fragment_stream&) = delete;

  /// The next frame, its times in microseconds since the track's time zero; empty at the end.
  outcome<std::optional<media_packet>> next();

  /// Of the segment the last frame belongs to. Another object means another segment.
  const stream_parameters& parameters() const noexcept { return parameters_; }

private:
  struct box {
    std::uint32_t type = 0;
    byte_buffer bytes;
  };

  outcome<bool> open_segment();
  outcome<std::optional<media_packet>> read_packet();
  outcome<std::optional<box>> next_box();
  outcome<bool> fill(std::size_t size_bytes);
  outcome<bool> load_next_piece();
  int serve(std::uint8_t* into, int size_bytes);
  static int serve_demuxer(void* opaque, std::uint8_t* into, int size_bytes);

  const media_parts& parts_;
  byte_buffer rest_;           ///< Of the parts: not yet cut into boxes.
  std::size_t rest_at_ = 0;
  bool parts_ended_ = false;
  byte_buffer init_;           ///< In force.
  byte_buffer next_init_;      ///< Begins the next segment.
  byte_buffer piece_;          ///< What the demuxer reads now.
  std::size_t piece_at_ = 0;
  std::optional<error> failure_; ///< Met while the demuxer was reading.
  stream_parameters parameters_;
  io_ptr io_;
  demuxer_ptr demuxer_;
};

} // namespace lucid::ffmpeg
