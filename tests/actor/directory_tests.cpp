// tests/actor/directory_tests.cpp - refs: who is reached, who is not, and what becomes of messages.
#define BOOST_TEST_MODULE directory_tests
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <thread>

#include "fixture.hpp"
#include "runtime/flow/credit_window.hpp"

using namespace lucid;
using namespace lucid::test;

BOOST_FIXTURE_TEST_CASE(a_ref_may_be_older_than_its_actor, world) {
  ref<caf::actor> early(names, "a");
  BOOST_TEST(!early.reachable());
  start({.id = "root", .children = {worker("a")}});
  BOOST_TEST(early.reachable());
}

BOOST_FIXTURE_TEST_CASE(a_ref_follows_the_incarnations, world) {
  start({.id = "root", .children = {worker("a")}});
  ref<caf::actor> a(names, "a");
  auto first = a.get();
  tell("a", "crash");
  BOOST_TEST(a.reachable());
  BOOST_TEST((a.get() != first));
}

BOOST_FIXTURE_TEST_CASE(a_send_to_nobody_is_a_counted_dead_letter, world) {
  ref<caf::actor> nobody(names, "nobody"), other(names, "other");
  caf::scoped_actor self(system);
  BOOST_TEST(!nobody.send(self, std::string("x")));
  BOOST_TEST(!nobody.send_anonymous(std::string("x")));
  BOOST_TEST(!other.send(self, std::string("x")));
  BOOST_TEST(names.dead_letter_count() == 3u);
  BOOST_TEST(nobody.slot()->inspect_from_outside(0ns).dead_letter_count == 2u);
}

BOOST_FIXTURE_TEST_CASE(a_request_to_nobody_is_answered_with_unreachable, world) {
  errc scoped{}, evented{};
  caf::scoped_actor self(system);
  ref<caf::actor> nobody(names, "nobody");
  nobody.request(self, 1s, std::string("x")).receive([](const std::string&) {}, [&](caf::error& e) { scoped = from_caf(e).code; });
  BOOST_TEST((scoped == errc::unreachable));
  system.spawn([&](caf::event_based_actor* asking) {
    nobody.request(asking, 1s, std::string("x"))
      .then([](const std::string&) {}, [&](caf::error& e) { evented = from_caf(e).code; });
  });
  advance(0ms);
  BOOST_TEST((evented == errc::unreachable));
  BOOST_TEST(names.dead_letter_count() == 2u);
}

BOOST_FIXTURE_TEST_CASE(a_dead_incarnation_is_withdrawn_before_its_supervisor_hears, world) {
  auto slow = worker("a");
  slow.delay = {10s, 10s};
  start({.id = "root", .children = {slow}});
  tell("a", "crash");
  BOOST_TEST(!present("a"));
  advance(10s);
  BOOST_TEST(present("a"));
}

BOOST_AUTO_TEST_CASE(an_older_incarnation_cannot_take_the_place_of_a_newer_one) {
  world w;
  auto actor = caf::actor_cast<caf::strong_actor_ptr>(w.system.spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int) {}}; }));
  auto slot = w.names.slot("x");
  slot->publish(2, actor, nullptr, 0);
  slot->publish(1, nullptr, nullptr, 0);
  BOOST_TEST(slot->incarnation() == 2u);
  slot->withdraw(1);
  BOOST_TEST((slot->present().actor == actor));
  slot->withdraw(2);
  slot->publish(2, actor, nullptr, 0); // Late news of one that is gone.
  BOOST_TEST((slot->present().actor == nullptr));
  caf::anon_send_exit(actor, caf::exit_reason::kill);
}

BOOST_AUTO_TEST_CASE(paths_that_nobody_needs_are_dropped) {
  directory names;
  auto kept = names.slot("kept");
  for (int i = 0; i < 10'000; ++i) names.slot("s/" + std::to_string(i))->publish(1, nullptr, nullptr, 0);
  BOOST_TEST(names.slots().size() == 10'000u);
  for (int i = 0; i < 10'000; ++i) names.forget("s/" + std::to_string(i));
  BOOST_TEST(names.slots().empty());
  BOOST_TEST((names.slot("kept") == kept));
}

BOOST_AUTO_TEST_CASE(credit_is_never_exceeded_and_never_lost) {
  credit_window window(100);
  BOOST_TEST(!window.take(1));
  BOOST_TEST(window.grant(60));
  BOOST_TEST(!window.grant(41));
  BOOST_TEST(window.grant(40));
  BOOST_TEST(window.take(70));
  BOOST_TEST(!window.take(31));
  BOOST_TEST(window.available_bytes() == 30u);
  BOOST_TEST(window.outstanding_bytes() == 70u);
  BOOST_TEST(!window.grant(1)); // All 100 are granted or under way.
  BOOST_TEST(!window.give_back(71));
  BOOST_TEST(window.give_back(70));
  BOOST_TEST(window.grantable_bytes() == 70u);
  BOOST_TEST(!window.grant(~std::uint64_t{0}));
}

// -- with threads --------------------------------------------------------------------------------------------------

namespace {

// Under the thread sanitizer each message costs milliseconds: the packaged CAF is not instrumented, so each handover
// is looked at as a possible race.
#ifdef __SANITIZE_THREAD__
constexpr std::uint64_t load = 1;
#else
constexpr std::uint64_t load = 50;
#endif

/// Counts what reaches an incarnation, over all of them. A message counts as kept when its handler ran.
struct tally {
  std::atomic<std::uint64_t> handled{0};
};

caf::behavior counter(caf::event_based_actor* self, actor_context ctx, tally* into) {
  return supervised(self, ctx, {[self, into](std::uint64_t x) {
                      ++into->handled;
                      if (x == 0) self->quit(to_caf({errc::crashed, "counter", "told to", nullptr}));
                      return x;
                    }});
}

} // namespace

BOOST_AUTO_TEST_CASE(killed_under_load_no_request_goes_unanswered_and_a_living_actor_loses_none) {
  constexpr int thread_count = 3;
  constexpr std::uint64_t answers_per_thread = 100 * load;
  runtime_config config(2);
  directory names;
  system_clock_port clock;
  seeded_random random(7);
  tally all;
  caf::actor_system system(config);
  child_spec counting{.id = "counter", .start = child_of(counter, &all), .delay = {0ms, 0ms}};
  auto root = start_root(system, {names, clock, random}, {.id = "root", .restarts_max = 1'000'000, .children = {counting}}).value();

  std::atomic<std::uint64_t> answered{0}, lost{0};
  std::vector<std::thread> senders;
  for (int t = 0; t < thread_count; ++t) {
    senders.emplace_back([&, t] {
      caf::scoped_actor self(system);
      ref<caf::actor> to(names, "counter");
      std::mt19937_64 engine(static_cast<std::uint64_t>(t));
      for (std::uint64_t mine = 0; mine < answers_per_thread && lost == 0;) {
        bool crash = engine() % 100 == 0;
        if (engine() % 100 == 0 && to.reachable()) caf::anon_send_exit(to.get(), caf::exit_reason::kill);
        // 60 s stand for ever: a message that is lost without a word would show as a timeout.
        to.request(self, 60s, crash ? std::uint64_t{0} : std::uint64_t{1})
          .receive([&](std::uint64_t) { ++answered, ++mine; },
                   [&](caf::error& e) { from_caf(e).code == errc::timeout ? void(++lost) : std::this_thread::yield(); });
      }
    });
  }
  for (auto& sender : senders) sender.join();
  BOOST_TEST(lost == 0u);
  BOOST_TEST(answered == thread_count * answers_per_thread);
  BOOST_TEST(all.handled == answered); // What was handled was answered: none was handled twice, none in vain.
  BOOST_TEST(names.slot("counter")->incarnation() > load);
  BOOST_TEST(stop_root(root, 10s).has_value());
}

BOOST_AUTO_TEST_CASE(sends_to_an_incarnation_that_stays_all_arrive) {
  constexpr int thread_count = 3;
  constexpr std::uint64_t sends = 1'000 * load;
  runtime_config config(2);
  directory names;
  system_clock_port clock;
  seeded_random random(8);
  tally stable, shaky;
  caf::actor_system system(config);
  auto root = start_root(system, {names, clock, random},
                         {.id = "root",
                          .restarts_max = 1'000'000,
                          .children = {{.id = "stable", .start = child_of(counter, &stable)},
                                       {.id = "shaky", .start = child_of(counter, &shaky), .delay = {0ms, 0ms}}}}).value();
  while (names.slot("shaky")->incarnation() == 0) std::this_thread::yield();
  std::atomic<std::uint64_t> refused{0};
  std::vector<std::thread> senders;
  for (int t = 0; t < thread_count; ++t) {
    senders.emplace_back([&] {
      ref<caf::actor> kept(names, "stable"), dying(names, "shaky");
      for (std::uint64_t i = 1; i <= sends; ++i) {
        if (!kept.send_anonymous(i)) ++refused;
        if (i % 100 == 0) dying.send_anonymous(std::uint64_t{0}); // The neighbour dies all the time.
      }
    });
  }
  for (auto& sender : senders) sender.join();
  caf::scoped_actor self(system);
  // Behind all others in its mailbox.
  ref<caf::actor>(names, "stable").request(self, 60s, std::uint64_t{1}).receive([](std::uint64_t) {}, [&](caf::error&) { ++refused; });
  BOOST_TEST(refused == 0u);
  BOOST_TEST(stable.handled == thread_count * sends + 1);
  BOOST_TEST(stop_root(root, 10s).has_value());
}

// Free of message passing, so that the thread sanitizer sees all of it.
BOOST_AUTO_TEST_CASE(slots_and_counters_may_be_read_while_they_change) {
  constexpr std::uint64_t rounds = 20'000;
  world w;
  auto actor = caf::actor_cast<caf::strong_actor_ptr>(w.system.spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int) {}}; }));
  auto slot = w.names.slot("x");
  auto observed = std::make_shared<observed_actor>(0ns);
  auto& stats = observed->stats;
  std::atomic<bool> done{false};
  std::thread supervisor([&] {
    for (std::uint64_t i = 1; i <= rounds; ++i) {
      slot->publish(i, actor, observed, 0);
      slot->note_restart({0, i, "again"});
      slot->withdraw(i);
      w.names.slot(std::to_string(i % 200));
      w.names.forget(std::to_string(i % 200));
    }
    done = true;
  });
  std::thread handlers([&] {
    for (std::uint64_t i = 1; !done; ++i) {
      stats.begin(stats.row_of(i % 20 + 1, [&] { return std::to_string(i % 20); }), i, std::chrono::nanoseconds(i));
      stats.end(std::chrono::nanoseconds(i + i % 1000));
    }
  });
  std::uint64_t torn = 0;
  ref<caf::actor> to(w.names, "x");
  while (!done) {
    if (auto& seen = to.get(); seen && seen != caf::actor_cast<caf::actor>(actor)) ++torn;
    auto seen = slot->inspect_from_outside(1s);
    if (seen.restart_count > rounds || seen.handled.size() > inspection_types_max || seen.busy_share > 1) ++torn;
  }
  supervisor.join();
  handlers.join();
  BOOST_TEST(torn == 0u);
  BOOST_TEST(slot->incarnation() == rounds);
  BOOST_TEST(!to.reachable());
  caf::anon_send_exit(actor, caf::exit_reason::kill);
}
