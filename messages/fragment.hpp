// messages/fragment.hpp - what capture hands to the pipeline: pieces of a track, in order.
#pragma once

#include <cstdint>

#include "messages/identity.hpp"
#include "messages/payload.hpp"

namespace lucid {

/// A recording has at most these tracks; the number is the track's index in manifest and chunk header.
enum class track : std::uint8_t { video = 0, events = 1 };
inline constexpr std::uint8_t track_count = 2;

/// What the bytes of a fragment are.
enum class fragment_kind : std::uint8_t {
  init = 1,  ///< Video: `ftyp` + `moov`, in force for the media fragments that follow. One stands before every
             ///< fragment that starts with a key frame, so that a chunk may start at each of them.
  media = 2, ///< Video: one `moof` + `mdat`, at most 1 s while things move.
  event = 3, ///< Events: one or more JSON lines, each ending in '\n'.
};

/// The largest fragment the pipeline accepts. 4 MiB: a key frame of a 4K desktop with room to spare.
inline constexpr std::size_t fragment_size_bytes_max = 4u << 20;

/// One piece of one track. A plain value; the bytes are shared, not copied.
/// Made by the capture worker; numbered by the capture actor.
struct fragment {
  std::uint64_t sequence = 0;    ///< 1, 2, 3 over all tracks of a session, no gaps: the key for replay.
  track on = track::video;
  fragment_kind kind = fragment_kind::media;
  bool key_frame = false;        ///< Media: starts with a key frame; a chunk may start here.
  std::uint32_t frame_count = 0; ///< Media: video frames inside. Event: gap events among the lines.
  unix_time_us start_us = 0;     ///< Of the first frame or event.
  unix_time_us end_us = 0;       ///< End of the last frame shown, or time of the last event.
  payload bytes;                 ///< 1 .. fragment_size_bytes_max.
};

} // namespace lucid
