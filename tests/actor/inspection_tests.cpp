// tests/actor/inspection_tests.cpp - what an actor tells of itself, and what is told of one that is stuck.
#define BOOST_TEST_MODULE inspection_tests
#include <boost/test/unit_test.hpp>

#include <future>

#include "fixture.hpp"
#include "messages/storage_api.hpp"
#include "messages/supervision_api.hpp"
#include "runtime/inspection/inspect_tree.hpp"

using namespace lucid;
using namespace lucid::test;

namespace {

/// A typed actor whose handlers take as long as they are told, in the test's time.
struct ledger_state {
  static inline const char* name = "ledger";
  std::uint64_t appended = 0;
};

ledger_api::behavior_type slow_ledger(ledger_api::stateful_pointer<ledger_state> self, actor_context ctx) {
  return supervised(
    self, ctx,
    {
      [self](const ledger_append_request&) {
        ++self->state.appended;
        auto& scheduler = static_cast<caf::scheduler::test_coordinator&>(self->system().scheduler());
        scheduler.clock().current_time += self->state.appended % 100 == 0 ? 10ms : 100us;
        return std::vector<anchored_entry>();
      },
      [](const ledger_status_request&) -> caf::result<ledger_status> { return to_caf({errc::busy, "l", "later", nullptr}); },
    },
    [self] { return state_fields{{"appended", std::to_string(self->state.appended)}}; });
}

const inspection& at(const std::vector<inspection>& all, const std::string& path) {
  for (const auto& one : all)
    if (one.path == path) return one;
  throw std::out_of_range(path);
}

struct house : world {
  house() {
    start({.id = "root",
           .children = {nested(supervisor_spec{.id = "storage",
                                               .how = strategy::rest_for_one,
                                               .children = {{.id = "ledger", .start = child_of(slow_ledger)},
                                                            worker("storage/anchor")}}),
                        worker("control")}});
  }
  std::vector<inspection> look() {
    std::vector<inspection> all;
    auto inspector = spawn_inspector(system, names, clock);
    system.spawn([&, inspector](caf::event_based_actor* self) {
      self->request(inspector, 10s, inspection_request{}).then([&](std::vector<inspection>& seen) { all = std::move(seen); });
    });
    advance(1s);
    caf::anon_send_exit(inspector, caf::exit_reason::user_shutdown);
    advance(0s);
    return all;
  }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(the_whole_tree_answers, house) {
  auto all = look();
  std::vector<std::string> paths;
  for (const auto& one : all) {
    paths.push_back(std::string(one.path).append(" ").append(one.kind));
    BOOST_TEST(one.answered);
    BOOST_TEST(one.present);
    BOOST_TEST(one.incarnation == 1u);
  }
  std::vector<std::string> wanted{"control obedient", "root supervisor", "storage supervisor", "storage/anchor obedient", "storage/ledger ledger"};
  BOOST_CHECK_EQUAL_COLLECTIONS(paths.begin(), paths.end(), wanted.begin(), wanted.end());
  BOOST_TEST((at(all, "storage").state == state_fields{{"strategy", "rest_for_one"}, {"children", "2"}}));
  BOOST_TEST((at(all, "control").state == state_fields{{"obeys", "always"}}));
}

BOOST_FIXTURE_TEST_CASE(handled_messages_are_counted_by_type_with_their_times, house) {
  ref<ledger_api> ledger(names, "storage/ledger");
  for (int i = 0; i < 200; ++i) ledger.send_anonymous(ledger_append_request{});
  for (int i = 0; i < 50; ++i) ledger.send_anonymous(ledger_status_request{});
  advance(1s);
  auto seen = at(look(), "storage/ledger");
  BOOST_TEST(seen.handled_count == 250u);
  BOOST_REQUIRE(seen.handled.size() == 2u);
  BOOST_TEST(seen.handled[0].type == "lucid::ledger_append_request");
  BOOST_TEST(seen.handled[0].count == 200u);
  BOOST_TEST(seen.handled[1].count == 50u);
  BOOST_TEST((seen.state == state_fields{{"appended", "200"}}));
  BOOST_TEST(seen.times.p50_ns >= 100'000u);
  BOOST_TEST(seen.times.p50_ns <= 119'000u);
  BOOST_TEST(seen.times.p99_ns <= 119'000u); // 2 of 250 took 10 ms: just above the 99th percentile.
  BOOST_TEST(seen.times.max_ns == 10'000'000u);
}

BOOST_FIXTURE_TEST_CASE(the_busy_share_is_that_of_the_last_seconds, house) {
  ref<ledger_api> ledger(names, "storage/ledger");
  advance(100s);
  for (int round = 0; round < 40; ++round) { // Every 500 ms 500 handlers: 495 of 100 us and 5 of 10 ms.
    for (int i = 0; i < 500; ++i) ledger.send_anonymous(ledger_append_request{});
    advance(500ms);
  }
  auto share = at(look(), "storage/ledger").busy_share;
  BOOST_TEST(share > 0.12);
  BOOST_TEST(share < 0.25);
}

BOOST_FIXTURE_TEST_CASE(restarts_come_with_their_reasons_and_are_bounded, house) {
  tell("storage/anchor", "crash");
  advance(100s);
  tell("storage/anchor", "fail");
  auto seen = at(look(), "storage/anchor");
  BOOST_TEST(seen.incarnation == 3u);
  BOOST_TEST(seen.restart_count == 2u);
  BOOST_REQUIRE(seen.restarts.size() == 2u);
  BOOST_TEST(seen.restarts[0].reason.find("told to crash") != std::string::npos);
  BOOST_TEST(seen.restarts[1].reason.find("told to fail (disk_full)") != std::string::npos);
  for (int i = 0; i < 30; ++i) {
    advance(100s);
    tell("storage/anchor", "crash");
  }
  seen = at(look(), "storage/anchor");
  BOOST_TEST(seen.restart_count == 32u);
  BOOST_TEST(seen.restarts.size() == inspection_restarts_max);
}

BOOST_FIXTURE_TEST_CASE(times_are_told_by_type_of_message, house) {
  ref<ledger_api> ledger(names, "storage/ledger");
  for (int i = 0; i < 99; ++i) ledger.send_anonymous(ledger_append_request{});
  for (int i = 0; i < 50; ++i) ledger.send_anonymous(ledger_status_request{});
  advance(1s);
  auto seen = at(look(), "storage/ledger");
  BOOST_REQUIRE(seen.handled.size() == 2u);
  BOOST_TEST(seen.handled[0].p50_ns >= 100'000u);
  BOOST_TEST(seen.handled[0].max_ns == 100'000u);
  BOOST_TEST(seen.handled[1].p99_ns == 0u); // The test's clock stands still in this handler.
  BOOST_TEST(seen.times.max_ns == 100'000u);
}

BOOST_FIXTURE_TEST_CASE(the_rate_is_that_of_the_last_seconds, house) {
  ref<ledger_api> ledger(names, "storage/ledger");
  for (int second = 0; second < 30; ++second) {
    for (int i = 0; i < 50; ++i) ledger.send_anonymous(ledger_status_request{});
    advance(1s);
  }
  auto rate = at(look(), "storage/ledger").rate;
  BOOST_TEST(rate > 40);
  BOOST_TEST(rate < 60);
}

namespace {
caf::behavior pest(caf::event_based_actor* self, actor_context ctx) {
  return supervised(self, ctx,
                    {[=](int count) {
                       ref<caf::actor> to(ctx.directory(), "victim");
                       for (int i = 0; i < count; ++i) to.send(self, std::string("x"));
                       if (count < 0) throw std::runtime_error("enough");
                     },
                     [](const std::string&) {}}); // The victim says it back.
}
} // namespace

BOOST_FIXTURE_TEST_CASE(senders_have_names_over_all_their_incarnations, world) {
  start({.id = "root",
         .restarts_max = 9,
         .children = {worker("victim"),
                      {.id = "a", .start = child_of(pest), .delay = {0ms, 0ms}},
                      {.id = "b", .start = child_of(pest)}}});
  auto order = [&](const char* path, int count) {
    ref<caf::actor>(names, path).send_anonymous(count);
    advance(1s);
  };
  order("a", 5);
  order("a", -1); // The next one is another actor at the same path.
  order("a", 2);
  order("b", 3);
  tell("victim", "from outside");
  auto seen = inspect_from_outside(names, clock);
  auto senders = at(seen, "victim").senders;
  BOOST_REQUIRE(senders.size() == 3u);
  BOOST_TEST(senders[0].path == "a");
  BOOST_TEST(senders[0].count == 7u);
  BOOST_TEST(senders[1].path == "b");
  BOOST_TEST(senders[1].count == 3u);
  BOOST_TEST(senders[2].path == "");
  BOOST_TEST(senders[2].count == 1u);
}

BOOST_AUTO_TEST_CASE(the_most_frequent_senders_stay_in_the_table) {
  sender_table table;
  std::mt19937_64 engine(7);
  for (int i = 0; i < 100'000; ++i) // 1, 2, 3: a quarter each.
    table.count(engine() % 4 ? 1 + engine() % 3 : 100 + engine() % 1000);
  auto rows = table.read();
  BOOST_TEST(rows.size() == inspection_senders_max);
  std::uint64_t total = 0;
  for (const auto& one : rows) {
    total += one.count;
    if (one.actor_id <= 3) BOOST_TEST(one.count >= 24'000u);
    if (one.actor_id <= 3) BOOST_TEST(one.count <= 31'000u);
  }
  BOOST_TEST(total == 100'000u);
  for (std::uint64_t id : {1, 2, 3})
    BOOST_TEST((std::count_if(rows.begin(), rows.end(), [&](const auto& one) { return one.actor_id == id; }) == 1));
}

BOOST_FIXTURE_TEST_CASE(the_tree_and_its_specs_are_told_as_data, house) {
  auto all = look();
  auto storage = at(all, "storage");
  BOOST_TEST(storage.spec.parent == "root");
  BOOST_TEST(storage.spec.position == 0u);
  BOOST_TEST(storage.spec.supervisor);
  BOOST_TEST(storage.spec.strategy == "rest_for_one");
  BOOST_TEST(storage.spec.restarts_max == 3u);
  BOOST_TEST(storage.spec.period_ms == 60'000);
  BOOST_TEST(storage.child_count == 2u);
  auto anchor = at(all, "storage/anchor");
  BOOST_TEST(anchor.spec.parent == "storage");
  BOOST_TEST(anchor.spec.position == 1u);
  BOOST_TEST(anchor.spec.restart == "permanent");
  BOOST_TEST(anchor.spec.shutdown_timeout_ms == 100);
  BOOST_TEST(!anchor.spec.supervisor);
  BOOST_TEST(at(all, "root").child_count == 2u);
  BOOST_TEST(at(all, "root").spec.parent == "");
  for (const auto& one : all) BOOST_TEST((one.state_now == actor_state::running));
}

namespace {
caf::behavior asks_at_once(caf::event_based_actor* self, actor_context ctx) {
  ref<caf::actor>(ctx.directory(), "control").request(self, 1s, std::string("hello")).then([self, ctx](const std::string&) {
    ref<caf::actor>(ctx.directory(), "nobody").request(self, 1s, 1).then([] {}, [](caf::error&) {});
  });
  return supervised(self, ctx, {[](int) {}});
}
} // namespace

BOOST_FIXTURE_TEST_CASE(replies_count_as_work_of_whoever_asked, world) {
  start({.id = "root", .children = {worker("control"), {.id = "asking", .start = child_of(asks_at_once)}}});
  advance(1s);
  inspection seen = names.slot("asking")->inspect_from_outside(clock.monotonic());
  BOOST_REQUIRE(seen.handled.size() == 1u);
  BOOST_TEST(seen.handled[0].type == "reply");
  BOOST_TEST(seen.handled[0].count == 2u);
}

BOOST_FIXTURE_TEST_CASE(a_supervisor_lists_its_children, house) {
  std::vector<child_summary> children;
  ref<supervisor_api> storage(names, "storage");
  system.spawn([&](caf::event_based_actor* self) {
    storage.request(self, 1s, child_list_request{}).then([&](std::vector<child_summary>& all) { children = all; });
  });
  advance(1s);
  BOOST_REQUIRE(children.size() == 2u);
  BOOST_TEST(children[0].path == "storage/ledger");
  BOOST_TEST(children[1].path == "storage/anchor");
  BOOST_TEST(children[1].state == "running");
}

BOOST_AUTO_TEST_CASE(more_types_than_rows_are_other) {
  actor_stats stats(0ns);
  for (std::uint64_t key = 1; key <= 100; ++key) {
    stats.begin(stats.row_of(key, [&] { return std::to_string(key); }), 0, 0ns);
    stats.end(10ns);
  }
  inspection seen;
  stats.read(seen, 1s);
  BOOST_TEST(seen.handled.size() == inspection_types_max);
  BOOST_TEST(seen.handled.back().type == "other");
  BOOST_TEST(seen.handled_count == 100u);
}

BOOST_AUTO_TEST_CASE(quantiles_are_at_most_a_quarter_octave_high) {
  std::mt19937_64 engine(1);
  for (int round = 0; round < 50; ++round) {
    actor_stats stats(0ns);
    std::vector<std::uint64_t> times;
    for (int i = 0; i < 1000; ++i) {
      times.push_back(200 + engine() % (1u << (10 + round % 20)));
      stats.begin(stats.row_of(1, [] { return "t"; }), 0, 1ns);
      stats.end(std::chrono::nanoseconds(1 + times.back()));
    }
    std::sort(times.begin(), times.end());
    inspection seen;
    stats.read(seen, 1s);
    for (auto [got, exact] : {std::pair(seen.times.p50_ns, times[499]), std::pair(seen.times.p90_ns, times[899]),
                              std::pair(seen.times.p99_ns, times[989]), std::pair(seen.times.max_ns, times[999])}) {
      BOOST_TEST(got >= exact);
      BOOST_TEST(got <= exact * 5 / 4 + 1);
    }
  }
}

// -- with threads --------------------------------------------------------------------------------------------------

namespace {
caf::behavior blocked(caf::event_based_actor* self, actor_context ctx, std::shared_future<void> gate, std::promise<void>* inside) {
  return supervised(self, ctx, {[gate, inside](int) {
                      inside->set_value();
                      gate.wait();
                    }});
}
} // namespace

BOOST_AUTO_TEST_CASE(a_stuck_actor_is_told_of_from_outside) {
  runtime_config config(2);
  directory names;
  system_clock_port clock;
  seeded_random random(1);
  std::promise<void> gate, inside;
  caf::actor_system system(config);
  auto root = start_root(system, {names, clock, random},
                         {.id = "root",
                          .children = {{.id = "stuck", .start = child_of<caf::detached>(blocked, gate.get_future().share(), &inside)},
                                       {.id = "free", .start = child_of(obedient, false)}}}).value();
  while (names.slot("free")->incarnation() == 0) std::this_thread::yield();
  ref<caf::actor>(names, "stuck").send_anonymous(1);
  inside.get_future().wait();
  auto all = inspect_tree(system, names, clock, 200ms);
  auto stuck = at(all, "stuck");
  BOOST_TEST(!stuck.answered);
  BOOST_TEST(stuck.present);
  BOOST_TEST(stuck.running_ns > 0u);
  BOOST_TEST(stuck.handled_count == 1u);
  BOOST_TEST(at(all, "free").answered);
  gate.set_value();
  BOOST_TEST(stop_root(root, 10s).has_value());
}
