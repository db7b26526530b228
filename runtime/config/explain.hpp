// runtime/config/explain.hpp - the settings explained: for the terminal, as a page of documentation, and as memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "messages/outcome.hpp"
#include "runtime/config/configuration.hpp"
#include "runtime/config/key_table.hpp"

namespace lucid {

/// Chunks on their way from other nodes, put together and not yet taken: 7 of the largest.
inline constexpr std::uint64_t mesh_blob_bytes_max = 128ull << 20;
/// Queued for one link to another node: the longest envelope and the frames beside it.
inline constexpr std::uint64_t mesh_queue_bytes_max = 2ull << 20;


/// A value as it would be written in the file; secrets are masked.
std::string show_value(const key_spec& key, const configuration& values);

/// "50 ms to 10 s", "text|json", "at most 64 entries".
std::string show_bounds(const key_spec& key);

/// "duration (ms)", "size (bytes)", "count", "on or off" ...
std::string_view show_type(const key_spec& key);

/// Explains one key, one section, or (for "") everything. Errors: `not_found`, with the nearest name.
outcome<std::string> explain(std::string_view key_or_section);

/// docs/configuration.md.
std::string configuration_page();

/// One bounded part of the memory of a node.
struct memory_bound {
  std::string name;
  std::string arithmetic; ///< "2 tracks x chunk.in_flight_max 2 x 16 MiB"
  std::uint64_t size_bytes = 0;
  bool per_session = false;
  bool in_worker = false; ///< In the worker process, not in the node's.
};

/// The bounds that sum up to the memory of a node under these settings.
std::vector<memory_bound> memory_bounds(const configuration& values);

/// The same as a table with sums, for people.
std::string explain_memory(const configuration& values);

} // namespace lucid
