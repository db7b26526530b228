// tests/bench/console_bench.cpp - what it costs the node that a page watches it.
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "actors/console/stream_core.hpp"
#include "adapters/machine/proc_machine.hpp"

namespace {

using namespace lucid;
using namespace std::chrono_literals;

/// The actors of a busy node: six a session, each with a few rows of its own state.
std::vector<inspection> actors_of(std::size_t count) {
  const char* roles[] = {"journal", "capture", "chunk", "seal", "manifest", "session"};
  std::vector<inspection> all(count);
  for (std::size_t i = 0; i < count; ++i) {
    auto& actor = all[i];
    auto session = std::to_string(1'000'000 + i / 6);
    actor.path = "sessions/" + session + std::string(64 - session.size(), 'a') + "/" + roles[i % 6];
    actor.kind = roles[i % 6];
    actor.incarnation = 1;
    actor.present = actor.answered = true;
    actor.started_us = 1'700'000'000'000'000;
    actor.handled_count = i;
    actor.handled = {{"fragment", i, 10, 20, 30}, {"chunk_stored", 7, 10, 20, 30}, {"reply", i, 10, 20, 30}};
    actor.times = {1000, 2000, 3000, 40000};
    actor.state = {{"track", "video"}, {"open_bytes", std::to_string(i)}, {"state", "recording"}};
  }
  return all;
}

/// One in `one_in` actors handled something since the last round.
void work(std::vector<inspection>& actors, std::size_t one_in, std::uint64_t round) {
  for (std::size_t i = round % one_in; i < actors.size(); i += one_in) {
    ++actors[i].handled_count;
    ++actors[i].handled[0].count;
    actors[i].busy_share = static_cast<double>(round % 100) / 100;
  }
}

/// A page that watches at every round; range 0: actors, range 1: one in how many changed.
void watch(benchmark::State& bench) {
  stream_core core;
  core.opened(1);
  if (!core.heard(1, R"({"watch":{"topics":["actors"],"interval_ms":1000}})", 0s)) return;
  auto actors = actors_of(static_cast<std::size_t>(bench.range(0)));
  std::uint64_t round = 0;
  std::size_t bytes = 0;
  for (auto _ : bench) {
    bench.PauseTiming();
    work(actors, static_cast<std::size_t>(bench.range(1)), ++round);
    auto seen = actors;
    bench.ResumeTiming();
    core.take_actors(std::move(seen));
    for (auto& frame : core.frames(round * 1s)) bytes += frame.text.size();
  }
  bench.counters["bytes_a_round"] = static_cast<double>(bytes) / static_cast<double>(bench.iterations());
}

/// The first frame, and the one after a skip.
void tell_everything(benchmark::State& bench) {
  stream_core core;
  core.opened(1);
  if (!core.heard(1, R"({"watch":{"topics":["actors"],"interval_ms":1000}})", 0s)) return;
  core.take_actors(actors_of(static_cast<std::size_t>(bench.range(0))));
  auto now = stream_core::time(0);
  std::size_t bytes = 0;
  for (auto _ : bench) {
    core.skipped(1);
    for (auto& frame : core.frames(now += 1s)) bytes = frame.text.size();
  }
  bench.counters["bytes"] = static_cast<double>(bytes);
}

void look_at_machine(benchmark::State& bench) {
  proc_machine machine("/tmp");
  for (auto _ : bench) benchmark::DoNotOptimize(machine.look());
}

} // namespace

BENCHMARK(look_at_machine)->Unit(benchmark::kMicrosecond);
BENCHMARK(watch)->Args({1000, 10})->Args({10'000, 10})->Args({10'000, 1})->Unit(benchmark::kMicrosecond);
BENCHMARK(tell_everything)->Arg(1000)->Arg(10'000)->Unit(benchmark::kMicrosecond);
BENCHMARK_MAIN();
