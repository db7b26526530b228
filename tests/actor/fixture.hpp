// tests/actor/fixture.hpp - an actor system without threads, whose clock the test moves, and actors that obey.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include "runtime/actor_system.hpp"
#include "runtime/directory/directory.hpp"
#include "runtime/directory/ref.hpp"
#include "runtime/inspection/supervised.hpp"
#include "runtime/supervision/spawn_child.hpp"

namespace lucid::test {

using namespace std::chrono_literals;

class seeded_random final : public random_port {
public:
  explicit seeded_random(std::uint64_t seed) : engine_(seed) {}
  void fill(std::span<std::uint8_t> into) override {
    for (auto& byte : into) byte = static_cast<std::uint8_t>(engine_());
  }

private:
  std::mt19937_64 engine_;
};

/// The scheduler's clock, which only moves when the test says so.
class scheduler_clock final : public clock_port {
public:
  explicit scheduler_clock(caf::actor_system& system) : system_(system) {}
  unix_time_us wall_us() const override {
    return 1'700'000'000'000'000 + std::chrono::duration_cast<std::chrono::microseconds>(monotonic()).count();
  }
  std::chrono::nanoseconds monotonic() const override { return system_.clock().now().time_since_epoch(); }

private:
  caf::actor_system& system_;
};

/// Does as it is told: "crash" throws, "leave" ends normally, "fail" ends with an error.
struct obedient_state {
  static inline const char* name = "obedient";
};

inline caf::behavior obedient(caf::stateful_actor<obedient_state>* self, actor_context ctx, bool deaf) {
  if (deaf) self->set_exit_handler([](caf::scheduled_actor*, caf::exit_msg&) {});
  return supervised(self, ctx,
                    {[self](const std::string& order) {
                       if (order == "crash") throw std::runtime_error("told to crash");
                       if (order == "leave") self->quit();
                       if (order == "fail") self->quit(to_caf({errc::disk_full, "obedient", "told to fail", nullptr}));
                       return order;
                     }},
                    [] { return state_fields{{"obeys", "always"}}; });
}

/// The system, its services, and a trace of what supervisors did: "started a/b", "stopping a/b", "start fails a/b" ...
struct world {
  explicit world(std::uint64_t seed = 1)
    : config(1, true), system(config), clock(system), random(seed),
      services{names, clock, random, [this](const supervision_event& e) { note(e); }} {}

  ~world() {
    if (root && !ended) {
      caf::anon_send_exit(root, caf::exit_reason::user_shutdown);
      advance(10min);
    }
    root = nullptr;
    while (scheduler().has_job() || scheduler().has_pending_timeout()) {
      scheduler().run();
      scheduler().trigger_timeouts();
    }
  }

  caf::scheduler::test_coordinator& scheduler() {
    return static_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  }

  void note(const supervision_event& e) {
    events.push_back(e);
    if (e.what != "ended") trace.push_back(e.what + " " + e.path);
  }

  /// Lets time pass, and everything happen that is due within.
  void advance(std::chrono::nanoseconds by) {
    auto& clock_of_tests = scheduler().clock();
    const auto until = clock_of_tests.now() + by;
    scheduler().run();
    while (!clock_of_tests.schedule().empty() && clock_of_tests.schedule().begin()->first <= until) {
      auto due = clock_of_tests.schedule().begin()->first;
      scheduler().advance_time(std::max(due - clock_of_tests.now(), caf::timespan(0)));
      scheduler().run();
    }
    scheduler().advance_time(until - clock_of_tests.now());
    scheduler().run();
  }

  /// A worker whose next starts fail as often as `failing_starts` says.
  child_spec worker(const std::string& path, restart when = restart::permanent, bool deaf = false) {
    auto id = path.substr(path.rfind('/') + 1);
    auto start = child_of(obedient, deaf);
    return {.id = id,
            .start = [this, path, start](caf::actor_system& sys, const actor_context& ctx) -> outcome<caf::actor> {
              if (auto& left = failing_starts[path]; left > 0) {
                --left;
                trace.push_back("start fails " + path);
                return fail(errc::io_failed, path, "told to fail at the start");
              }
              return start(sys, ctx);
            },
            .when = when,
            .shutdown_timeout = 100ms,
            .delay = {0ms, 0ms}};
  }

  void start(supervisor_spec spec) {
    root = start_root(system, services, std::move(spec), [this](const std::optional<error>& why) {
             ended = true;
             last_word = why;
           }).value();
    advance(0ms);
  }

  /// Tells the actor at `path` something, and lets 1 s pass. False: nobody was there.
  bool tell(const std::string& path, const std::string& order) {
    bool sent = ref<caf::actor>(names, path).send_anonymous(order);
    advance(1s);
    return sent;
  }

  void kill(const std::string& path) {
    if (auto actor = names.slot(path)->present().actor) caf::anon_send_exit(caf::actor_cast<caf::actor>(actor), caf::exit_reason::kill);
    advance(1s);
  }

  bool present(const std::string& path) { return names.slot(path)->present().actor != nullptr; }
  std::uint64_t incarnation(const std::string& path) { return names.slot(path)->incarnation(); }

  std::vector<std::string> take_trace() { return std::exchange(trace, {}); }

  runtime_config config;
  directory names;
  caf::actor_system system;
  scheduler_clock clock;
  seeded_random random;
  std::vector<std::string> trace;
  std::vector<supervision_event> events;
  std::map<std::string, int> failing_starts;
  runtime_services services;
  caf::actor root;
  bool ended = false;
  std::optional<error> last_word;
};

} // namespace lucid::test
