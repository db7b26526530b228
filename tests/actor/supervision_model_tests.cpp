// tests/actor/supervision_model_tests.cpp - random trees and random crashes: the runtime against the model.
#define BOOST_TEST_MODULE supervision_model_tests
#include <boost/test/unit_test.hpp>

#include <cstdlib>

#include "fixture.hpp"
#include "runtime/supervision/supervisor_core.hpp"
#include "supervision_model.hpp"

using namespace lucid;
using namespace lucid::test;

namespace {

std::uint64_t seed_count(std::uint64_t usual) {
  const char* wanted = std::getenv("LUCID_SEEDS");
  return wanted ? std::strtoull(wanted, nullptr, 10) : usual;
}

struct dice {
  std::mt19937_64 engine;
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(engine() % n); }
  bool chance(unsigned percent) { return below(100) < percent; }
  template <class T>
  const T& one_of(const std::vector<T>& all) {
    return all[below(all.size())];
  }
};

model::plan random_worker(dice& d, const std::string& id, bool may_be_significant) {
  model::plan p{.id = id, .restart = d.one_of<std::string>({"permanent", "permanent", "transient", "temporary"}), .deaf = d.chance(10)};
  p.significant = may_be_significant && p.restart != "permanent" && d.chance(50);
  return p;
}

model::plan random_supervisor(dice& d, const std::string& id, unsigned depth, bool may_be_significant) {
  auto p = random_worker(d, id, may_be_significant);
  p.is_supervisor = true;
  p.deaf = false;
  p.strategy = d.one_of<std::string>({"one_for_one", "one_for_all", "rest_for_one"});
  p.intensity = static_cast<int>(d.below(4));
  p.period_ms = static_cast<long>(5000 + 1000 * d.below(90));
  p.auto_shutdown = d.one_of<std::string>({"never", "never", "any_significant", "all_significant"});
  auto count = 1 + d.below(4);
  for (std::size_t i = 0; i < count; ++i) {
    auto name = std::string(1, static_cast<char>('a' + i));
    bool nested = depth > 0 && d.chance(40);
    p.children.push_back(nested ? random_supervisor(d, name, depth - 1, p.auto_shutdown != "never")
                                : random_worker(d, name, p.auto_shutdown != "never"));
  }
  return p;
}

restart restart_from(const std::string& name) {
  return name == "permanent" ? restart::permanent : name == "transient" ? restart::transient : restart::temporary;
}

supervisor_spec spec_from(world& w, const model::plan& p, const std::string& prefix) {
  supervisor_spec spec{
    .id = p.id,
    .how = p.strategy == "one_for_one"   ? strategy::one_for_one
           : p.strategy == "one_for_all" ? strategy::one_for_all
                                         : strategy::rest_for_one,
    .restarts_max = static_cast<unsigned>(p.intensity),
    .period = std::chrono::milliseconds(p.period_ms),
    .shutdown = p.auto_shutdown == "never"             ? auto_shutdown::never
                : p.auto_shutdown == "any_significant" ? auto_shutdown::any_significant
                                                       : auto_shutdown::all_significant,
    .when = restart_from(p.restart),
    .delay = {0ms, 0ms},
    .significant = p.significant};
  for (const auto& c : p.children) {
    if (c.is_supervisor) {
      spec.children.push_back(nested(spec_from(w, c, prefix + c.id + "/")));
    } else {
      auto child = w.worker(prefix + c.id, restart_from(c.restart), c.deaf);
      child.significant = c.significant;
      spec.children.push_back(child);
    }
  }
  return spec;
}

void all_workers(const model::plan& p, const std::string& prefix, std::vector<std::string>& workers,
                 std::vector<std::string>& supervisors) {
  for (const auto& c : p.children) {
    (c.is_supervisor ? supervisors : workers).push_back(prefix + c.id);
    if (c.is_supervisor) all_workers(c, prefix + c.id + "/", workers, supervisors);
  }
}

// What each supervisor did, as the model tells it.
std::map<std::string, std::vector<std::string>> log_of(const std::vector<std::string>& trace) {
  std::map<std::string, std::vector<std::string>> log;
  for (const auto& line : trace) {
    auto path = line.substr(line.rfind(' ') + 1);
    auto what = line.substr(0, line.rfind(' '));
    if (what != "started" && what != "start fails" && what != "stopping" && what != "killing") continue;
    auto slash = path.rfind('/');
    log[slash == std::string::npos ? "root" : path.substr(0, slash)].push_back(line);
  }
  return log;
}

std::string text_of(const std::map<std::string, std::vector<std::string>>& log) {
  std::string text;
  for (const auto& [supervisor, lines] : log) {
    text += supervisor + ":";
    for (const auto& line : lines) text += " [" + line + "]";
    text += "\n";
  }
  return text;
}

std::string living(world& w, const std::vector<std::string>& paths) {
  std::string text;
  for (const auto& path : paths)
    if (w.present(path)) text += path + " ";
  return text;
}

void run_script(std::uint64_t seed) {
  dice d{std::mt19937_64(seed)};
  auto plan = random_supervisor(d, "root", 2, false);
  plan.restart = "permanent";
  std::vector<std::string> workers, supervisors;
  all_workers(plan, "", workers, supervisors);

  world real(seed);
  std::map<std::string, int> failing;
  if (!workers.empty() && d.chance(30)) failing[d.one_of(workers)] = static_cast<int>(1 + d.below(5));
  real.failing_starts = failing;
  real.start(spec_from(real, plan, ""));
  real.advance(100s);
  model::tree expected(plan, failing);

  auto everybody = workers;
  everybody.insert(everybody.end(), supervisors.begin(), supervisors.end());
  std::sort(everybody.begin(), everybody.end());
  long now_ms = 100'000;
  for (int step = 0; step <= 12; ++step) {
    auto alive = expected.living();
    std::string alive_text;
    std::sort(alive.begin(), alive.end());
    for (const auto& path : alive)
      if (path != "root") alive_text += path + " ";
    BOOST_TEST_CONTEXT("seed " << seed << ", step " << step) {
      auto got = log_of(real.take_trace());
      BOOST_REQUIRE_EQUAL(text_of(got), text_of(expected.log));
      BOOST_REQUIRE_EQUAL(living(real, everybody), alive_text);
      BOOST_REQUIRE_EQUAL(real.ended, expected.root_ended);
      BOOST_REQUIRE_EQUAL(real.last_word.has_value(), expected.root_failed);
    }
    if (expected.root_ended) return;
    expected.log.clear();
    expected.now_ms = now_ms;
    real.failing_starts.clear();
    expected.failing_starts.clear();
    if (!workers.empty() && d.chance(25)) {
      const auto& path = d.one_of(workers);
      real.failing_starts[path] = expected.failing_starts[path] = static_cast<int>(1 + d.below(6));
    }
    auto pause = 20 + d.below(40);
    if (!supervisors.empty() && d.chance(15)) {
      const auto& path = d.one_of(supervisors);
      real.kill(path);
      real.advance(std::chrono::seconds(pause - 1));
      expected.dies(path);
    } else if (!workers.empty()) {
      const auto& path = d.one_of(workers);
      bool normally = d.chance(30);
      bool there = real.tell(path, normally ? "leave" : d.chance(50) ? "crash" : "fail");
      real.advance(std::chrono::seconds(pause - 1));
      if (there) expected.ends(path, normally);
    }
    now_ms += static_cast<long>(pause) * 1000;
  }
}

} // namespace

BOOST_AUTO_TEST_CASE(random_trees_and_crashes_go_as_the_model_says) {
  const char* only = std::getenv("LUCID_SEED");
  if (only) return run_script(std::strtoull(only, nullptr, 10));
  for (std::uint64_t seed = 1; seed <= seed_count(3000); ++seed) run_script(seed);
}

// -- the core alone, with events at any moment: what must hold whatever happens ---------------------------------------

namespace {

using kind = supervisor_command::kind;

/// Carries out commands as badly as a shell may: late, and with children that die when they like.
struct rough_shell {
  explicit rough_shell(std::uint64_t seed) : d{std::mt19937_64(seed)}, rules(make_rules()), children(make_children()), core("s", rules, children, seed) {}

  supervisor_rules make_rules() {
    return {.how = d.one_of<strategy>({strategy::one_for_one, strategy::one_for_all, strategy::rest_for_one}),
            .restarts_max = static_cast<unsigned>(d.below(6)),
            .period = std::chrono::milliseconds(1000 * (1 + d.below(20)))};
  }
  std::vector<child_rules> make_children() {
    std::vector<child_rules> all;
    for (std::size_t i = 0; i < 1 + d.below(5); ++i)
      all.push_back({.id = std::string(1, static_cast<char>('a' + i)),
                     .when = d.one_of<restart>({restart::permanent, restart::transient, restart::temporary}),
                     .shutdown_timeout = std::chrono::milliseconds(100 * d.below(3)),
                     .delay = {std::chrono::milliseconds(10 * d.below(10)), std::chrono::milliseconds(100 + d.below(1000))}});
    return all;
  }

  void run(supervisor_commands commands) {
    for (auto& c : commands) {
      BOOST_REQUIRE(!ended);
      switch (c.what) {
        case kind::start: {
          for (const auto& [id, incarnation] : alive) {
            BOOST_REQUIRE(id != c.id); // Never two of one.
          }
          if (d.chance(20)) {
            run(core.start_failed(c.id, c.incarnation, error{errc::io_failed, "t", "x", nullptr}, now));
          } else {
            alive[c.id] = c.incarnation;
            run(core.child_started(c.id, c.incarnation, now));
          }
          break;
        }
        case kind::stop:
          asked.push_back(c.id);
          break;
        case kind::kill:
          if (d.chance(80)) asked.push_back(c.id); // Else it is stuck for good.
          break;
        case kind::abandon: alive.erase(c.id); break;
        case kind::set_timer: timers.emplace(now + c.delay, c.token); break;
        case kind::end:
          ended = true;
          escalated = c.error.has_value();
          BOOST_REQUIRE(alive.empty());
          break;
        default: break;
      }
    }
  }

  void dies(const std::string& id, bool normal) {
    auto it = alive.find(id);
    if (it == alive.end()) return;
    auto incarnation = it->second;
    alive.erase(it);
    run(core.child_down(id, incarnation, {normal, "x"}, now));
  }

  void step() {
    now += std::chrono::milliseconds(d.below(300));
    auto what = d.below(10);
    if (what < 4 && !asked.empty()) {
      auto id = asked.front();
      asked.erase(asked.begin());
      dies(id, true);
    } else if (what < 5 && !alive.empty()) {
      auto it = alive.begin();
      std::advance(it, static_cast<long>(d.below(alive.size())));
      dies(std::string(it->first), d.chance(40));
    } else if (what == 5 && !core.ending()) {
      auto commands = core.restart_child(d.one_of(children).id, now);
      if (commands) run(std::move(*commands));
    } else if (!timers.empty()) {
      auto [due, token] = *timers.begin();
      timers.erase(timers.begin());
      now = std::max(now, due);
      run(core.timer(token, now));
    }
  }

  dice d;
  supervisor_rules rules;
  std::vector<child_rules> children;
  supervisor_core core;
  supervisor_time now{0};
  std::map<std::string, std::uint64_t> alive;
  std::vector<std::string> asked;
  std::multimap<supervisor_time, std::uint64_t> timers;
  bool ended = false, escalated = false;
};

} // namespace

BOOST_AUTO_TEST_CASE(whatever_happens_no_child_runs_twice_and_the_end_comes_last) {
  std::uint64_t escalations = 0, stops = 0;
  for (std::uint64_t seed = 1; seed <= 5 * seed_count(3000); ++seed) BOOST_TEST_CONTEXT("seed " << seed) {
    rough_shell s(seed);
    s.run(s.core.start(s.now));
    for (int i = 0; i < 60 && !s.ended; ++i) s.step();
    if (!s.ended) s.run(s.core.stop(s.now));
    for (int i = 0; i < 2000 && !s.ended; ++i) s.step(); // A stop is always followed by an end.
    BOOST_REQUIRE(s.ended);
    (s.escalated ? escalations : stops)++;
  }
  BOOST_TEST(escalations > 100u);
  BOOST_TEST(stops > 100u);
}

BOOST_AUTO_TEST_CASE(a_sibling_that_dies_while_its_group_is_being_stopped_is_not_another_failure) {
  supervisor_core core("s", {.how = strategy::one_for_all, .restarts_max = 1}, {{.id = "a"}, {.id = "b"}, {.id = "c"}}, 1);
  auto now = supervisor_time(0);
  core.start(now);
  for (const char* id : {"a", "b", "c"}) core.child_started(id, 1, now);
  core.child_down("a", 1, {false, "x"}, now);
  core.child_down("b", 1, {false, "y"}, now); // Its turn to be stopped had not yet come.
  auto commands = core.child_down("c", 1, {true, ""}, now);
  BOOST_TEST(!core.ending());
  for (const auto& child : core.children()) BOOST_TEST((child.state == child_state::idle));
}
