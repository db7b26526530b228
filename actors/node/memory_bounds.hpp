// actors/node/memory_bounds.hpp - what the node's memory may grow to, part by part, from its configuration; pure.
#pragma once

#include <vector>

#include "actors/console/machine_core.hpp"
#include "runtime/config/configuration.hpp"

namespace lucid {

/// The bounds of queues and buffers that depend on load. Of this process: each worker has worker.memory_bytes_max beside.
/// `cores`: of the machine, where the configuration says "one a core".
std::vector<memory_bound> memory_bounds(const configuration& settings, std::uint32_t cores);

} // namespace lucid
