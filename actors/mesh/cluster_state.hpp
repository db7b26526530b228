// actors/mesh/cluster_state.hpp - the view of the cluster that mesh/links keeps for everybody else.
#pragma once

#include <mutex>
#include <utility>

#include "messages/ports/cluster.hpp"

namespace lucid {

/// Threads: any.
class cluster_state final : public cluster_port {
public:
  cluster_view view() const override {
    std::lock_guard lock(mutex_);
    return view_;
  }
  void show(cluster_view view) {
    std::lock_guard lock(mutex_);
    view_ = std::move(view);
  }

private:
  mutable std::mutex mutex_;
  cluster_view view_;
};

} // namespace lucid
