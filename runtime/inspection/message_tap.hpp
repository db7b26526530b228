// runtime/inspection/message_tap.hpp - the messages that flow through one path, for as long as somebody watches.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "messages/capsule.hpp"

namespace lucid {

class directory;

/// A message, with its sender as the actor system's number: the path is looked up by whoever reads.
struct tapped_message {
  seen_message seen;
  std::uint64_t sender = 0;
};

/// The last messages of one path, over all its incarnations. Empty, and one relaxed load a message, while nobody watches.
/// Threads: any.
class message_tap {
public:
  /// 256 x (200 bytes of fields, a type's name, and the rest) = 128 KiB a path that is watched.
  static constexpr std::size_t messages_max = 256;

  bool on() const noexcept { return watchers_.load(std::memory_order_relaxed) != 0; }

  /// Adds a message; the oldest gives way.
  void add(tapped_message one);

  /// What came after the first `seen` messages, oldest first. Tells in `seen` where to go on, in `missed` how many had
  /// given way before they could be read.
  std::vector<tapped_message> read(std::uint64_t& seen, std::uint64_t& missed) const;

  /// How many came so far.
  std::uint64_t count() const;

  void begin_watch() noexcept { watchers_.fetch_add(1, std::memory_order_relaxed); }
  void end_watch();

private:
  std::atomic<unsigned> watchers_{0};
  mutable std::mutex mutex_;
  std::deque<tapped_message> messages_;
  std::uint64_t count_ = 0;
};

/// Watches one path while it lives. Several may watch the same.
/// Owns: a share of the tap. Threads: one owner.
class tap_reader {
public:
  tap_reader(directory& names, std::string_view path);
  ~tap_reader();
  tap_reader(const tap_reader&) = delete;
  tap_reader& operator=(const tap_reader&) = delete;

  struct news {
    std::vector<seen_message> messages; ///< Oldest first, at most `message_tap::messages_max`.
    std::uint64_t missed = 0;           ///< Came since the last call, and gave way before it.
  };
  /// What came since the last call.
  news read();

private:
  directory& names_;
  std::shared_ptr<message_tap> tap_;
  std::uint64_t seen_ = 0;
};

} // namespace lucid
