// actors/journal/journal_file.hpp - the journal of one session on disk: segments, recovery, reading back.
#pragma once

#include <deque>
#include <filesystem>
#include <memory>
#include <vector>

#include "actors/format/journal_codec.hpp"
#include "actors/journal/journal_core.hpp"
#include "actors/journal/segment_records.hpp"
#include "messages/ports/file_system.hpp"
#include "messages/ports/random.hpp"

namespace lucid {

struct journal_options {
  session_id session{};
  std::filesystem::path folder; ///< The session's folder. Created if it is not there.
  journal_limits limits;
};

/// Encrypted tail of one session: what was captured and is not yet in stored chunks.
///
/// A segment is a file of actors/format's journal records: a base record, then fragments without a gap. A *carried*
/// segment replaces some whose video is stored: it holds only the events still needed, since the events of hours fit
/// into one chunk.
///
/// What a crash leaves half-written at the end is cut off. Damage elsewhere is told by `losses`, and what was lost to
/// it is replaced by gap events: the recording goes on, says what it lost, and no number is used twice.
///
/// Owns: the open file; the events not yet in stored chunks (shared bytes, those chunk holds; at most 3 x 16 MiB).
/// Uses: file system, random source and key, which must outlive it.
/// Threads: one owner.
/// Errors: the file system's; `wrong_key`; `wrong_state` for a hole in the sequence. After a failed sync the journal
/// answers errors only: what the disk has is known again after opening it anew.
class journal_file {
public:
  static outcome<journal_file> open(const journal_options& options, file_system& files,
                                    std::shared_ptr<const session_key> key, random_port& random);

  /// Writes the next fragment; `wait` until it is synced, `done` if it was before. On an error it is not written.
  outcome<journal_core::admission> write(const fragment& f, std::chrono::nanoseconds now);
  outcome<void> sync();

  /// At most `size_bytes` of fragments behind `after`, at least one if there is one. Only what is synced.
  outcome<journal_page> read(const journal_read_request& request);

  /// Removes or shrinks the segments whose fragments are in stored chunks.
  outcome<void> drop(const journal_drop_request& stored);

  const journal_core& core() const noexcept { return core_; }
  const std::vector<error>& losses() const noexcept { return losses_; }
  bool broken() const noexcept { return broken_.has_value(); }

private:
  /// Fragments in (after, up_to] were synced once and cannot be read any more.
  struct lost_range {
    std::uint64_t after = 0;
    std::uint64_t up_to = 0;
    unix_time_us at_us = 0;
  };
  struct recovered {
    std::vector<journal_segment> segments;
    std::vector<lost_range> lost;
    std::vector<error> losses;
    std::deque<fragment> events;
    bool end_is_damaged = false;
  };
  class recovery;

  journal_file(const journal_options& options, file_system& files, std::shared_ptr<const session_key> key,
               random_port& random, recovered found);

  outcome<void> begin_segment();
  outcome<void> end_segment();
  outcome<void> append(const fragment& f, std::chrono::nanoseconds now);
  outcome<byte_buffer> encode_carried(const journal_segment& as, std::uint64_t events_up_to) const;
  outcome<std::optional<fragment>> read_behind(std::uint64_t after);
  outcome<std::optional<fragment>> read_from(const journal_segment& segment, std::uint64_t after);
  std::filesystem::path file_of(std::uint32_t number) const;

  journal_options options_;
  file_system* files_;
  std::shared_ptr<const session_key> key_;
  random_port* random_;
  journal_core core_;
  std::vector<lost_range> lost_;
  std::vector<error> losses_;
  std::deque<fragment> events_;
  std::unique_ptr<append_file> open_;
  std::unique_ptr<journal_encoder> encoder_;
  std::unique_ptr<segment_reader> reader_; ///< The last one used, for the next page.
  std::uint64_t reader_size_bytes_ = 0;    ///< Of its segment when it was opened.
  std::uint64_t last_read_ = 0;            ///< The last sequence it gave.
  std::optional<std::pair<std::uint64_t, fragment>> read_ahead_; ///< What stands behind this sequence.
  std::optional<error> broken_;
};

} // namespace lucid
