// actors/chunk/chunk_core.hpp - decides where a recording is cut into chunks, and what is not stored yet; pure logic.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "messages/chunk.hpp"
#include "messages/outcome.hpp"
#include "messages/pipeline.hpp"

namespace lucid {

/// What a session's chunks are cut by.
struct chunk_options {
  session_id session{};
  std::size_t size_bytes = chunk_size_bytes_default; ///< A chunk is cut at the first place it may be from here on.
  std::uint32_t in_flight_max = 2;                   ///< Chunks a track may have under way to the store.
};

/// Cuts the tracks of one recording into chunks and keeps each until the store has it.
///
/// The cut depends on the fragments alone: after a restart the same fragments, replayed from the journal behind the
/// chunks that are stored, give the same chunks again.
///
/// Owns: references to the bytes of the open chunk of each track and of the chunks under way,
///       at most (in_flight_max + 1) x 16 MiB a track.
/// Threads: none. One owner calls it.
/// Errors: a refused call returns the reason and changes nothing.
class chunk_core {
public:
  /// `stored`: what the store has of this session, in any order. Chunks behind a missing one are cut again.
  chunk_core(chunk_options options, const std::vector<chunk_record>& stored);

  /// Adds the next fragment, which is in the journal already; answers the chunks that are complete with it.
  /// A fragment that was added before, or stands in a stored chunk, is accepted and adds nothing.
  /// Errors: `wrong_state` for a hole in the sequence or after `finish`; `limit_exceeded` for a fragment out of bounds
  /// or too many chunks.
  outcome<std::vector<plain_chunk>> add(const fragment& piece);

  /// Cuts what is open. Nothing can be added afterwards. Asked again, it answers nothing new.
  std::vector<plain_chunk> finish();

  /// The store has this chunk. One that is not under way changes nothing.
  void stored(const chunk_record& record);

  /// Chunks cut but not stored, oldest first: what to send to seal again.
  std::vector<plain_chunk> in_flight() const;

  std::size_t in_flight_count() const noexcept { return in_flight_.size(); }
  /// Of the open chunks and those under way.
  std::uint64_t held_bytes() const noexcept { return lanes_[0].size_bytes + lanes_[1].size_bytes + in_flight_bytes_; }
  /// Of the chunks that were stored since it was made.
  std::uint64_t passed_bytes() const noexcept { return passed_bytes_; }
  /// What may be cut before `has_room` ends, in chunks of the usual size; 0 exactly when there is no room.
  std::uint64_t room_bytes() const noexcept { return has_room() ? room_bytes_max() - in_flight_.size() * options_.size_bytes : 0; }
  std::uint64_t room_bytes_max() const noexcept { return std::uint64_t{options_.in_flight_max} * options_.size_bytes; }

  /// More fragments may be acknowledged.
  bool has_room() const noexcept;

  /// Everything was cut and is stored.
  bool settled() const noexcept { return finished_ && in_flight_.empty(); }

  /// Where the journal must be read from after a restart: everything up to here is in stored chunks.
  std::uint64_t replay_after() const noexcept;

  /// Everything of this track up to here is in stored chunks: the journal may drop it.
  std::uint64_t droppable(track on) const noexcept;

  std::uint64_t last_sequence() const noexcept { return last_sequence_; }
  const session_progress& progress() const noexcept { return progress_; }
  chunk_totals totals() const noexcept;

private:
  /// One track: the chunk that is being filled, and how far its chunks are stored without a gap.
  struct lane {
    std::uint32_t next_index = 0;
    chunk_span span;
    std::size_t size_bytes = 0;
    std::vector<payload> parts;
    payload init; ///< In force, for a cut where none stands.
    std::uint32_t stored_count = 0;
    std::uint64_t stored_sequence = 0;
    std::map<std::uint32_t, std::uint64_t> stored_ahead; ///< Index to last sequence, behind a missing chunk.
  };
  using flight_key = std::pair<std::uint32_t, std::uint8_t>; // Index, track: oldest first.

  lane& lane_of(track on) noexcept { return lanes_[static_cast<std::size_t>(on)]; }
  bool must_cut_before(const lane& open, const fragment& piece) const noexcept;
  plain_chunk cut(track on, bool last);
  void append(lane& open, const fragment& piece);
  void settle(lane& of, std::uint32_t index, std::uint64_t last_sequence);

  chunk_options options_;
  std::array<lane, track_count> lanes_;
  std::map<flight_key, plain_chunk> in_flight_;
  std::uint64_t in_flight_bytes_ = 0;
  std::uint64_t passed_bytes_ = 0;
  std::uint64_t last_sequence_ = 0;
  std::uint64_t replayed_below_ = 0; ///< Up to here the journal may have dropped fragments of a stored chunk.
  bool finished_ = false;
  session_progress progress_;
};

} // namespace lucid
