// adapters/ffmpeg/media_reader.hpp - reads recordings back: export to one file, counting, contact sheets.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "messages/bytes.hpp"
#include "messages/identity.hpp"
#include "messages/outcome.hpp"

namespace lucid::ffmpeg {

/// Gives the next piece of the video track's plaintext (a chunk, or any part of one), in order; empty at the end.
using media_parts = std::function<outcome<byte_buffer>()>;

/// What a stream of fragments contains.
struct media_summary {
  std::uint64_t frame_count = 0;     ///< Frames that a decoder really gave.
  std::uint64_t key_frame_count = 0;
  std::int64_t first_us = 0;         ///< Since the track's time zero.
  std::int64_t last_us = 0;          ///< Of the last frame.
  std::uint32_t width = 0;           ///< Of the last frame.
  std::uint32_t height = 0;
  std::vector<std::int64_t> times_us; ///< Of the frames, at most `times_count_max`.
  static constexpr std::size_t times_count_max = 100'000;
};

/// Decodes everything. Memory: one part, one decoder. Errors: `corrupted`, `unsupported`.
outcome<media_summary> summarize(const media_parts& parts);
outcome<media_summary> summarize(byte_view bytes);

/// A range of the track's time; `to_us` is exclusive.
struct media_range {
  std::int64_t from_us = 0;
  std::int64_t to_us = INT64_MAX;
};

struct export_summary {
  std::uint64_t frame_count = 0;
  std::int64_t first_us = 0; ///< Time of the first frame written; the file's time zero.
  std::int64_t last_us = 0;
  std::uint32_t segment_count = 1; ///< Sizes the desktop had: each is a track of its own in the file.
};

/// Writes one playable MP4 file without encoding anew. It begins at the last key frame not after `from_us`.
/// A change of size starts a new sample description in the same track. Memory: one part and the file's index.
/// Errors: `not_found` when the range has no frame, `corrupted`, `disk_full`, `io_failed` ...
outcome<export_summary> remux_to_mp4(const media_parts& parts, const std::string& path, const media_range& range);

/// One moment of a contact sheet.
struct sheet_moment {
  std::int64_t at_us = 0; ///< The frame shown then is drawn.
  std::string label;      ///< Digits, ':', '-', '.', ' ', 'T', 'Z'; at most 32.
};

/// Draws the frames shown at `moments` (ascending, 1 .. 64) into one PNG, `columns` in a row, each `tile_width` wide.
outcome<byte_buffer> contact_sheet(const media_parts& parts, const std::vector<sheet_moment>& moments,
                                   std::uint32_t columns, std::uint32_t tile_width);

} // namespace lucid::ffmpeg
