// actors/journal/segment_records.hpp - what stands in a journal segment: its base, then fragments, plain or carried.
#pragma once

#include <memory>
#include <optional>

#include "actors/format/journal_codec.hpp"
#include "actors/journal/journal_core.hpp"

namespace lucid {

/// The base record of `segment`: what came before it, and for a carried one also what it ends with. Not written for a
/// segment that nothing came before. Its track and kind (video, event) fit no fragment.
fragment base_record_of(const journal_segment& segment);

/// Fragment `f` as a record of a carried segment, where it is record `place`: its own sequence stands before its bytes.
fragment carried_record_of(const fragment& f, std::uint64_t place);

/// Whether `f` fits into a carried record.
bool can_be_carried(const fragment& f) noexcept;

/// Reads one segment file from its start.
///
/// Owns: the file's bytes.
/// Errors: as journal_decoder; `corrupted` for another session or number than expected, or a base that makes no sense.
class segment_reader {
public:
  static outcome<std::unique_ptr<segment_reader>> open(byte_buffer file, const session_key& key,
                                                       const session_id& session, std::uint32_t number);

  /// What the base record says; `size_bytes` and the last sequences of the tracks are not known from it.
  const journal_segment& base() const noexcept { return base_; }

  /// The next fragment with its own sequence; none at the end. After an error every call answers it again.
  outcome<std::optional<fragment>> next();

  /// Everything before this is intact.
  std::size_t offset_bytes() const noexcept { return offset_; }

  /// Whether only zeros follow in the sector that reading stopped in: it was appended to and never written out.
  bool zeros_follow() const noexcept;

private:
  segment_reader(byte_buffer file, const session_key& key);
  outcome<void> read_base(const session_id& session, std::uint32_t number);
  outcome<std::optional<fragment>> own_form(fragment record) const;

  byte_buffer file_;
  outcome<journal_decoder> decoder_;
  journal_segment base_;
  std::optional<fragment> first_; ///< Read while looking for the base.
  std::size_t offset_ = 0;
};

} // namespace lucid
