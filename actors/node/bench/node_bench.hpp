// actors/node/bench/node_bench.hpp - what a node costs that has nothing to do.
#pragma once

#include <chrono>
#include <filesystem>

#include "messages/outcome.hpp"

namespace lucid {

struct idle_node_result {
  double start_to_ready_s = 0;  ///< Of a second start: from exec to the first answer of the control socket.
  double first_start_s = 0;     ///< With making keys and databases.
  double resident_bytes = 0;    ///< VmRSS, a second after it is ready.
  double private_bytes = 0;     ///< RssAnon: what is not shared with other processes.
  double core_share = 0;        ///< Processor time by wall time while idle.
};

/// Starts this program as `node` on an empty data folder below `folder`, twice, and stops it again.
/// Errors: `timeout` when it does not answer in 10 s; `crashed` when it ends by itself.
outcome<idle_node_result> measure_idle_node(const std::filesystem::path& folder, std::chrono::milliseconds length);

} // namespace lucid
