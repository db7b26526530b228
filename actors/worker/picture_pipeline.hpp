// actors/worker/picture_pipeline.hpp - pictures in, fragments out: encoder and muxer, made anew at each change of size.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "adapters/ffmpeg/fragment_muxer.hpp"
#include "adapters/ffmpeg/video_encoder.hpp"
#include "messages/worker_protocol.hpp"

namespace lucid {

/// What became ready.
struct pipeline_output {
  std::vector<fragment> fragments;
  std::vector<source_event> events;
};

/// Encoder settings as a `worker_start` asks for them; the size is the picture's.
ffmpeg::encoder_options encoder_options_of(const worker_start& start);
ffmpeg::muxer_options muxer_options_of(const worker_start& start);

/// Times are the wall clock's, as captured; what would lie before the frame before it is moved behind it.
///
/// Owns: encoder, muxer, the fragment under way. Threads: none. One owner calls it.
/// Errors: as `video_encoder` and `fragment_muxer`.
class picture_pipeline {
public:
  explicit picture_pipeline(const worker_start& start);

  outcome<void> add(const frame_view& picture, pipeline_output& into);

  /// Ends a fragment that has been open for the fragment interval: nothing moves, and what moved must reach the disk.
  outcome<void> tick(unix_time_us now_us, pipeline_output& into);

  /// Ends everything. With a time, the last picture is shown until then.
  outcome<void> finish(std::optional<unix_time_us> shown_until_us, pipeline_output& into);

  std::uint64_t frame_count() const noexcept { return frame_count_; }

private:
  outcome<void> add_once(const frame_view& picture, std::int64_t at_us, pipeline_output& into, bool& too_large);
  outcome<void> open(const frame_view& picture, std::int64_t at_us, pipeline_output& into);
  outcome<void> close(pipeline_output& into);
  outcome<void> mux(std::vector<ffmpeg::media_packet> packets, pipeline_output& into);

  ffmpeg::encoder_options encoder_options_;
  ffmpeg::muxer_options muxer_options_;
  std::optional<ffmpeg::video_encoder> encoder_;
  std::optional<ffmpeg::fragment_muxer> muxer_;
  std::int64_t earliest_us_; ///< Of the next picture.
  std::uint64_t frame_count_ = 0;
};

} // namespace lucid
