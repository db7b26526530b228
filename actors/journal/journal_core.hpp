// actors/journal/journal_core.hpp - what a journal holds, what is synced, what may go; pure logic.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "messages/fragment.hpp"
#include "messages/outcome.hpp"
#include "messages/pipeline.hpp"

namespace lucid {

struct journal_limits {
  std::size_t unsynced_bytes_max = 4u << 20;       ///< Synced at once when so much is written and not synced.
  std::chrono::nanoseconds sync_interval = std::chrono::seconds(1); ///< Power loss costs at most this.
  std::uint64_t segment_size_bytes = 16u << 20;    ///< A file is ended at the first record behind this.
  std::uint64_t carry_size_bytes_min = 1u << 20;   ///< Carried events of segments are put together up to this.
};

/// Adds `f` to what is counted in a position. Only video has frames; events count their gaps in that field.
void advance(capture_position& position, const fragment& f) noexcept;

/// One file of the journal. It covers the fragments (base, end]; a carried one holds only the events among them.
struct journal_segment {
  std::uint32_t number = 0;
  capture_position base;           ///< Before its first fragment.
  capture_position end;            ///< With its last.
  std::uint64_t last_video = 0;    ///< Highest sequence of each track inside; 0: none.
  std::uint64_t last_event = 0;
  std::uint64_t size_bytes = 0;    ///< Intact bytes.
  bool carried = false;
};

/// What a drop request lets one do. The new file first, then the removals: after a crash in between, the carried
/// segment covers what the files it replaces cover, and they go at the next start.
struct journal_drop_plan {
  std::optional<journal_segment> write; ///< Anew, with only the events in (base, end] that are still needed.
  std::vector<std::uint32_t> remove;
};

/// The positions of one journal. The file class does the writing and reports here.
///
/// Threads: none. One owner calls it. Units: times are monotonic.
class journal_core {
public:
  enum class admission : std::uint8_t {
    write, ///< The next one.
    wait,  ///< Written, not yet synced.
    done,  ///< Synced before.
  };

  /// `found`: the segments on disk in order, all of them synced.
  journal_core(journal_limits limits, std::vector<journal_segment> found);

  /// Errors: `wrong_state` for a hole in the sequence, naming the one that is due.
  outcome<admission> admit(std::uint64_t sequence) const;

  /// The next record needs a new file: there is none open, or the open one is long enough.
  bool needs_segment() const noexcept;
  /// The description of that file. Number 0 exactly when nothing was ever written.
  journal_segment next_segment() const noexcept;
  void opened(std::uint64_t size_bytes);
  /// The open file takes no more records.
  void closed() noexcept { open_ = false; }

  void wrote(const fragment& f, std::uint64_t size_bytes, std::chrono::nanoseconds now);

  /// When a sync is due at the latest; none while everything is synced.
  std::optional<std::chrono::nanoseconds> sync_at() const noexcept;
  bool sync_due(std::chrono::nanoseconds now) const noexcept;
  void synced() noexcept;

  /// What may go once each track's fragments up to these are in stored chunks. The newest segment always stays: it
  /// holds the position.
  journal_drop_plan plan_drop(const journal_drop_request& stored) const;
  void dropped(const journal_drop_plan& plan, std::uint64_t carry_size_bytes);

  const capture_position& durable() const noexcept { return durable_; }
  const capture_position& written() const noexcept { return written_; }
  const std::vector<journal_segment>& segments() const noexcept { return segments_; }
  std::uint64_t unsynced_bytes() const noexcept { return unsynced_bytes_; }
  std::uint64_t unsynced_bytes_max() const noexcept { return limits_.unsynced_bytes_max; }
  std::uint64_t synced_bytes() const noexcept { return synced_bytes_; } ///< Since it was made.
  std::uint64_t size_bytes() const noexcept;

private:
  journal_limits limits_;
  std::vector<journal_segment> segments_; ///< Oldest first; the last is the open one if `open_`.
  capture_position written_;
  capture_position durable_;
  std::uint64_t unsynced_bytes_ = 0;
  std::uint64_t synced_bytes_ = 0;
  std::chrono::nanoseconds unsynced_since_{};
  bool open_ = false;
};

} // namespace lucid
