// actors/node/bench/verify_bench.cpp - one chunk file, checked again and again.
#include "actors/node/bench/verify_bench.hpp"

#include <algorithm>
#include <vector>

#include <time.h>

#include "actors/format/chunk_codec.hpp"
#include "actors/format/proof_codec.hpp"
#include "actors/node/bench/bench_input.hpp"
#include "actors/node/bench/roofline.hpp"
#include "adapters/files/posix_file_system.hpp"
#include "adapters/sodium/system_random.hpp"

namespace lucid {
namespace {

using steady = std::chrono::steady_clock;

constexpr std::size_t file_count = 8;

double thread_cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

outcome<sealed_chunk> one_chunk() {
  auto input = make_input(input_kind::video, chunk_size_bytes_default);
  plain_chunk chunk;
  for (auto& f : input.fragments) chunk.parts.push_back(f.bytes);
  system_random random;
  seal_scratch scratch;
  return seal_chunk(chunk, make_session_key(random), random, scratch);
}

double median(std::vector<double> values) {
  auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

} // namespace

outcome<verify_result> measure_verify(const std::filesystem::path& folder, std::chrono::milliseconds length) {
  auto chunk = one_chunk();
  if (!chunk) return pass_on(std::move(chunk));
  posix_file_system files;
  for (std::size_t i = 0; i < file_count; ++i) {
    auto file = files.open(folder / ("verify-" + std::to_string(i)), open_mode::fresh);
    if (!file) return pass_on(std::move(file));
    if (auto written = (*file)->append(chunk->file.view()); !written) return pass_on(std::move(written));
  }
  std::vector<double> wall, cpu, ratio;
  auto begun = steady::now();
  for (std::size_t i = 0; i < 3 * file_count || steady::now() - begun < length; ++i) {
    auto cpu_before = thread_cpu_seconds();
    auto before = steady::now();
    auto file = files.read(folder / ("verify-" + std::to_string(i % file_count)), 0, payload::size_bytes_max);
    if (!file) return pass_on(std::move(file));
    if (!check_chunk(*file, chunk->record, chunk->leaves).intact)
      return fail(errc::corrupted, "bench", "a chunk file is not what was written to it");
    wall.push_back(std::chrono::duration<double>(steady::now() - before).count());
    cpu.push_back(thread_cpu_seconds() - cpu_before);
    cpu_before = thread_cpu_seconds();
    hash_bare(*file);
    ratio.push_back((thread_cpu_seconds() - cpu_before) / cpu.back());
  }
  auto size = static_cast<double>(chunk->file.size());
  return verify_result{size / median(wall), size / median(cpu), median(ratio)};
}

} // namespace lucid
