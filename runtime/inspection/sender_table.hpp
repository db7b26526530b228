// runtime/inspection/sender_table.hpp - who sends most, in a fixed space.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "messages/inspection.hpp"

namespace lucid {

/// The most frequent senders of one actor. 128 bytes.
/// Threads: one writer, the actor. Readers on any thread; one may see a row's new holder with the count of the old one.
/// Source: Metwally, Agrawal, El Abbadi 2005, "space saving": a new sender takes the smallest row and its count.
class sender_table {
public:
  /// One message of `actor_id`.
  void count(std::uint64_t actor_id) noexcept {
    std::size_t least = 0;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const auto count = rows_[i].count.load(std::memory_order_relaxed);
      if (count != 0 && rows_[i].actor_id.load(std::memory_order_relaxed) == actor_id)
        return rows_[i].count.store(count + 1, std::memory_order_relaxed);
      if (count < rows_[least].count.load(std::memory_order_relaxed)) least = i;
      if (count == 0) break; // Rows are taken in order.
    }
    auto& row = rows_[least];
    row.actor_id.store(actor_id, std::memory_order_relaxed);
    row.count.store(row.count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  /// In no order; paths are empty.
  std::vector<sender_count> read() const {
    std::vector<sender_count> all;
    for (const auto& row : rows_) {
      const auto count = row.count.load(std::memory_order_relaxed);
      if (count == 0) break;
      all.push_back({row.actor_id.load(std::memory_order_relaxed), {}, count});
    }
    return all;
  }

private:
  struct sender_row {
    std::atomic<std::uint64_t> actor_id{0};
    std::atomic<std::uint64_t> count{0}; ///< 0: free.
  };
  std::array<sender_row, inspection_senders_max> rows_;
};

} // namespace lucid
