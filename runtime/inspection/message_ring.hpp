// runtime/inspection/message_ring.hpp - the last messages an actor handled: when, what and how large.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "messages/capsule.hpp"

namespace lucid {

/// The last `capsule_messages_max` messages of one incarnation. 512 bytes.
/// Threads: one writer, the actor; exact once it has ended. A reader before that may see a row half new.
class message_ring {
public:
  struct entry {
    std::int64_t at_ns = 0; ///< Monotonic.
    std::size_t row = 0;    ///< Of its type in the actor's counters.
    std::uint64_t size_bytes = 0;
    std::uint64_t sender = 0;
  };

  void add(const entry& one) noexcept {
    const auto at = count_.load(std::memory_order_relaxed);
    auto& into = entries_[at % entries_.size()];
    into.at_ns.store(one.at_ns, std::memory_order_relaxed);
    into.row.store(static_cast<std::uint8_t>(one.row), std::memory_order_relaxed);
    into.size_bytes.store(one.size_bytes, std::memory_order_relaxed);
    into.sender.store(one.sender, std::memory_order_relaxed);
    count_.store(at + 1, std::memory_order_relaxed);
  }

  /// Oldest first.
  std::vector<entry> read() const {
    std::vector<entry> all;
    const auto count = count_.load(std::memory_order_relaxed);
    for (auto at = count < entries_.size() ? 0 : count - entries_.size(); at < count; ++at) {
      const auto& one = entries_[at % entries_.size()];
      all.push_back({one.at_ns.load(std::memory_order_relaxed), one.row.load(std::memory_order_relaxed),
                     one.size_bytes.load(std::memory_order_relaxed), one.sender.load(std::memory_order_relaxed)});
    }
    return all;
  }

private:
  struct slot {
    std::atomic<std::int64_t> at_ns{0};
    std::atomic<std::uint64_t> size_bytes{0};
    std::atomic<std::uint64_t> sender{0};
    std::atomic<std::uint8_t> row{0};
  };
  static_assert(inspection_types_max <= 256);
  std::array<slot, capsule_messages_max> entries_;
  std::atomic<std::uint64_t> count_{0};
};

} // namespace lucid
