// actors/anchor/anchor_core.hpp - gathers manifest hashes into batches until they are in the chain; pure logic.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "messages/manifest.hpp"
#include "messages/outcome.hpp"

namespace lucid {

struct anchor_limits {
  std::chrono::milliseconds batch_window{200}; ///< How long the first entry of a batch waits for others.
  std::size_t batch_count_max = 1000;          ///< ledger_entries_max: a batch is one request to the ledger.
  std::size_t pending_count_max = 10'000;      ///< As many as the store lists; about 2 MiB.
  std::chrono::milliseconds retry_min{250};    ///< First wait after a failure; doubles each time.
  std::chrono::milliseconds retry_max{30'000};
};

/// Which entries are to be anchored, which are under way, and when to try (again). Asking ledger and store twice is
/// harmless, so whatever failed half-way simply starts over.
///
/// Threads: none. One owner calls it. Units: times are monotonic.
class anchor_core {
public:
  using time = std::chrono::nanoseconds;
  using entry_key = std::pair<session_id, digest>;
  static entry_key key_of(const anchor_entry& e) { return {e.session, e.manifest_hash}; }

  explicit anchor_core(anchor_limits limits) : limits_(limits) {}

  /// To be anchored. One that is known already changes nothing.
  /// Errors: `busy` at pending_count_max; `already_exists` if the same manifest was given with another root or time.
  outcome<void> add(const anchor_entry& entry, time now);

  /// The next batch, if one is due; it is under way from here on. One batch at a time, so that order is kept.
  std::vector<anchor_entry> take_batch(time now);

  /// When to call `take_batch` next; none while there is nothing to do or a batch is under way.
  std::optional<time> wake_at() const noexcept;

  /// The entry stands in a block and the store knows it.
  void done(const entry_key& key);
  /// It will never be: what it is of is gone, or another.
  void forget(const entry_key& key) { done(key); }

  /// All of the batch has been answered. `failed`: what of it is not done waits and is tried again.
  void batch_ended(bool failed, time now);

  /// Somebody else is asked from now on: what failed before says nothing about it, and what waits is due at once.
  void start_over(time now);
  /// The batch under way was with somebody who is not asked any more. Its entries wait again; then as `start_over`.
  void batch_lost(time now);

  std::size_t pending_count() const noexcept { return pending_.size(); }
  bool under_way() const noexcept { return under_way_; }
  unsigned failures_in_row() const noexcept { return failures_in_row_; }

private:
  anchor_limits limits_;
  std::map<entry_key, anchor_entry> pending_; ///< Including those under way.
  std::optional<time> due_at_;
  bool under_way_ = false;
  unsigned failures_in_row_ = 0;
};

} // namespace lucid
