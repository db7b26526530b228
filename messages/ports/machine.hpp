// messages/ports/machine.hpp - how the machine and this process are doing, as a part a test can replace.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "messages/outcome.hpp"

namespace lucid {

/// Bounds of an answer, whatever the machine has.
inline constexpr std::size_t machine_threads_max = 256;
inline constexpr std::size_t machine_networks_max = 64;

struct machine_thread {
  std::int64_t id = 0;
  std::string name;
  std::chrono::milliseconds cpu{}; ///< Spent since it began.
};

struct machine_network {
  std::string name; ///< "eth0"
  std::uint64_t rx_bytes = 0;
  std::uint64_t tx_bytes = 0;
};

struct machine_disk {
  std::string path;
  std::uint64_t free_bytes = 0; ///< For an ordinary process.
  std::uint64_t size_bytes = 0;
  std::uint64_t used_bytes = 0;
};

/// One look at the machine. Times only grow: shares are the difference of two looks.
struct machine_facts {
  std::chrono::milliseconds cpu_busy{};  ///< Of all cores together, since the machine began.
  std::chrono::milliseconds cpu_total{}; ///< Busy and idle.
  std::uint32_t cores = 0;
  std::array<double, 3> load{};          ///< Over 1, 5 and 15 minutes.
  std::uint64_t memory_bytes = 0;
  std::uint64_t memory_available_bytes = 0;
  std::uint64_t resident_bytes = 0;      ///< Of this process.
  std::vector<machine_thread> threads;   ///< Of this process.
  machine_disk disk;
  std::optional<double> temperature_c;   ///< The hottest sensor, where there is one.
  std::optional<bool> throttled_now;     ///< Where the firmware tells.
  std::optional<std::uint64_t> throttle_count; ///< How often a core was slowed down, where the processor counts.
  std::uint64_t open_files = 0;          ///< Of this process.
  std::uint64_t open_files_max = 0;
  std::vector<machine_network> network;
};

/// Where the console gets them from.
/// Threads: one owner. Errors: `io_failed` or `corrupted` naming the file, for what every system has.
class machine_port {
public:
  virtual ~machine_port() = default;
  virtual outcome<machine_facts> look() = 0;
};

} // namespace lucid
