// adapters/ffmpeg/fragment_muxer.hpp - encoded frames to fragments of MP4.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "adapters/ffmpeg/media_packet.hpp"
#include "messages/fragment.hpp"
#include "messages/outcome.hpp"

namespace lucid::ffmpeg {

struct muxer_options {
  unix_time_us base_us = 0; ///< Time zero of the track on the wall clock.
  std::chrono::microseconds fragment_interval{500'000};
};

/// Writes one stream as `ftyp`+`moov`, then `moof`+`mdat` pieces. A fragment begins at each key frame, at the interval,
/// and before it would grow too large. A frame is shown until the next one, however long that takes. The init segment
/// stands before each fragment that starts with a key frame.
///
/// Owns: the fragment under way, at most `fragment_size_bytes_max`.
/// Threads: none. One owner calls it.
/// Errors: `limit_exceeded` for a frame larger than a fragment, `unsupported` for a codec MP4 cannot hold.
/// Source: ISO/IEC 14496-12, sections 8.8 and 8.16.
class fragment_muxer {
public:
  /// A frame above this does not fit a fragment: 4 MiB less 64 KiB for boxes.
  static constexpr std::size_t packet_size_bytes_max = fragment_size_bytes_max - (64u << 10);

  static outcome<fragment_muxer> open(const stream_parameters& stream, const muxer_options& options);

  fragment_muxer(fragment_muxer&&) noexcept;
  fragment_muxer& operator=(fragment_muxer&&) noexcept;
  ~fragment_muxer();

  /// Takes the next frame; answers the fragments it completed.
  outcome<std::vector<fragment>> add(media_packet packet);

  /// Ends the fragment under way, if there is one. Its last frame counts as shown until `shown_until_us` (of the track).
  outcome<std::vector<fragment>> flush(std::int64_t shown_until_us);

  /// As above with the frame's nominal duration.
  outcome<std::vector<fragment>> flush();

  /// Time of the first frame of the fragment under way; empty when there is none.
  std::optional<std::int64_t> open_since_us() const noexcept;

private:
  class impl;
  explicit fragment_muxer(std::unique_ptr<impl> made);
  std::unique_ptr<impl> impl_;
};

} // namespace lucid::ffmpeg
