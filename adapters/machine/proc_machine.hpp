// adapters/machine/proc_machine.hpp - the machine as Linux tells of it in /proc and /sys.
#pragma once

#include <filesystem>

#include "messages/ports/machine.hpp"

namespace lucid {

/// Reads at most 64 KiB of any file, 256 threads, 64 sensors, 256 cores. About a millisecond.
/// What only some machines have (sensors, throttling) is left out elsewhere.
class proc_machine final : public machine_port {
public:
  /// `data` is the folder whose disk is told of; `root` is where proc/ and sys/ are.
  explicit proc_machine(std::filesystem::path data, std::filesystem::path root = "/")
    : data_(std::move(data)), root_(std::move(root)) {}

  outcome<machine_facts> look() override;

private:
  outcome<void> read_processor(machine_facts& facts) const;
  outcome<void> read_memory(machine_facts& facts) const;
  outcome<void> read_disk(machine_facts& facts) const;
  void read_threads(machine_facts& facts) const;
  void read_open_files(machine_facts& facts) const;
  void read_temperature(machine_facts& facts) const;
  void read_throttling(machine_facts& facts) const;

  std::filesystem::path data_;
  std::filesystem::path root_;
};

} // namespace lucid
