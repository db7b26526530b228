// tests/doubles/resident_memory.hpp - how much memory this process has, and whether it stayed flat.
#pragma once

#include <cstddef>
#include <fstream>

#include <boost/test/unit_test.hpp>
#include <unistd.h>

namespace lucid::testing {

inline std::size_t resident_bytes() {
  std::size_t all = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

/// Sanitizers keep for a while what was freed: under them it is told and not judged.
inline bool stays_flat(std::size_t before, std::size_t most, [[maybe_unused]] std::size_t growth_max) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  BOOST_TEST_MESSAGE("SKIPPED under a sanitizer: memory grew by " << (most - before) / 1024 << " KiB");
  return true;
#else
  return most < before + growth_max;
#endif
}

} // namespace lucid::testing
