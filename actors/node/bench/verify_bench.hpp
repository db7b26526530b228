// actors/node/bench/verify_bench.hpp - verification without a key.
#pragma once

#include <chrono>
#include <filesystem>

#include "messages/outcome.hpp"

namespace lucid {

struct verify_result {
  double per_second = 0;      ///< Sealed bytes a second on one core: read from the page cache, hashed, compared.
  double cpu_per_second = 0;  ///< The same by processor time.
  double of_roofline = 0;     ///< Against BLAKE3 over the file and over its blocks, on bytes in memory.
};

/// Reads chunk files from `folder` and checks each block, the root and the whole-file digest, as `lucid verify` does.
outcome<verify_result> measure_verify(const std::filesystem::path& folder, std::chrono::milliseconds length);

} // namespace lucid
