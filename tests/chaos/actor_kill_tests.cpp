// tests/chaos/actor_kill_tests.cpp - actors, supervisors and worker processes are killed while a node records.
#define BOOST_TEST_MODULE actor_kill_tests
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>

#include "messages/paths.hpp"
#include "tests/chaos/chaos.hpp"

using namespace lucid;
using namespace lucid::chaos;

namespace {

/// What a plan may kill. The worker process is "worker".
const std::vector<std::string> all_victims{"journal", "capture", "chunk",   "seal",           "manifest",
                                           "session", "worker",  "storage/store", "storage/ledger", "storage/anchor",
                                           "recorder", "control", "chunk", "seal", "session", "worker"};
const std::vector<std::string> all_supervisors{"subtree", "storage", "sessions", "subtree"};

struct kill_plan {
  std::uint64_t seed = 1;
  std::string source;
  std::uint64_t frame_count = 0;
  std::vector<std::string> victims = all_victims;
  std::uint64_t kill_count_max = 60;
  std::chrono::milliseconds pause_min = 5ms, pause_max = 90ms;
  std::uint32_t rate = 15;
};

class hurt_node {
public:
  explicit hurt_node(const std::vector<std::string>& flags = {}) : settings(settings_for(folder.path() / "data", quick_settings(flags))) {
    settings.chunk.size_bytes = 1u << 20; // Less than a user may set: many chunks in a short recording.
    settings.supervision.restarts_max = 100'000; // The tests escalate by killing supervisors, not by chance.
    make_owner_key(settings);
    log_to(folder.path() / "log");
    running = must(node::start(settings, {LUCID_PROGRAM}));
  }
  ~hurt_node() {
    running.reset();
    must(log::start({})); // Before its file goes.
  }

  std::string log_tail() const { return tail_of(folder.path() / "log"); }

  temp_folder folder;
  configuration settings;
  std::unique_ptr<node> running;
};

std::map<std::string, std::uint64_t>& tally() {
  static std::map<std::string, std::uint64_t> counts;
  return counts;
}

bool kill_one(const hurt_node& hurt, const session_id& id, const std::string& victim) {
  if (victim == "worker") {
    auto workers = children_of(::getpid());
    return !workers.empty() && ::kill(workers.front(), SIGKILL) == 0;
  }
  auto path = victim;
  if (victim == "subtree") path = "sessions/" + to_hex(id);
  else if (victim == "journal" || victim == "capture" || victim == "chunk" || victim == "seal" || victim == "manifest" ||
           victim == "session")
    path = paths::of_session(id, victim);
  return hurt.running->kill_actor(path).has_value();
}

bool is_final_in(const node_client& client, const session_id& id) {
  auto seen = ask(client, id);
  return seen && is_final(seen->state);
}

/// What the session's actors and the storage say of themselves: where a recording that stands still stands.
std::string actors_of(const node_client& client, const session_id& id) {
  auto all = client.actors();
  if (!all) return to_string(all.error()) + "\n";
  std::string text;
  for (auto& one : (*all)["actors"])
    if (auto path = one.value("path", ""); path.find(to_hex(id)) != path.npos || path.starts_with("storage/"))
      text += path.substr(path.rfind('/') + 1) + " " + std::to_string(one.value("incarnation", 0)) + ": " + one["state"].dump() + "\n";
  return text;
}

/// Records, kills by plan until the recording is over, and judges what came of it.
std::uint64_t record_and_kill(const kill_plan& plan, hurt_node& hurt) {
  node_client client(hurt.settings);
  outcome<session_summary> created = fail(errc::timeout, "test", "not asked");
  wait_until(10s, [&] { // The seed before may have left a supervisor that is just being restarted.
    created = client.create(of_source(plan.source, plan.rate), titled("chaos"));
    return created.has_value() || created.error().code != errc::unreachable;
  });
  BOOST_REQUIRE_MESSAGE(created, "seed " << plan.seed << ": " << (created ? "" : to_string(created.error())));
  auto id = created->id;
  chance dice(plan.seed);
  std::uint64_t kills = 0;
  std::string story;
  for (auto until = clock::now() + 60s; kills < plan.kill_count_max && clock::now() < until;) {
    std::this_thread::sleep_for(dice.between(plan.pause_min, plan.pause_max));
    auto& victim = plan.victims[dice.below(plan.victims.size())];
    if (kill_one(hurt, id, victim)) {
      ++kills;
      ++tally()[victim];
      story += victim + " ";
    } else if (is_final_in(client, id)) {
      break;
    }
  }
  auto ended = wait_until(60s, [&] { return is_final_in(client, id); });
  auto last = ask(client, id);
  BOOST_REQUIRE_MESSAGE(ended, "seed " << plan.seed << ": not ended after 60 s, in state "
                                       << (last ? to_string(last->state) : "unknown") << " with "
                                       << (last ? last->frame_count : 0) << " frames, killed: " << story << "\n"
                                       << actors_of(client, id) << hurt.log_tail());
  BOOST_TEST_CONTEXT("seed " << plan.seed << ", killed: " << story << "\nreason: " << last->reason << "\n") {
    BOOST_TEST(to_string(last->state) == "completed", hurt.log_tail());
    if (last->state != session_state::completed) return kills;
    auto seen = judge(hurt.settings, id);
    BOOST_TEST(seen.intact, seen.findings);
    BOOST_TEST(seen.decrypted);
    BOOST_TEST(seen.frame_count == plan.frame_count, hurt.log_tail());
    BOOST_TEST(seen.gap_count == 0u);
    BOOST_TEST(last->frame_count == plan.frame_count);
  }
  // What is final is cleared away: its actors, its secrets and its worker are gone.
  BOOST_TEST(wait_until(20s, [&] {
    auto paths = hurt.running->actor_paths();
    return std::none_of(paths.begin(), paths.end(), [&](auto& p) { return p.find(to_hex(id)) != p.npos; });
  }), "seed " << plan.seed << ": the actors of the finished session are still there\n" << hurt.log_tail());
  BOOST_TEST(wait_until(5s, [] { return children_of(::getpid()).empty(); }), "a worker process is left");
  return kills;
}

std::string fast(std::uint64_t seed, std::uint64_t frames, const char* more = "") {
  return "generator:seed=" + std::to_string(seed) + "&frames=" + std::to_string(frames) + "&size=320x240" + more;
}

std::uint64_t run_seeds(std::uint64_t count, const std::function<kill_plan(std::uint64_t)>& plan_of,
                        const std::vector<std::string>& flags = {}) {
  std::uint64_t kills = 0;
  hurt_node hurt(flags);
  for (auto seed = first_seed(); seed < first_seed() + seed_count(count); ++seed) {
    auto began = clock::now();
    auto now = record_and_kill(plan_of(seed), hurt);
    kills += now;
    BOOST_TEST_MESSAGE("seed " << seed << ": " << now << " kills in "
                               << std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - began).count() << " ms");
  }
  return kills;
}

} // namespace

BOOST_AUTO_TEST_CASE(an_undisturbed_run_has_every_frame) {
  hurt_node hurt;
  BOOST_TEST(record_and_kill({.source = fast(1, 400), .frame_count = 400, .kill_count_max = 0}, hurt) == 0u);
}

BOOST_AUTO_TEST_CASE(a_recording_as_fast_as_can_be_survives_the_death_of_any_actor) {
  auto kills = run_seeds(4, [](std::uint64_t seed) {
    return kill_plan{.seed = seed, .source = fast(seed, 600, "&noise=1"), .frame_count = 600};
  });
  BOOST_TEST_MESSAGE(kills << " kills");
}

BOOST_AUTO_TEST_CASE(a_recording_in_real_time_survives_the_death_of_any_actor) {
  auto kills = run_seeds(2, [](std::uint64_t seed) {
    return kill_plan{.seed = seed, .source = fast(seed, 150, "&realtime=1&rate=30"), .frame_count = 150, .rate = 30};
  });
  BOOST_TEST_MESSAGE(kills << " kills");
}

BOOST_AUTO_TEST_CASE(the_end_of_a_recording_survives_the_death_of_any_actor) {
  // Short recordings: most of the kills fall on the ways through sealing, storing and anchoring.
  auto kills = run_seeds(8, [](std::uint64_t seed) {
    return kill_plan{.seed = seed,
                     .source = fast(seed, 30),
                     .frame_count = 30,
                     .victims = {"seal", "manifest", "session", "storage/store", "storage/ledger", "storage/anchor", "recorder",
                                 "chunk", "journal"},
                     .kill_count_max = 25,
                     .pause_max = 40ms};
  });
  BOOST_TEST_MESSAGE(kills << " kills");
}

BOOST_AUTO_TEST_CASE(a_recording_survives_the_death_of_supervisors) {
  auto kills = run_seeds(3, [](std::uint64_t seed) {
    return kill_plan{.seed = seed,
                     .source = fast(seed, 300),
                     .frame_count = 300,
                     .victims = all_supervisors,
                     .kill_count_max = 10,
                     .pause_min = 50ms,
                     .pause_max = 500ms};
  });
  BOOST_TEST_MESSAGE(kills << " kills");
}

BOOST_AUTO_TEST_CASE(several_hundred_kills_were_made) {
  std::uint64_t all = 0;
  for (auto& [victim, count] : tally()) {
    BOOST_TEST_MESSAGE(victim << ": " << count);
    all += count;
  }
  BOOST_TEST_MESSAGE("in all " << all << " kills");
  BOOST_TEST(all >= 200u);
}
