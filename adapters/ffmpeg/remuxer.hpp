// adapters/ffmpeg/remuxer.hpp - an existing media file or stream as fragments, encoded anew only where it must be.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "adapters/ffmpeg/fragment_muxer.hpp"
#include "adapters/ffmpeg/video_encoder.hpp"
#include "messages/ports/frame_source.hpp"

namespace lucid::ffmpeg {

struct remux_options {
  muxer_options muxer;
  encoder_options encoder;         ///< Used when the input cannot be taken as it is; its size is the input's.
  std::uint64_t skip_frame_count = 0; ///< Frames recorded already.
  /// Asked while waiting for bytes, at least every 100 ms; false ends the input there.
  std::function<bool()> keep_going;
};

/// What one step brought.
struct remux_step {
  std::vector<fragment> fragments;
  std::vector<source_event> events;
  bool ended = false;
};

/// Reads media from a file descriptor. Packets that MP4 can hold are copied. Where key frames lie further apart than
/// 10 s or 4 MiB, times are missing or the codec does not fit, it decodes and encodes from there on and says so in an
/// event. What it does depends on the input alone, so that frame N is the same each time.
///
/// Owns: the frames since the last key frame (at most 4 MiB), a decoder, an encoder. Not the descriptor.
/// Threads: none. One owner calls it.
/// Errors: `invalid_input` for what is no media, `unsupported` when it has no video, `corrupted` ...
class remuxer {
public:
  static outcome<remuxer> open(int fd, remux_options options);

  remuxer(remuxer&&) noexcept;
  remuxer& operator=(remuxer&&) noexcept;
  ~remuxer();

  /// Reads one more packet. After `ended` nothing more comes.
  outcome<remux_step> next();

private:
  class impl;
  explicit remuxer(std::unique_ptr<impl> made);
  std::unique_ptr<impl> impl_;
};

} // namespace lucid::ffmpeg
