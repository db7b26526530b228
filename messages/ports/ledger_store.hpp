// messages/ports/ledger_store.hpp - the chain at rest, as a part a test can replace or make fail.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "messages/manifest.hpp"
#include "messages/outcome.hpp"

namespace lucid {

/// Where an entry stands.
struct ledger_place {
  std::uint64_t height = 0;
  std::uint32_t index = 0;
};

/// Blocks and their entries. Nothing is ever changed or removed.
/// Threads: one owner.
/// Errors: `corrupted` naming the block; the disk's.
class ledger_store {
public:
  virtual ~ledger_store() = default;

  /// The newest block; none in an empty store.
  virtual outcome<std::optional<block_header>> head() = 0;
  virtual outcome<std::uint64_t> entry_count() = 0;

  /// Adds a block and its entries as one; durable when it returns. Errors: `already_exists` for a height that is there.
  virtual outcome<void> append(const block_header& header, std::span<const anchor_entry> entries) = 0;

  virtual outcome<std::optional<ledger_place>> find(const session_id& session, const digest& manifest_hash) = 0;

  /// At most `count` headers from height `from` on, in order.
  virtual outcome<std::vector<block_header>> headers(std::uint64_t from, std::uint32_t count) = 0;
  virtual outcome<std::vector<anchor_entry>> entries(std::uint64_t height) = 0;
};

} // namespace lucid
