// tests/actor/reply_tests.cpp - errors through CAF and back: nothing of ours is lost, and CAF's own become readable.
#define BOOST_TEST_MODULE reply_tests
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <future>
#include <thread>

#include "fixture.hpp"
#include "runtime/owed_answer.hpp"
#include "runtime/work_pool.hpp"

using namespace lucid;
using namespace lucid::test;

BOOST_AUTO_TEST_CASE(every_code_comes_back_with_who_and_what) {
  for (int code = 1; code <= static_cast<int>(errc_last); ++code) {
    auto e = from_caf(to_caf({static_cast<errc>(code), "store", "no space left", nullptr}));
    BOOST_TEST((e.code == static_cast<errc>(code)));
    BOOST_TEST(e.who == "store");
    BOOST_TEST(e.what == "no space left");
    BOOST_TEST(!e.because);
  }
}

BOOST_AUTO_TEST_CASE(causes_come_back_up_to_a_bound) {
  error e{errc::io_failed, "0", "w0", nullptr};
  for (int i = 1; i < 20; ++i) e = {errc::wrong_state, std::to_string(i), "w", std::make_shared<const error>(e)};
  auto back = from_caf(to_caf(e));
  std::size_t depth = 0;
  for (auto at = back.because; at; at = at->because) ++depth;
  BOOST_TEST(depth == error_causes_max);
  BOOST_TEST(back.because->who == "18");
  error two{errc::busy, "a", "b", std::make_shared<const error>(error{errc::disk_full, "c", "d", nullptr})};
  BOOST_TEST(to_string(from_caf(to_caf(two))) == to_string(two));
}

BOOST_AUTO_TEST_CASE(errors_of_caf_become_ours) {
  BOOST_TEST((from_caf(caf::make_error(caf::sec::request_timeout)).code == errc::timeout));
  BOOST_TEST((from_caf(caf::make_error(caf::sec::request_receiver_down)).code == errc::unreachable));
  BOOST_TEST((from_caf(caf::make_error(caf::sec::cannot_connect_to_node)).code == errc::unreachable));
  BOOST_TEST((from_caf(caf::make_error(caf::sec::unexpected_message)).code == errc::unsupported));
  BOOST_TEST((from_caf(caf::make_error(caf::exit_reason::kill)).code == errc::crashed));
  BOOST_TEST((from_caf(caf::make_error(caf::exit_reason::remote_link_unreachable)).code == errc::unreachable));
  BOOST_TEST((from_caf(caf::make_error(caf::exit_reason::user_shutdown)).code == errc::cancelled));
  auto odd = from_caf(caf::make_error(caf::sec::bad_function_call));
  BOOST_TEST((odd.code == errc::internal));
  BOOST_TEST(odd.what.find("bad_function_call") != std::string::npos);
  BOOST_TEST((from_caf(caf::error(7, caf::atom("strange"))).code == errc::internal));
}

BOOST_AUTO_TEST_CASE(hostile_contexts_are_read_without_harm) {
  auto category = to_caf({errc::busy, "", "", nullptr}).category();
  BOOST_TEST((from_caf(caf::error(250, category)).code == errc::internal));
  BOOST_TEST(from_caf(caf::error(3, category, caf::make_message(1, 2.0, 3))).who.empty());
  auto e = from_caf(caf::error(3, category, caf::make_message(std::string("a"), std::string("b"), 1, 2, 3)));
  BOOST_REQUIRE(e.because);
  BOOST_TEST((e.because->code == errc::internal));
}

BOOST_FIXTURE_TEST_CASE(the_system_renders_our_errors_in_words, world) {
  BOOST_TEST(system.render(to_caf({errc::disk_full, "store", "no space left", nullptr})) == "store: no space left (disk_full)");
}

BOOST_AUTO_TEST_CASE(outcomes_become_results) {
  auto good = reply(outcome<std::string>("x"));
  BOOST_TEST((good.flag == caf::rt_value));
  auto bad = reply(outcome<std::string>(fail(errc::busy, "a", "b")));
  BOOST_TEST((from_caf(bad.err).code == errc::busy));
  BOOST_TEST((reply(outcome<void>()).flag == caf::rt_value));
  BOOST_TEST((reply(outcome<void>(fail(errc::busy, "a", "b"))).flag == caf::rt_error));
}

// -- the work pool -------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_full_pool_refuses_and_what_it_took_is_done) {
  std::promise<void> gate;
  auto open = gate.get_future().share();
  std::atomic<int> done{0};
  {
    thread_pool pool(1, 2);
    std::promise<void> running;
    BOOST_TEST(pool.post([&] { running.set_value(); open.wait(); ++done; }).has_value());
    running.get_future().wait();
    BOOST_TEST(pool.post([&] { ++done; }).has_value());
    std::promise<void> last;
    BOOST_TEST(pool.post([&] { ++done; last.set_value(); }).has_value());
    auto refused = pool.post([] {});
    BOOST_TEST((refused.error().code == errc::busy));
    gate.set_value();
    last.get_future().wait();
  }
  BOOST_TEST(done == 3);
}

namespace {
using adder_api = caf::typed_actor<caf::replies_to<int>::with<int>>;
adder_api::behavior_type adder(adder_api::pointer self, actor_context ctx, work_pool* pool) {
  return supervised(self, ctx, {[self, pool](int x) {
                      return answer_from_pool<int>(self, *pool, [x]() -> outcome<int> {
                        if (x == 13) throw std::runtime_error("unlucky");
                        if (x < 0) return fail(errc::invalid_input, "adder", "negative");
                        return x + 1;
                      });
                    }});
}

outcome<int> ask(caf::actor_system& system, const adder_api& who, int x, const std::function<void()>& meanwhile) {
  caf::scoped_actor self(system);
  outcome<int> answer = fail(errc::timeout, "test", "none");
  auto pending = self->request(who, 10s, x);
  meanwhile();
  pending.receive([&](int y) { answer = y; }, [&](caf::error& e) { answer = tl::unexpected(from_caf(e)); });
  return answer;
}
} // namespace

BOOST_FIXTURE_TEST_CASE(work_on_the_pool_answers_the_request, world) {
  inline_pool pool;
  start({.id = "root", .children = {{.id = "adder", .start = child_of(adder, static_cast<work_pool*>(&pool))}}});
  auto go = [&] { advance(1ms); };
  auto actor = ref<adder_api>(names, "adder").get();
  BOOST_TEST(ask(system, actor, 1, go).value() == 2);
  BOOST_TEST((ask(system, actor, -1, go).error().code == errc::invalid_input));
  BOOST_TEST((ask(system, actor, 13, go).error().code == errc::crashed));
  BOOST_TEST(ask(system, actor, 2, go).value() == 3); // An exception in a job is no crash of the actor.
  BOOST_TEST(incarnation("adder") == 1u);
}

BOOST_AUTO_TEST_CASE(work_on_threads_answers_the_request) {
  runtime_config config(2);
  directory names;
  system_clock_port clock;
  seeded_random random(1);
  thread_pool pool(2);
  caf::actor_system system(config);
  auto root = start_root(system, {names, clock, random},
                         {.id = "root", .children = {{.id = "adder", .start = child_of(adder, static_cast<work_pool*>(&pool))}}}).value();
  adder_api actor;
  while (!(actor = ref<adder_api>(names, "adder").get())) std::this_thread::yield();
  for (int i = 0; i < 200; ++i)
    if (i != 13) BOOST_TEST(ask(system, actor, i, [] {}).value() == i + 1);
  BOOST_TEST(stop_root(root, 10s).has_value());
}

namespace {

using lazy_api = caf::typed_actor<caf::replies_to<std::uint64_t>::with<std::uint64_t>>;

/// Keeps what it owes: 0 in its state, 1 in the handler of an answer that it waits for itself, 2 in a step for later.
struct lazy_state {
  static inline const char* name = "lazy";
  std::vector<owed_answer<std::uint64_t>> kept;
};

lazy_api::behavior_type lazy(lazy_api::stateful_pointer<lazy_state> self, actor_context ctx, caf::actor nobody_answers) {
  return supervised(self, ctx,
                    {[self, nobody_answers](std::uint64_t where) {
                      owed_answer<std::uint64_t> owed(self);
                      if (where == 0) self->state.kept.push_back(owed);
                      if (where == 1) self->request(nobody_answers, caf::infinite, where).then([owed](std::uint64_t n) { owed.deliver(n); });
                      if (where == 2) run_later(self, 1s, [owed] { owed.deliver(std::uint64_t{2}); });
                      return owed.promise();
                    }});
}

} // namespace

BOOST_AUTO_TEST_CASE(what_an_actor_owes_when_it_is_killed_is_answered_at_once) {
  runtime_config config(1);
  caf::actor_system system(config);
  directory names;
  system_clock_port clock;
  seeded_random random(1);
  auto silent = system.spawn([](caf::event_based_actor* self) -> caf::behavior {
    return {[self](std::uint64_t) { return self->make_response_promise(); }};
  });
  caf::scoped_actor asking(system);
  for (std::uint64_t where = 0; where < 3; ++where) {
    actor_context ctx{"lazy", where + 1, {names, clock, random}, std::make_shared<observed_actor>(std::chrono::nanoseconds{})};
    auto victim = system.spawn(lazy, ctx, silent);
    auto asked = asking->request(victim, 30s, where);
    auto untyped = caf::actor_cast<caf::actor>(victim); // An answer to it says that the question was taken in.
    asking->request(untyped, 30s, inspection_request{}).receive([](const inspection&) {}, [](const caf::error&) {});
    caf::anon_send_exit(victim, caf::exit_reason::kill);
    auto began = std::chrono::steady_clock::now();
    asked.receive([&](std::uint64_t) { BOOST_TEST(false, "answered, " << where); },
                  [&](const caf::error& e) { BOOST_TEST((from_caf(e).code == errc::unreachable), where << ": " << to_string(from_caf(e))); });
    BOOST_TEST((std::chrono::steady_clock::now() - began < 10s)); // Not by the question's own timeout.
  }
  caf::anon_send_exit(silent, caf::exit_reason::kill);
}
