// actors/node/memory_bounds.cpp - the sum of the bounds.
#include "actors/node/memory_bounds.hpp"

#include "adapters/http/http_server.hpp"
#include "messages/capsule.hpp"
#include "messages/payload.hpp"
#include "runtime/inspection/message_tap.hpp"
#include "runtime/log/log.hpp"
#include "runtime/work_pool.hpp"

namespace lucid {
namespace {

constexpr std::uint64_t tracks = 2;
constexpr std::uint64_t connection_bytes_beside = 64u << 10; ///< Of HTTP buffers; see http_limits.
constexpr std::uint64_t program_bytes = 48u << 20;           ///< What an idle node has: code, CAF, SQLite (docs/benchmarks.md).

std::uint64_t http_bytes(std::uint64_t connections, std::uint64_t request_bytes, std::uint64_t streams) {
  http_limits limits;
  return connections * (limits.header_bytes_max + request_bytes + connection_bytes_beside) +
         streams * limits.stream_queue_bytes_max;
}

} // namespace

std::vector<memory_bound> memory_bounds(const configuration& settings, std::uint32_t cores) {
  std::uint64_t sessions = settings.session.count_max;
  std::uint64_t threads = settings.node.work_threads != 0 ? settings.node.work_threads : cores;
  std::uint64_t chunks = settings.chunk.in_flight_max + 1; // And the one that is being cut.
  http_limits limits;
  return {
    {"the program at rest", program_bytes},
    {"captured and not yet on disk", sessions * (settings.capture.credit_bytes + settings.journal.unsynced_bytes_max)},
    {"chunks being cut or on their way", sessions * tracks * chunks * settings.chunk.size_bytes},
    {"chunks being sealed", threads * 2 * payload::size_bytes_max},
    {"page cache of the store", settings.store.cache_bytes_max},
    {"the control socket", http_bytes(settings.control.connections_max, settings.control.request_bytes_max, limits.streams_max)},
    {"browsers", http_bytes(settings.console.connections_max, limits.request_bytes_max, settings.console.streams_max)},
    {"log lines that wait, and the last ones", std::uint64_t{log::waiting_lines_max} * log::line_bytes_max +
                                                 log::recent_lines_max * (log::recent_text_bytes_max + 512)},
  };
}

} // namespace lucid
