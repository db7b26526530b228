// actors/console/actor_history.hpp - how each actor did over the last looks: what the plots begin with; pure logic.
#pragma once

#include <chrono>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "messages/inspection.hpp"

namespace lucid {

/// Samples of all actors, taken whenever somebody looks, at most once in `interval`. Nobody looking costs nothing; a
/// pause in looking is told as a longer interval.
///
/// Memory: paths_max x samples_max x 24 bytes = 47 MiB at the very worst; an actor that is gone is forgotten.
/// Times are of the monotonic clock. Threads: none; one owner.
class actor_history {
public:
  using time = std::chrono::nanoseconds;
  static constexpr std::chrono::seconds interval{1};
  static constexpr std::size_t samples_max = 120;
  static constexpr std::size_t paths_max = 16'384;

  void take(const std::vector<inspection>& tree, time now);

  /// Source: docs/api/console.openapi.yaml, Actor.history.
  nlohmann::json report(const std::string& path) const;

private:
  struct sample {
    std::uint64_t mailbox;
    double rate, busy;
  };
  struct track_record {
    std::deque<sample> samples; // Oldest first.
    std::uint64_t look = 0;     // The last one that saw it.
  };

  double interval_s(std::size_t sample_count) const;

  std::unordered_map<std::string, track_record> by_path_;
  std::deque<time> look_times_; // The last samples_max; an actor has one sample for each look since its first.
  std::uint64_t looks_ = 0;
};

} // namespace lucid
