// runtime/inspection/actor_stats.hpp - counters of one incarnation: written by the actor, read by anybody.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "messages/inspection.hpp"
#include "runtime/inspection/message_ring.hpp"
#include "runtime/inspection/sender_table.hpp"

namespace lucid {

/// What an actor did so far. About 2.5 KiB, and 544 bytes for each type of message.
///
/// Threads: one writer, the actor. Readers on any thread without a lock, also while the actor is stuck in a handler.
/// A reader may see a handler counted whose time is not yet added, never torn values.
/// Units: nanoseconds of `clock_port::monotonic`.
class actor_stats {
public:
  using nanoseconds = std::chrono::nanoseconds;

  explicit actor_stats(nanoseconds now) : window_start_{now.count()}, window_before_{now.count()} {}

  /// The actor's name, once.
  void set_kind(std::string_view kind) noexcept;

  /// Which row counts messages of `key`; `name()` is asked once for each new key.
  template <class Name>
  std::size_t row_of(std::uint64_t key, Name&& name) {
    auto used = rows_used_.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < used; ++i)
      if (rows_[i].key == key) return i;
    return add_row(key, name());
  }

  /// A message comes to its handler. `sender` is the actor system's number; 0: nobody named.
  void begin(std::size_t row, std::uint64_t mailbox_length, nanoseconds now, std::uint64_t size_bytes = 0,
             std::uint64_t sender = 0) noexcept;
  void end(nanoseconds now) noexcept;

  /// Messages that wait, while none is handled.
  void set_mailbox_length(std::uint64_t length) noexcept { mailbox_length_.store(length, std::memory_order_relaxed); }

  /// Fills in what can be told without the actor. The paths of senders are left to whoever knows the directory.
  void read(inspection& into, nanoseconds now) const;

  /// The last messages, oldest first.
  std::vector<message_ring::entry> recent() const { return recent_.read(); }
  /// The name of a row that `recent` names.
  std::string type_name(std::size_t row) const;

private:
  // 4 buckets an octave from 128 ns to 2^40 ns (18 min): (40 - 7) * 4, and one on each side.
  static constexpr unsigned octave_min = 7, octave_max = 40;
  static constexpr std::size_t bucket_count = (octave_max - octave_min) * 4 + 2;
  // Busy share and rate are told over the present window and the one before.
  static constexpr std::int64_t window_ns = 10'000'000'000;

  using counts = std::array<std::uint64_t, bucket_count>;

  /// Times of the handlers of one type.
  struct histogram {
    std::array<std::atomic<std::uint32_t>, bucket_count> buckets{};
    std::atomic<std::uint64_t> max_ns{0};
  };

  struct counted_type {
    std::uint64_t key = 0;              ///< Read by the writer only.
    std::array<char, 64> name{};        ///< Written before rows_used_ counts it, as is `times`.
    std::unique_ptr<histogram> times;
    std::atomic<std::uint64_t> count{0};
  };

  /// Where a window began.
  struct window {
    std::atomic<std::int64_t> at_ns;
    std::atomic<std::int64_t> busy_ns{0};
    std::atomic<std::uint64_t> count{0};
  };

  static std::size_t bucket_of(std::uint64_t ns) noexcept;
  static std::uint64_t upper_bound_of(std::size_t bucket) noexcept;
  static handler_times quantiles(const counts& of, std::uint64_t max_ns);
  std::size_t add_row(std::uint64_t key, std::string_view name);
  void turn_window(std::int64_t now) noexcept;

  std::array<counted_type, inspection_types_max> rows_; ///< The last one is "other".
  std::atomic<std::size_t> rows_used_{0};
  std::size_t row_ = 0;                             ///< Of the present handler; the writer's.
  std::atomic<std::uint64_t> count_{0};
  std::atomic<std::int64_t> busy_ns_{0};
  std::atomic<std::int64_t> running_since_{0};      ///< 0: idle.
  std::atomic<std::uint64_t> mailbox_length_{0};
  window window_start_;
  window window_before_;
  sender_table senders_;
  message_ring recent_;
  std::array<char, 32> kind_{};
  std::atomic<bool> kind_set_{false};
};

} // namespace lucid
