// actors/mesh/tor_core.hpp - what is known of Tor, and when it counts as stuck.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "messages/ports/onion_router.hpp"

namespace lucid {

struct tor_limits {
  std::chrono::milliseconds bootstrap_timeout{180'000}; ///< Without progress.
  std::chrono::milliseconds onion_overlap{600'000};     ///< For which an old address stays after a rotation.
};

/// Old addresses that are served beside the present one. A fourth rotation within the overlap ends the oldest.
inline constexpr std::size_t old_onions_max = 3;

/// Times are of one monotonic clock. Threads: as a plain value.
class tor_core {
public:
  using time = std::chrono::nanoseconds;

  tor_core(tor_limits limits, time now) : limits_(limits), progress_at_(now) {}

  void heard(const onion_progress& news, time now);
  void heard(const onion_circuits& news, time now);
  void heard(const onion_upload& news);
  void looked(const onion_health& health, time now);

  /// The service is published; what it was before is served no more.
  void published(const std::string& onion);

  /// As above, but what it was before is served for the overlap.
  void rotated(const std::string& onion, time now);

  /// Old addresses whose time is over, each once: to be withdrawn.
  std::vector<std::string> expired(time now);

  /// Why Tor is to be started anew: it is not ready, and nothing has moved for the timeout.
  std::optional<error> stuck(time now) const;

  bool ready() const noexcept { return percent_ == 100 && circuits_; }
  bool reachable() const noexcept { return stored_count_ > 0; }
  std::uint32_t percent() const noexcept { return percent_; }
  const std::string& summary() const noexcept { return summary_; }
  const std::string& trouble() const noexcept { return trouble_; } ///< Tor's last complaint while it is not ready.
  const std::string& onion() const noexcept { return onion_; }     ///< Empty: nothing is published.
  std::uint64_t stored_count() const noexcept { return stored_count_; } ///< Descriptors that the network took.
  std::uint64_t refused_count() const noexcept { return refused_count_; }
  std::uint64_t loss_count() const noexcept { return loss_count_; } ///< Times that it was ready and then was not.
  std::size_t old_onion_count() const noexcept { return old_.size(); }

private:
  struct old_onion {
    std::string onion;
    time until{};
  };

  /// Keeps the time of progress: percent that rise, and readiness that ends, begin a new wait.
  void move_to(std::uint32_t percent, bool circuits, time now);

  tor_limits limits_;
  time progress_at_;
  std::uint32_t percent_ = 0;
  bool circuits_ = false;
  std::string summary_ = "starting", trouble_, onion_;
  std::uint64_t stored_count_ = 0, refused_count_ = 0, loss_count_ = 0;
  std::vector<old_onion> old_; ///< Oldest first.
};

} // namespace lucid
