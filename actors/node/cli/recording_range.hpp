// actors/node/cli/recording_range.hpp - a stretch of a recording, opened: its chunks, its key, its times.
#pragma once

#include "actors/audit/audit.hpp"
#include "actors/node/cli/recording_access.hpp"
#include "adapters/ffmpeg/media_packet.hpp"
#include "adapters/ffmpeg/media_reader.hpp"

namespace lucid {

/// What --from and --to say; empty where they say nothing.
struct range_choice {
  std::string from;
  std::string to;
};

/// Adds --from and --to.
std::shared_ptr<range_choice> add_range_options(command_options& app);

/// A stretch of a recording that can be decrypted.
struct open_range {
  std::unique_ptr<stored_recording> recording;
  manifest what;
  bool is_signed = false;
  opened_key opened;
  export_plan plan;
  std::optional<unix_time_us> from_us; ///< On the wall clock. `to_us` is exclusive.
  std::optional<unix_time_us> to_us;

  /// Time of the video track at a time of the wall clock: it counts from the session's creation.
  std::int64_t track_us(unix_time_us at_us) const { return at_us - recording->row().summary.created_us; }
  /// Time since the recording's first frame at a time of the video track.
  std::int64_t since_start(std::int64_t track_time_us) const { return track_time_us - track_us(what.started_us); }
  ffmpeg::media_range media() const;
  std::size_t video_chunk_count() const;
};

/// Opens recording and key, and plans. FFmpeg's own remarks are silenced: what fails is told as an error.
/// Errors: those of parse_moment, stored_recording, open_session_key and plan_export.
outcome<open_range> open_range_of(command_context& context, const std::string& id, const range_choice& range,
                                  const key_choice& key);

/// Errors: `not_found` for a range in which there is no picture.
outcome<void> check_has_video(const open_range& range);

std::uint64_t sealed_bytes_of(const std::vector<chunk_record>& chunks);

} // namespace lucid
