// adapters/ffmpeg/video_decoder.hpp - packets to pictures; for this folder's sources only.
#pragma once

#include <functional>
#include <optional>

#include "adapters/ffmpeg/ffmpeg_types.hpp"

namespace lucid::ffmpeg {

/// Takes one decoded picture; its time is `frame.pts`, in the packets' unit.
using picture_taker = std::function<outcome<void>(AVFrame& frame)>;

/// A software decoder with one thread. Threads: none. Errors: `unsupported`, `corrupted`.
class video_decoder {
public:
  static outcome<video_decoder> open(const AVCodecParameters& parameters);

  /// Decodes `packet`; pictures come out in order of presentation, possibly later.
  outcome<void> decode(const media_packet& packet, const picture_taker& take);

  /// What is still inside. The decoder can go on with a key frame after it.
  outcome<void> finish(const picture_taker& take);

private:
  outcome<void> receive(const picture_taker& take);

  codec_ptr context_;
  frame_ptr frame_;
};

} // namespace lucid::ffmpeg
