// tests/bench/runtime_bench.cpp - what the runtime costs: a send by ref against a plain one, and inspection.
//
// Both sides of each ratio are measured in turns in one run. With --check the exit code is 1 when a bound is broken.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <sys/resource.h>

#include "messages/storage_api.hpp"
#include "runtime/actor_system.hpp"
#include "runtime/directory/directory.hpp"
#include "runtime/directory/ref.hpp"
#include "runtime/inspection/inspect_tree.hpp"
#include "runtime/inspection/supervised.hpp"
#include "runtime/supervision/spawn_child.hpp"

using namespace lucid;
using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

namespace {

constexpr double send_ratio_max = 1.05;        // Issue: a send costs at most 5 % over plain CAF.
constexpr double inspection_share_max = 0.01;  // Issue: under 1 % of a core at 1,000 actors, once a second.

struct no_random final : random_port {
  void fill(std::span<std::uint8_t> into) override { std::fill(into.begin(), into.end(), std::uint8_t{7}); }
};

struct result {
  const char* name;
  double value;
  const char* unit;
  double bound; ///< 0: for information.
};

double median(std::vector<double> xs) {
  std::nth_element(xs.begin(), xs.begin() + static_cast<long>(xs.size() / 2), xs.end());
  return xs[xs.size() / 2];
}

template <class F>
double ns_per(std::size_t count, F&& f) {
  auto begin = clock_type::now();
  for (std::size_t i = 0; i < count; ++i) f(i);
  return std::chrono::duration<double, std::nano>(clock_type::now() - begin).count() / static_cast<double>(count);
}

double process_cpu_s() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec); };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

caf::behavior bare(caf::event_based_actor*) {
  return {[](const ledger_status_request&) {}, [](std::uint64_t) {}};
}

caf::behavior bare_supervised(caf::event_based_actor* self, actor_context ctx) {
  return supervised(self, ctx, {[](const ledger_status_request&) {}, [](std::uint64_t) {}}, [] {
    return state_fields{{"chunks", "12"}, {"bytes", "125829120"}, {"state", "recording"}};
  });
}

// Sends fill a mailbox that nobody empties meanwhile: there are no threads, so only the send is measured.
void measure_send(std::vector<result>& results) {
  constexpr std::size_t batch = 2'000;
  constexpr int rounds = 1'500;
  runtime_config config(1, true);
  directory names;
  caf::actor_system system(config);
  system_clock_port clock;
  no_random random;
  auto& scheduler = static_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  auto receiver = system.spawn(bare);
  actor_context ctx{"r", 1, {names, clock, random}, std::make_shared<observed_actor>(clock.monotonic())};
  auto measured = spawn_child(system, ctx, bare_supervised).value();
  scheduler.run();
  names.slot("p")->publish(1, caf::actor_cast<caf::strong_actor_ptr>(receiver), nullptr, 0);
  ref<caf::actor> by_ref(names, "p");
  std::vector<double> plain, through_ref, ratios, handle_bare, handle_supervised;
  auto sender = system.spawn([&](caf::event_based_actor* self) -> caf::behavior {
    return {[&, self](int round) {
      auto send_plain = [&] { plain.push_back(ns_per(batch, [&](std::size_t i) { self->send(receiver, std::uint64_t{i}); })); };
      auto send_by_ref = [&] { through_ref.push_back(ns_per(batch, [&](std::size_t i) { by_ref.send(self, std::uint64_t{i}); })); };
      if (round % 2 == 0) {
        send_plain();
        send_by_ref();
      } else {
        send_by_ref();
        send_plain();
      }
      ratios.push_back(through_ref.back() / plain.back());
    }};
  });
  for (int round = 0; round < rounds; ++round) {
    caf::anon_send(sender, round);
    scheduler.run();
  }
  for (int round = 0; round < rounds / 10; ++round) {
    for (auto [to, into] : {std::pair(receiver, &handle_bare), std::pair(measured, &handle_supervised)}) {
      for (std::size_t i = 0; i < batch; ++i) caf::anon_send(to, std::uint64_t{i});
      auto begin = clock_type::now();
      scheduler.run();
      into->push_back(std::chrono::duration<double, std::nano>(clock_type::now() - begin).count() / batch);
    }
  }
  results.push_back({"plain send", median(plain), "ns", 0});
  results.push_back({"send by ref", median(through_ref), "ns", 0});
  results.push_back({"send by ref / plain send", median(ratios), "", send_ratio_max});
  results.push_back({"handling, plain", median(handle_bare), "ns", 0});
  results.push_back({"handling, supervised", median(handle_supervised), "ns", 0});
  for (const auto& actor : {receiver, measured, sender}) caf::anon_send_exit(actor, caf::exit_reason::kill);
  scheduler.run();
}

void measure_inspection(std::vector<result>& results) {
  constexpr int actor_count = 1'000, seconds = 6;
  runtime_config config;
  directory names;
  system_clock_port clock;
  no_random random;
  caf::actor_system system(config);
  supervisor_spec all{.id = "root"};
  for (int i = 0; i < actor_count; ++i)
    all.children.push_back({.id = std::to_string(i), .start = child_of(bare_supervised)});
  auto root = start_root(system, {names, clock, random}, std::move(all)).value();
  auto all_there = [&] {
    auto slots = names.slots();
    return slots.size() == actor_count + 1 &&
           std::all_of(slots.begin(), slots.end(), [](const slot_ptr& one) { return one->present().actor != nullptr; });
  };
  while (!all_there()) std::this_thread::sleep_for(1ms);
  for (int i = 0; i < actor_count; ++i) {
    ref<caf::actor> to(names, std::to_string(i));
    for (int n = 0; n < 5; ++n) to.send_anonymous(std::uint64_t{1}), to.send_anonymous(ledger_status_request{});
  }
  auto inspector = spawn_inspector(system, names, clock);
  caf::scoped_actor self(system);
  std::size_t answered = 0;
  std::vector<double> wall_ms;
  auto sweep = [&] {
    auto begin = clock_type::now();
    self->request(inspector, 10s, inspection_request{})
      .receive([&](const std::vector<inspection>& seen) { answered = static_cast<std::size_t>(std::count_if(seen.begin(), seen.end(), [](const auto& x) { return x.answered; })); },
               [](caf::error&) {});
    wall_ms.push_back(std::chrono::duration<double, std::milli>(clock_type::now() - begin).count());
  };
  // CPU of the whole process over some seconds, with what the scheduler spends on waking up and going to sleep.
  auto share_of = [&](auto&& each_second) {
    auto cpu = process_cpu_s();
    auto begin = clock_type::now();
    for (int i = 1; i <= seconds; ++i) {
      each_second();
      std::this_thread::sleep_until(begin + i * 1s);
    }
    return (process_cpu_s() - cpu) / seconds;
  };
  for (int i = 0; i < 20; ++i) sweep();
  auto idle = share_of([] {});
  auto watched = share_of(sweep);
  auto outside = share_of([&] { inspect_from_outside(names, clock); });
  results.push_back({"actors that answered an inspection", static_cast<double>(answered), "", 0});
  results.push_back({"one sweep over 1,000 actors, wall", median(wall_ms), "ms", 0});
  results.push_back({"share of a core, idle", idle, "", 0});
  results.push_back({"share of a core, counters read each second", outside, "", 0});
  results.push_back({"share of a core, inspected each second", watched - idle, "", inspection_share_max});
  caf::anon_send_exit(inspector, caf::exit_reason::user_shutdown);
  if (!stop_root(root, 60s)) std::puts("the tree did not stop");
}

} // namespace

int main(int argc, char** argv) {
  bool check = argc > 1 && std::strcmp(argv[1], "--check") == 0;
  std::vector<result> results;
  measure_send(results);
  measure_inspection(results);
  bool kept = true;
  for (const auto& r : results) {
    std::printf("%-42s %10.4g %-3s", r.name, r.value, r.unit);
    if (r.bound > 0) {
      bool ok = r.value <= r.bound;
      kept = kept && ok;
      std::printf(" bound %.4g: %s", r.bound, ok ? "kept" : "BROKEN");
    }
    std::putchar('\n');
  }
  return check && !kept ? 1 : 0;
}
