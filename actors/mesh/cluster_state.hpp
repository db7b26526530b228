// actors/mesh/cluster_state.hpp - the view of the cluster that mesh/links keeps for everybody else.
#pragma once

#include <chrono>
#include <mutex>
#include <utility>

#include "messages/ports/clock.hpp"
#include "messages/ports/cluster.hpp"

namespace lucid {

/// Leases in it age by themselves: a process that hung shows none that ended meanwhile.
/// Ownership: the clock outlives it. Threads: any.
class cluster_state final : public cluster_port {
public:
  explicit cluster_state(const clock_port& clock) : clock_(&clock) {}

  cluster_view view() const override {
    std::unique_lock lock(mutex_);
    auto view = view_;
    auto age = clock_->monotonic() - shown_at_;
    lock.unlock();
    auto age_ms = std::chrono::ceil<std::chrono::milliseconds>(age).count();
    for (auto& lease : view.leases) lease.remaining_ms -= age_ms;
    std::erase_if(view.leases, [](const lease_view& lease) { return lease.remaining_ms <= 0; });
    return view;
  }
  void show(cluster_view view) {
    std::lock_guard lock(mutex_);
    view_ = std::move(view);
    shown_at_ = clock_->monotonic();
  }

private:
  const clock_port* clock_;
  mutable std::mutex mutex_;
  cluster_view view_;
  std::chrono::nanoseconds shown_at_{};
};

} // namespace lucid
