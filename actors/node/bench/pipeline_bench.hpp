// actors/node/bench/pipeline_bench.hpp - chunks through the node's own actors, against bare library calls.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>

#include "actors/node/bench/bench_input.hpp"
#include "messages/outcome.hpp"

namespace lucid {

/// What to measure.
struct pipeline_options {
  std::filesystem::path folder;    ///< Where the measured store lies. Must be there; emptied by its owner.
  input_kind input = input_kind::video;
  std::size_t cores = 1;           ///< 1: the whole process is kept on one core, the store's writing included.
  std::size_t chunk_size_bytes = 10u << 20;
  int zstd_level = 3;
  std::chrono::milliseconds length{3000};
  std::function<bool()> stop_wanted; ///< Asked between rounds; empty: nobody stops it.
};

/// What was measured. Throughputs are medians over rounds, in plaintext bytes a second.
struct pipeline_result {
  std::uint32_t round_count = 0;
  std::uint32_t chunk_count = 0;
  double pipeline_per_second = 0;
  double roofline_per_second = 0;         ///< Same policy as sealing, one core.
  double roofline_all_per_second = 0;     ///< zstd over everything, also where sealing would give it up.
  double disk_per_second = 0;             ///< The same sealed bytes written and synced as the store does, alone.
  double of_roofline = 0;                 ///< Median over rounds of pipeline / roofline.
  double sealing_of_roofline = 0;         ///< One chunk at a time, until it is handed to the disk: without the disk's own time.
  double of_roofline_all = 0;
  double of_roofline_and_disk = 0;        ///< Against roofline and disk one after the other, on one core.
  double cpu_of_roofline = 0;             ///< The same as of_roofline, in processor time instead of wall time.
  double disk_share = 0;                  ///< Part of the pipeline's wall time the store spent writing and syncing.
  double compression = 1;                 ///< Plaintext by sealed bytes.
  double latency_p50_ms = 0;              ///< One chunk at a time, from handing it to seal until its file is opened.
  double latency_p99_ms = 0;
  std::uint32_t latency_count = 0;
};

/// Runs rounds of roofline, disk and pipeline in turn until `length` has passed, at least five.
/// Threads: takes as many cores as asked for. Errors: the store's and the pool's; `cancelled` when it was stopped.
outcome<pipeline_result> measure_pipeline(const pipeline_options& options);

} // namespace lucid
