// adapters/machine/proc_text.hpp - the texts of /proc, read into numbers. Pure.
//
// Source: proc(5).
#pragma once

#include <string_view>

#include "messages/ports/machine.hpp"

namespace lucid {

/// In ticks of the clock that sysconf(_SC_CLK_TCK) tells.
struct cpu_ticks {
  std::uint64_t busy = 0;
  std::uint64_t total = 0;
};

/// The first line of /proc/stat.
std::optional<cpu_ticks> parse_cpu(std::string_view stat);

/// /proc/loadavg.
std::optional<std::array<double, 3>> parse_load(std::string_view loadavg);

/// The bytes of one row of /proc/meminfo, "MemTotal" say.
std::optional<std::uint64_t> parse_memory(std::string_view meminfo, std::string_view row);

/// The second number of /proc/self/statm: resident pages.
std::optional<std::uint64_t> parse_resident_pages(std::string_view statm);

/// Name and ticks of /proc/self/task/N/stat. A thread's name may hold anything, brackets and blanks too.
struct thread_ticks {
  std::string name;
  std::uint64_t ticks = 0;
};
std::optional<thread_ticks> parse_thread(std::string_view stat);

/// The soft limit of open files in /proc/self/limits; none for "unlimited".
std::optional<std::uint64_t> parse_open_files_max(std::string_view limits);

/// /proc/net/dev, at most `machine_networks_max`, without the loopback. A row that is none is left out.
std::vector<machine_network> parse_network(std::string_view dev);

/// A whole text that is one number, but for blanks around it.
std::optional<std::int64_t> parse_number(std::string_view text, int base = 10);

} // namespace lucid
