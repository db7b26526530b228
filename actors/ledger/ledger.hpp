// actors/ledger/ledger.hpp - the chain over its store: opening, appending, verifying.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "actors/ledger/ledger_core.hpp"
#include "messages/ports/ledger_store.hpp"

namespace lucid {

/// The chain of this node.
///
/// Uses: store and key, which must outlive it.
/// Threads: one owner.
/// Errors: those of the store; `corrupted` or `bad_signature` for a newest block that is not sound;
/// `permission_denied` for a chain that another key produces.
class ledger {
public:
  /// Reads the newest block and checks it; an empty store gets block 0.
  static outcome<ledger> open(ledger_store& store, const sign_key& producer);

  /// The places of `entries`, in their order. Those that are not in the chain go into one new block; one that is keeps
  /// its place, and the record tells what stands there. Errors: `limit_exceeded` for none or too many.
  outcome<std::vector<anchored_entry>> append(std::span<const anchor_entry> entries, unix_time_us now);

  const ledger_core& core() const noexcept { return core_; }

private:
  ledger(ledger_store& store, const sign_key& producer, ledger_core core)
    : store_(&store), producer_(&producer), core_(std::move(core)) {}
  outcome<void> append_new(std::span<const anchor_entry> entries, unix_time_us now);

  ledger_store* store_;
  const sign_key* producer_;
  ledger_core core_;
  bool stale_ = false; ///< Appending failed: whether the block is there is asked of the store before the next one.
};

/// Told after each page: blocks done, blocks in all. Answers whether to go on.
using ledger_progress = std::function<bool(std::uint64_t done, std::uint64_t total)>;

/// Reads the whole chain: each block's fields and signature, its link to the one before, its entries against their
/// root, one producer throughout (the given one, if any), and nothing beside the blocks.
/// Errors: the first that is wrong, naming the block; `not_found` for an empty store; `cancelled`.
outcome<ledger_status> verify_chain(ledger_store& store, const std::optional<sign_public_key>& producer,
                                    const ledger_progress& progress = {});

} // namespace lucid
