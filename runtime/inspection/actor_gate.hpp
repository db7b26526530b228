// runtime/inspection/actor_gate.hpp - whether an actor may handle its messages.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace lucid {

/// The gate in front of one incarnation's handlers. Open at first.
///
/// It is closed from outside, at once, and opened by the actor itself when the message that says so reaches it: whatever
/// has waited comes first, in order.
/// Threads: `close` and `closed` any; the rest is the actor's.
/// Owns: the answers that came meanwhile. Each was asked for by the actor, so its own requests are their bound.
class actor_gate {
public:
  bool closed() const noexcept {
    return closings_.load(std::memory_order_relaxed) != opened_.load(std::memory_order_relaxed);
  }

  /// From now on nothing is handled.
  void close() noexcept { closings_.fetch_add(1, std::memory_order_relaxed); }

  /// What `open` is to be told to undo every `close` so far; a later one stands.
  std::uint64_t closings() const noexcept { return closings_.load(std::memory_order_relaxed); }

  /// Opens the gate, unless it was closed again meanwhile. Runs what was held.
  void open(std::uint64_t closings) {
    if (closings > opened_.load(std::memory_order_relaxed)) opened_.store(closings, std::memory_order_relaxed);
    if (closed()) return;
    for (auto& work : std::exchange(held_, {})) work();
  }

  /// Keeps the handler of an answer until the gate opens.
  void hold(std::function<void()> work) { held_.push_back(std::move(work)); }

  /// The actor ends: what was held will not be done.
  void drop_held() { held_.clear(); }

private:
  std::atomic<std::uint64_t> closings_{0};
  std::atomic<std::uint64_t> opened_{0};
  std::vector<std::function<void()>> held_;
};

} // namespace lucid
