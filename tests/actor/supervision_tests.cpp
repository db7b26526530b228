// tests/actor/supervision_tests.cpp - each rule of supervision by an example, on the deterministic scheduler.
#define BOOST_TEST_MODULE supervision_tests
#include <boost/test/unit_test.hpp>

#include "fixture.hpp"
#include "messages/supervision_api.hpp"

using namespace lucid;
using namespace lucid::test;

using lines = std::vector<std::string>;

static void same(const lines& got, const lines& wanted) {
  BOOST_CHECK_EQUAL_COLLECTIONS(got.begin(), got.end(), wanted.begin(), wanted.end());
}

struct tree_of_three : world {
  void plant(strategy how, unsigned restarts_max = 3) {
    start({.id = "root", .how = how, .restarts_max = restarts_max, .children = {worker("a"), worker("b"), worker("c")}});
    same(take_trace(), {"started a", "started b", "started c"});
  }
};

BOOST_FIXTURE_TEST_CASE(one_for_one_restarts_the_one_that_crashed, tree_of_three) {
  plant(strategy::one_for_one);
  BOOST_TEST(tell("b", "crash"));
  same(take_trace(), {"failed b", "started b"});
  BOOST_TEST(incarnation("b") == 2u);
  BOOST_TEST(incarnation("a") == 1u);
}

BOOST_FIXTURE_TEST_CASE(one_for_all_restarts_all_in_order, tree_of_three) {
  plant(strategy::one_for_all);
  tell("b", "crash");
  same(take_trace(), {"failed b", "stopping c", "stopping a", "started a", "started b", "started c"});
}

BOOST_FIXTURE_TEST_CASE(rest_for_one_restarts_the_later_ones, tree_of_three) {
  plant(strategy::rest_for_one);
  tell("b", "crash");
  same(take_trace(), {"failed b", "stopping c", "started b", "started c"});
}

BOOST_FIXTURE_TEST_CASE(children_stop_in_reverse_order, tree_of_three) {
  plant(strategy::one_for_one);
  caf::anon_send_exit(root, caf::exit_reason::user_shutdown);
  advance(1s);
  same(take_trace(), {"stopping c", "stopping b", "stopping a"});
  BOOST_TEST(ended);
  BOOST_TEST(!last_word.has_value());
}

BOOST_FIXTURE_TEST_CASE(a_permanent_child_that_leaves_comes_back, tree_of_three) {
  plant(strategy::one_for_one);
  tell("a", "leave");
  same(take_trace(), {"failed a", "started a"});
}

BOOST_FIXTURE_TEST_CASE(a_transient_child_may_leave_but_not_crash, world) {
  start({.id = "root", .children = {worker("a", restart::transient)}});
  tell("a", "crash");
  BOOST_TEST(incarnation("a") == 2u);
  tell("a", "leave");
  BOOST_TEST(!present("a"));
  BOOST_TEST(!ended);
}

BOOST_FIXTURE_TEST_CASE(a_temporary_child_is_not_brought_back_by_anybody, world) {
  start({.id = "root", .how = strategy::one_for_all, .children = {worker("a", restart::temporary), worker("b")}});
  take_trace();
  tell("b", "crash");
  same(take_trace(), {"failed b", "stopping a", "started b"});
  BOOST_TEST(!present("a"));
}

BOOST_FIXTURE_TEST_CASE(too_many_restarts_end_the_supervisor_with_child_reason_and_count, tree_of_three) {
  plant(strategy::one_for_one, 2);
  tell("b", "crash");
  tell("b", "crash");
  BOOST_TEST(!ended);
  tell("b", "crash");
  BOOST_TEST(ended);
  BOOST_REQUIRE(last_word.has_value());
  BOOST_TEST((last_word->code == errc::crashed));
  BOOST_TEST(last_word->who == "root");
  BOOST_TEST(last_word->what.find("child 'b' failed") != std::string::npos);
  BOOST_TEST(last_word->what.find("3 times within 60000 ms") != std::string::npos);
  BOOST_TEST(last_word->what.find("told to crash") != std::string::npos);
  BOOST_TEST(!present("a"));
  BOOST_TEST(!present("c"));
}

BOOST_FIXTURE_TEST_CASE(restarts_outside_of_the_period_do_not_count, tree_of_three) {
  plant(strategy::one_for_one, 2);
  for (int i = 0; i < 10; ++i) {
    tell("b", "crash");
    advance(30s);
  }
  BOOST_TEST(!ended);
  BOOST_TEST(incarnation("b") == 11u);
}

BOOST_FIXTURE_TEST_CASE(the_parent_decides_about_a_supervisor_that_gave_up, world) {
  start({.id = "root",
         .children = {nested(supervisor_spec{.id = "s", .restarts_max = 0, .children = {worker("s/a"), worker("s/b")}, .delay = {0ms, 0ms}}),
                      worker("z")}});
  take_trace();
  tell("s/a", "crash");
  same(take_trace(), {"failed s/a", "stopping s/b", "escalated s", "failed s", "started s", "started s/a", "started s/b"});
  BOOST_TEST(incarnation("s/b") == 2u);
  BOOST_TEST(incarnation("z") == 1u);
  BOOST_TEST(!ended);
}

BOOST_FIXTURE_TEST_CASE(a_start_that_fails_is_a_failure_like_any_other, world) {
  failing_starts["b"] = 2;
  start({.id = "root", .how = strategy::rest_for_one, .children = {worker("a"), worker("b"), worker("c")}});
  same(take_trace(), {"started a", "start fails b", "failed b", "start fails b", "failed b", "started b", "started c"});
  failing_starts["b"] = 9;
  tell("b", "crash");
  BOOST_TEST(ended);
  BOOST_TEST(last_word->what.find("told to fail at the start") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_start_function_that_throws_is_a_failed_start, world) {
  child_spec thrower{.id = "t", .start = [](caf::actor_system&, const actor_context&) -> outcome<caf::actor> {
                       throw std::runtime_error("no luck");
                     }};
  start({.id = "root", .restarts_max = 0, .children = {thrower}});
  BOOST_TEST(ended);
  BOOST_TEST(last_word->what.find("no luck") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_deaf_child_is_killed_after_its_shutdown_timeout, world) {
  start({.id = "root", .children = {worker("a"), worker("b", restart::permanent, true)}});
  take_trace();
  caf::anon_send_exit(root, caf::exit_reason::user_shutdown);
  advance(99ms);
  same(take_trace(), {"stopping b"});
  advance(1ms);
  same(take_trace(), {"killing b", "stopping a"});
  BOOST_TEST(ended);
}

BOOST_FIXTURE_TEST_CASE(a_shutdown_timeout_of_zero_kills_at_once, world) {
  auto brutal = worker("a");
  brutal.shutdown_timeout = 0ms;
  start({.id = "root", .children = {brutal}});
  take_trace();
  caf::anon_send_exit(root, caf::exit_reason::user_shutdown);
  advance(0ms);
  same(take_trace(), {"killing a"});
  BOOST_TEST(ended);
}

BOOST_FIXTURE_TEST_CASE(a_killed_supervisor_takes_its_children_along, world) {
  start({.id = "root", .children = {nested(supervisor_spec{.id = "s", .children = {worker("s/a")}, .delay = {1s, 1s}})}});
  auto before = names.slot("s/a")->present().actor;
  kill("s");
  advance(1s);
  BOOST_TEST(incarnation("s/a") == 2u);
  BOOST_TEST(present("s/a"));
  BOOST_TEST((names.slot("s/a")->present().actor != before));
}

BOOST_FIXTURE_TEST_CASE(the_end_of_any_significant_child_ends_the_supervisor_normally, world) {
  auto a = worker("a", restart::transient), b = worker("b", restart::transient);
  a.significant = b.significant = true;
  start({.id = "root", .shutdown = auto_shutdown::any_significant, .children = {a, b, worker("c")}});
  tell("a", "crash");
  BOOST_TEST(!ended);
  tell("a", "leave");
  BOOST_TEST(ended);
  BOOST_TEST(!last_word.has_value());
}

BOOST_FIXTURE_TEST_CASE(the_end_of_the_last_significant_child_ends_the_supervisor_normally, world) {
  auto a = worker("a", restart::transient), b = worker("b", restart::temporary);
  a.significant = b.significant = true;
  start({.id = "root", .shutdown = auto_shutdown::all_significant, .children = {a, b, worker("c")}});
  tell("a", "leave");
  BOOST_TEST(!ended);
  tell("b", "crash");
  BOOST_TEST(ended);
}

BOOST_FIXTURE_TEST_CASE(back_off_doubles_from_minimum_to_maximum_with_jitter, world) {
  auto slow = worker("a");
  slow.delay = {1s, 4s};
  start({.id = "root", .restarts_max = 100, .period = 1000s, .children = {slow}});
  for (auto whole : {1000ms, 2000ms, 4000ms, 4000ms}) {
    ref<caf::actor>(names, "a").send_anonymous("crash");
    advance(whole / 2 - 1ms);
    BOOST_TEST(!present("a"));
    advance(whole / 2 + 1ms);
    BOOST_TEST(present("a"));
  }
  advance(5s); // It lived longer than the maximum: the row is over.
  ref<caf::actor>(names, "a").send_anonymous("crash");
  advance(1s);
  BOOST_TEST(present("a"));
}

BOOST_FIXTURE_TEST_CASE(contradictions_in_a_spec_are_refused, world) {
  auto significant = worker("a");
  significant.significant = true;
  auto refused = [&](supervisor_spec spec) {
    auto started = start_root(system, services, std::move(spec));
    return !started && started.error().code == errc::invalid_input;
  };
  BOOST_TEST(refused({.id = "root", .shutdown = auto_shutdown::any_significant, .children = {significant}}));
  significant.when = restart::transient;
  BOOST_TEST(refused({.id = "root", .children = {significant}}));
  BOOST_TEST(refused({.id = "root", .children = {worker("a"), worker("a")}}));
  BOOST_TEST(refused({.id = "root", .children = {child_spec{.id = "a"}}}));
  BOOST_TEST(refused({.id = "root", .children = {child_spec{.id = "a/b", .start = significant.start}}}));
}

// -- dynamic supervisors -------------------------------------------------------------------------------------------

struct session_house : world {
  session_house() {
    dynamic_spec sessions{.id = "sessions",
                          .make = [this](const std::string& id, const caf::message& arguments) -> outcome<child_spec> {
                            if (!arguments.match_elements<std::string>())
                              return fail(errc::invalid_input, "sessions", "one text is expected");
                            auto child = worker("sessions/" + id, restart::transient);
                            return child;
                          },
                          .children_max = 2,
                          .delay = {0ms, 0ms}};
    start({.id = "root", .children = {nested(sessions)}});
    take_trace();
  }

  template <class... Ts>
  outcome<child_ack> ask(Ts... xs) {
    outcome<child_ack> answer = fail(errc::timeout, "test", "no answer");
    caf::scoped_actor self(system);
    ref<dynamic_supervisor_api> sessions(names, "sessions");
    auto pending = sessions.request(self, 1s, std::move(xs)...);
    advance(500ms);
    pending.receive([&](child_ack& ack) { answer = ack; }, [&](caf::error& e) { answer = tl::unexpected(from_caf(e)); });
    return answer;
  }
  outcome<child_ack> begin(const std::string& id) { return ask(child_start_request{id}, caf::make_message(std::string("x"))); }
};

BOOST_FIXTURE_TEST_CASE(children_of_one_kind_come_and_go, session_house) {
  BOOST_TEST(begin("one").value().path == "sessions/one");
  BOOST_TEST(present("sessions/one"));
  BOOST_TEST((begin("one").error().code == errc::already_exists));
  BOOST_TEST(begin("two").has_value());
  BOOST_TEST((begin("three").error().code == errc::busy));
  BOOST_TEST(ask(child_stop_request{"one"}).has_value());
  BOOST_TEST(!present("sessions/one"));
  BOOST_TEST((ask(child_stop_request{"one"}).error().code == errc::not_found));
  BOOST_TEST(begin("three").has_value());
}

BOOST_FIXTURE_TEST_CASE(a_first_start_that_fails_is_the_answer_and_leaves_nothing, session_house) {
  failing_starts["sessions/one"] = 1;
  BOOST_TEST((begin("one").error().code == errc::io_failed));
  BOOST_TEST(begin("one").has_value());
  BOOST_TEST((ask(child_start_request{"bad"}, caf::make_message(1)).error().code == errc::invalid_input));
  BOOST_TEST((begin("a/b").error().code == errc::invalid_input));
}

BOOST_FIXTURE_TEST_CASE(a_dynamic_child_is_restarted_and_forgotten_when_it_leaves, session_house) {
  BOOST_TEST(begin("one").has_value());
  tell("sessions/one", "crash");
  BOOST_TEST(incarnation("sessions/one") == 2u);
  tell("sessions/one", "leave");
  BOOST_TEST(!present("sessions/one"));
  BOOST_TEST(begin("one").has_value()); // The place is free again.
}

BOOST_FIXTURE_TEST_CASE(a_whole_subtree_can_be_a_dynamic_child, world) {
  dynamic_spec sessions{.id = "sessions", .make = [this](const std::string& id, const caf::message&) -> outcome<child_spec> {
    auto at = "sessions/" + id + "/";
    auto last = worker(at + "session", restart::transient);
    last.significant = true;
    return nested(supervisor_spec{.id = id, .how = strategy::rest_for_one, .shutdown = auto_shutdown::any_significant,
                                  .children = {worker(at + "journal"), last}, .when = restart::transient});
  }};
  start({.id = "root", .children = {nested(sessions)}});
  caf::anon_send(ref<dynamic_supervisor_api>(names, "sessions").get(), child_start_request{"x"}, caf::message());
  advance(1s);
  BOOST_TEST(present("sessions/x/journal"));
  tell("sessions/x/session", "leave"); // A session that is over takes its subtree along, and nobody calls that a failure.
  BOOST_TEST(!present("sessions/x/journal"));
  BOOST_TEST(!present("sessions/x"));
  for (const auto& slot : names.slots()) BOOST_TEST(!slot->path().starts_with("sessions/x")); // Nobody lists it any more.
  BOOST_TEST(!ended);
}
