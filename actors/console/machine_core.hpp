// actors/console/machine_core.hpp - the machine as a page sees it: two looks make a share; pure logic.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "messages/ports/machine.hpp"

namespace lucid {

/// One of the bounds that a node's memory is the sum of.
struct memory_part {
  std::string what;
  std::uint64_t bytes = 0;
};

/// Remembers the last two looks.
///
/// Times are of the monotonic clock. Threads: none; one owner. Memory: two looks, some 50 KiB.
/// Source: docs/api/console.openapi.yaml, Machine.
class machine_core {
public:
  using time = std::chrono::nanoseconds;

  /// Looks closer together would tell of chance. Several pages share one.
  static constexpr std::chrono::milliseconds look_interval_min{500};

  /// `scheduler_threads`: how the names of the threads begin that run the actors.
  machine_core(std::vector<memory_part> bounds, std::string scheduler_threads)
    : bounds_(std::move(bounds)), scheduler_threads_(std::move(scheduler_threads)) {}

  /// Whether another look is worth it.
  bool is_due(time now) const { return !now_ || now - now_->at >= look_interval_min; }
  void take(machine_facts facts, time at);

  /// Shares are 0 before the second look. An empty object before the first.
  nlohmann::json report() const;

private:
  struct look {
    time at;
    machine_facts facts;
  };

  double share_of(const machine_thread& thread) const;
  nlohmann::json threads() const;
  double scheduler_share() const;
  std::optional<bool> is_throttled() const;

  std::vector<memory_part> bounds_;
  std::string scheduler_threads_;
  std::optional<look> before_;
  std::optional<look> now_;
};

} // namespace lucid
