// actors/ledger/ledger_core.hpp - the single producer: which entries are new, and the block they make; pure logic.
#pragma once

#include <span>
#include <vector>

#include "actors/format/ledger_codec.hpp"
#include "messages/outcome.hpp"
#include "messages/pipeline.hpp"

namespace lucid {

/// A block and what goes with it.
struct ledger_block {
  block_header header;
  std::vector<anchor_entry> entries;
};

/// The state of the chain at its end.
///
/// Threads: none. One owner calls it. Units: times are Unix microseconds.
/// Source: docs/format.md, "Ledger".
class ledger_core {
public:
  ledger_core(block_header head, std::uint64_t entry_count) : head_(std::move(head)), entry_count_(entry_count) {}

  /// The next block, with `entries` that are not in the chain. Changes nothing: see `appended`. A clock that is behind
  /// the newest block does not take time back: the block gets that block's time, and the step is counted.
  /// Errors: those of make_block.
  outcome<ledger_block> make(std::vector<anchor_entry> entries, unix_time_us now, const sign_key& producer) const;

  /// The block is on disk.
  void appended(const block_header& header, unix_time_us now);

  const block_header& head() const noexcept { return head_; }
  ledger_status status() const noexcept { return {head_.height, entry_count_, head_.time_us}; }
  std::uint64_t clock_step_count() const noexcept { return clock_step_count_; }

private:
  block_header head_;
  std::uint64_t entry_count_;
  std::uint64_t clock_step_count_ = 0; ///< Blocks made while the clock was behind.
};

} // namespace lucid
