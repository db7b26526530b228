// tests/actor/action_tests.cpp - what an operator does to one actor, and that it is what was said before.
#define BOOST_TEST_MODULE action_tests
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "fixture.hpp"
#include "messages/supervision_api.hpp"
#include "runtime/actor_task.hpp"
#include "runtime/inspection/inspect_tree.hpp"
#include "runtime/owed_answer.hpp"
#include "runtime/supervision/consequence.hpp"

using namespace lucid;
using namespace lucid::test;

namespace {

using lines = std::vector<std::string>;

void same(const lines& got, const lines& wanted) {
  BOOST_CHECK_EQUAL_COLLECTIONS(got.begin(), got.end(), wanted.begin(), wanted.end());
}

struct acting_world : world {
  outcome<child_ack> act(child_action action, const std::string& supervisor, const std::string& id) {
    outcome<child_ack> answer = fail(errc::timeout, "test", "no answer");
    system.spawn([&, id](caf::event_based_actor* self) {
      ref<supervisor_api>(names, supervisor).request(self, 1s, child_action_request{id, action})
        .then([&](const child_ack& ack) { answer = ack; },
              [&](const caf::error& e) { answer = tl::unexpected(from_caf(e)); });
    });
    advance(1s);
    return answer;
  }

  actor_state state(const std::string& path) { return names.slot(path)->inspect_from_outside(clock.monotonic()).state_now; }

  std::vector<inspection> look() { return inspect_from_outside(names, clock); }

  void plant(strategy how) {
    start({.id = "root", .how = how, .restarts_max = 1, .children = {worker("a"), worker("b"), worker("c")}});
    take_trace();
  }

  // Each that the consequence names is started once, and nobody else. Supervisors start their children side by side.
  void check_said(child_action action, const std::string& supervisor, const std::string& id) {
    auto path = supervisor == "root" ? id : supervisor + "/" + id;
    auto said = consequence_of(action, path, look());
    BOOST_REQUIRE(said.has_value());
    take_trace();
    BOOST_TEST(act(action, supervisor, id).has_value());
    advance(20s);
    lines started;
    for (const auto& line : take_trace())
      if (line.starts_with("started ")) started.push_back(line.substr(8));
    auto wanted = said->restarted;
    std::sort(wanted.begin(), wanted.end());
    std::sort(started.begin(), started.end());
    same(started, wanted);
    for (const auto& gone : said->ended) BOOST_TEST(!present(gone));
  }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_restart_stops_in_order_and_is_no_failure, acting_world) {
  plant(strategy::rest_for_one);
  for (int i = 0; i < 5; ++i) { // One failure would be tolerated.
    BOOST_TEST(act(child_action::restart, "root", "b")->path == "b");
    advance(1s);
    same(take_trace(), {"restarted b", "stopping c", "stopping b", "started b", "started c"});
  }
  BOOST_TEST(!ended);
  BOOST_TEST(incarnation("a") == 1u);
  BOOST_TEST(incarnation("b") == 6u);
  auto seen = names.slot("b")->inspect_from_outside(clock.monotonic());
  BOOST_TEST(seen.restart_count == 5u);
  BOOST_TEST(seen.restarts.back().reason == "restarted by request");
}

BOOST_FIXTURE_TEST_CASE(a_restart_of_one_leaves_the_others, acting_world) {
  plant(strategy::one_for_one);
  BOOST_TEST(act(child_action::restart, "root", "b").has_value());
  same(take_trace(), {"restarted b", "stopping b", "started b"});
}

BOOST_FIXTURE_TEST_CASE(a_kill_is_a_crash_to_the_supervisor, acting_world) {
  plant(strategy::one_for_one);
  BOOST_TEST(act(child_action::kill, "root", "b").has_value());
  same(take_trace(), {"killed b", "failed b", "started b"});
  BOOST_TEST(act(child_action::kill, "root", "b").has_value());
  BOOST_TEST(ended); // The second within the period.
  BOOST_TEST(last_word->what.find("killed") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(one_that_waits_out_its_back_off_is_started_at_once, acting_world) {
  auto slow = worker("a");
  slow.delay = {1min, 1min};
  start({.id = "root", .children = {slow}});
  tell("a", "crash");
  BOOST_TEST((state("a") == actor_state::waiting));
  BOOST_TEST(!present("a"));
  BOOST_TEST(act(child_action::restart, "root", "a").has_value());
  BOOST_TEST(present("a"));
  BOOST_TEST((state("a") == actor_state::running));
  advance(2min); // The old timer does nothing.
  BOOST_TEST(incarnation("a") == 2u);
}

BOOST_FIXTURE_TEST_CASE(a_group_that_waits_is_started_at_once, acting_world) {
  auto slow = worker("a");
  slow.delay = {1min, 1min};
  start({.id = "root", .how = strategy::one_for_all, .children = {slow, worker("b")}});
  tell("a", "crash");
  BOOST_TEST((state("b") == actor_state::waiting));
  BOOST_TEST(act(child_action::restart, "root", "a").has_value());
  BOOST_TEST(present("a"));
  BOOST_TEST(present("b"));
  advance(2min);
  BOOST_TEST(incarnation("b") == 2u);
}

BOOST_FIXTURE_TEST_CASE(one_that_ended_in_order_is_started_again, acting_world) {
  start({.id = "root", .children = {worker("a", restart::transient), worker("t", restart::temporary)}});
  tell("a", "leave");
  BOOST_TEST((state("a") == actor_state::stopped));
  BOOST_TEST((act(child_action::kill, "root", "a").error().code == errc::wrong_state));
  BOOST_TEST(act(child_action::restart, "root", "a").has_value());
  BOOST_TEST(present("a"));
  BOOST_TEST((act(child_action::restart, "root", "t").error().code == errc::wrong_state));
  BOOST_TEST((act(child_action::restart, "root", "nobody").error().code == errc::not_found));
}

BOOST_FIXTURE_TEST_CASE(a_dynamic_child_survives_its_restart, acting_world) {
  dynamic_spec sessions{.id = "sessions", .make = [this](const std::string& id, const caf::message&) -> outcome<child_spec> {
    return worker("sessions/" + id);
  }};
  start({.id = "root", .children = {nested(sessions)}});
  caf::anon_send(ref<dynamic_supervisor_api>(names, "sessions").get(), child_start_request{"x"}, caf::message());
  advance(1s);
  BOOST_TEST(act(child_action::restart, "sessions", "x").has_value());
  BOOST_TEST(incarnation("sessions/x") == 2u);
  BOOST_TEST(present("sessions/x"));
}

BOOST_FIXTURE_TEST_CASE(what_is_said_before_is_what_happens, acting_world) {
  for (auto how : {strategy::one_for_one, strategy::one_for_all, strategy::rest_for_one}) {
    acting_world w;
    w.start({.id = "root",
             .how = how,
             .restarts_max = 9,
             .children = {w.worker("a"), w.worker("t", restart::temporary),
                          nested(supervisor_spec{
                            .id = "s", .how = how, .children = {w.worker("s/x"), w.worker("s/y")}, .delay = {0ms, 0ms}}),
                          w.worker("z")}});
    w.check_said(child_action::restart, "s", "y");
    w.check_said(child_action::kill, "s", "x");
    w.check_said(child_action::restart, "root", "z");
    w.check_said(child_action::restart, "root", "s");
    w.check_said(child_action::kill, "root", "s");
    w.check_said(child_action::restart, "root", "a");
  }
}

// -- suspend and resume --------------------------------------------------------------------------------------------

namespace {

/// Answers after three seconds.
caf::behavior late(caf::event_based_actor* self, actor_context ctx) {
  return supervised(self, ctx, {[=](const std::string& question) {
                      owed_answer<std::string> owed(self);
                      run_later(self, 3s, [=] { owed.deliver(question); });
                      return owed.promise();
                    }});
}

/// Notes what it handles: messages, answers and its own timers.
caf::behavior noting(caf::event_based_actor* self, actor_context ctx, lines* notes) {
  return supervised(self, ctx,
                    {[=](const std::string& order) {
                       notes->push_back(order);
                       if (order == "ask")
                         ref<caf::actor>(ctx.directory(), "late").request(self, 5s, std::string("hello")).then(
                           [=](const std::string& answer) { notes->push_back("answer " + answer); },
                           [=](const caf::error&) { notes->push_back("no answer"); });
                       if (order == "later") run_later(self, 3s, [=] { notes->push_back("timer"); });
                     }},
                    [=] { return state_fields{{"notes", std::to_string(notes->size())}}; });
}

struct suspending_world : acting_world {
  suspending_world() {
    start({.id = "root",
           .restarts_max = 9,
           .children = {{.id = "n", .start = child_of(noting, &notes)}, {.id = "late", .start = child_of(late)}}});
    take_trace();
  }
  lines notes;
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_suspended_actor_handles_nothing_and_then_all_of_it_in_order, suspending_world) {
  BOOST_TEST(act(child_action::suspend, "root", "n").has_value());
  for (const char* order : {"1", "2", "3"}) tell("n", order);
  BOOST_TEST(notes.empty());
  BOOST_TEST((state("n") == actor_state::suspended));
  BOOST_TEST(names.slot("n")->inspect_from_outside(clock.monotonic()).mailbox_length == 3u);
  BOOST_TEST(act(child_action::resume, "root", "n").has_value());
  same(notes, {"1", "2", "3"});
  BOOST_TEST((state("n") == actor_state::running));
  tell("n", "4");
  same(notes, {"1", "2", "3", "4"});
  same(take_trace(), {"suspended n", "resumed n"});
  BOOST_TEST((act(child_action::resume, "root", "n").error().code == errc::wrong_state));
}

// CAF keeps the order within each of its two queues. Which of them comes first depends on how many messages an actor is
// let handle in a row, and is nothing to rely on.
BOOST_FIXTURE_TEST_CASE(urgent_messages_wait_too, suspending_world) {
  act(child_action::suspend, "root", "n");
  auto actor = caf::actor_cast<caf::actor>(names.slot("n")->present().actor);
  auto urge = [&](const char* order) { caf::anon_send<caf::message_priority::high>(actor, std::string(order)); };
  tell("n", "1");
  urge("urgent 1");
  advance(1s);
  urge("urgent 2");
  tell("n", "2");
  BOOST_TEST(notes.empty());
  caf::anon_send(ref<supervisor_api>(names, "root").get(), child_action_request{"n", child_action::resume});
  urge("urgent 3"); // On its way together with the resume: it does not overtake.
  tell("n", "3");
  lines normal, urgent;
  for (const auto& note : notes) (note.starts_with("urgent") ? urgent : normal).push_back(note);
  same(normal, {"1", "2", "3"});
  same(urgent, {"urgent 1", "urgent 2", "urgent 3"});
}

BOOST_FIXTURE_TEST_CASE(its_timers_and_the_answers_it_waits_for_wait_too, suspending_world) {
  ref<caf::actor>(names, "n").send_anonymous(std::string("ask"));
  ref<caf::actor>(names, "n").send_anonymous(std::string("later"));
  advance(100ms);
  act(child_action::suspend, "root", "n");
  advance(10s);
  same(notes, {"ask", "later"});
  act(child_action::resume, "root", "n");
  same(notes, {"ask", "later", "answer hello", "timer"});
  auto seen = names.slot("n")->inspect_from_outside(clock.monotonic());
  BOOST_TEST(seen.handled_count == 4u);
}

BOOST_FIXTURE_TEST_CASE(what_was_held_goes_with_the_actor, suspending_world) {
  ref<caf::actor>(names, "n").send_anonymous(std::string("ask"));
  advance(100ms);
  act(child_action::suspend, "root", "n");
  advance(10s);
  auto before = std::weak_ptr(names.slot("n")->present().observed);
  act(child_action::kill, "root", "n");
  BOOST_TEST(incarnation("n") == 2u);
  BOOST_TEST(before.expired());
  same(notes, {"ask"});
}

BOOST_FIXTURE_TEST_CASE(a_suspended_actor_can_still_be_inspected_stopped_and_killed, suspending_world) {
  act(child_action::suspend, "root", "n");
  tell("n", "1");
  inspection seen;
  auto inspector = spawn_inspector(system, names, clock);
  system.spawn([&, inspector](caf::event_based_actor* self) {
    self->request(inspector, 10s, inspection_request{}).then([&](std::vector<inspection>& all) {
      for (auto& one : all)
        if (one.path == "n") seen = one;
    });
  });
  advance(1s);
  caf::anon_send_exit(inspector, caf::exit_reason::user_shutdown);
  BOOST_TEST(seen.answered);
  BOOST_TEST((seen.state_now == actor_state::suspended));
  BOOST_TEST(seen.mailbox_length == 1u);
  act(child_action::restart, "root", "n");
  BOOST_TEST(incarnation("n") == 2u);
  BOOST_TEST((state("n") == actor_state::running)); // A new incarnation is not suspended, and knows nothing of the old mail.
  tell("n", "2");
  same(notes, {"2"});
  act(child_action::suspend, "root", "n");
  act(child_action::kill, "root", "n");
  BOOST_TEST(incarnation("n") == 3u);
}

BOOST_FIXTURE_TEST_CASE(the_last_word_counts, suspending_world) {
  act(child_action::suspend, "root", "n");
  ref<caf::actor>(names, "n").send_anonymous(std::string("1"));
  auto supervisor = ref<supervisor_api>(names, "root").get();
  caf::anon_send(supervisor, child_action_request{"n", child_action::resume});
  caf::anon_send(supervisor, child_action_request{"n", child_action::suspend}); // Before the resume has arrived.
  advance(1s);
  BOOST_TEST((state("n") == actor_state::suspended));
  BOOST_TEST(notes.empty());
  act(child_action::resume, "root", "n");
  same(notes, {"1"});
}

BOOST_FIXTURE_TEST_CASE(a_supervisor_is_not_suspended, acting_world) {
  start({.id = "root", .children = {nested(supervisor_spec{.id = "s", .children = {worker("s/a")}})}});
  BOOST_TEST((act(child_action::suspend, "root", "s").error().code == errc::unsupported));
}

// -- states ---------------------------------------------------------------------------------------------------------

BOOST_FIXTURE_TEST_CASE(the_state_is_the_supervisors_word, acting_world) {
  auto slow = worker("a");
  slow.delay = {1s, 1s};
  failing_starts["c"] = 3;
  auto never = worker("c");
  never.delay = {1h, 1h};
  start({.id = "root", .children = {slow, worker("b"), never}});
  BOOST_TEST((state("a") == actor_state::running));
  BOOST_TEST((state("c") == actor_state::waiting)); // Listed, though it never ran.
  ref<caf::actor>(names, "a").send_anonymous(std::string("crash"));
  advance(500ms);
  BOOST_TEST((state("a") == actor_state::waiting));
  advance(1s);
  BOOST_TEST((state("a") == actor_state::running));
  lines listed;
  for (const auto& one : look()) listed.push_back(one.path);
  same(listed, {"a", "b", "c", "root"});
  caf::anon_send_exit(root, caf::exit_reason::user_shutdown);
  advance(1s);
  for (const char* path : {"a", "b", "c", "root"}) BOOST_TEST((state(path) == actor_state::stopped));
}

BOOST_FIXTURE_TEST_CASE(a_group_that_is_brought_back_is_restarting, acting_world) {
  start({.id = "root", .how = strategy::one_for_all, .children = {worker("a"), worker("b", restart::permanent, true)}});
  ref<caf::actor>(names, "a").send_anonymous(std::string("crash"));
  advance(50ms); // b is deaf: it is killed after 100 ms.
  BOOST_TEST((state("b") == actor_state::restarting));
  advance(1s);
  BOOST_TEST((state("b") == actor_state::running));
}

// -- with threads --------------------------------------------------------------------------------------------------

namespace {

struct tally {
  std::atomic<int> handled{0};
  std::atomic<int> urgent{0};
  std::atomic<int> out_of_order{0};
};

/// Normal messages are 1, 2, 3 ..., urgent ones -1, -2, -3 ...
caf::behavior counting(caf::event_based_actor* self, actor_context ctx, tally* into) {
  return supervised(self, ctx, {[into](int number) {
                      auto& count = number < 0 ? into->urgent : into->handled;
                      if (std::abs(number) != ++count) ++into->out_of_order;
                    }});
}

} // namespace

BOOST_AUTO_TEST_CASE(nothing_is_lost_or_overtaken_while_an_actor_is_suspended_and_resumed) {
  constexpr int count = 20'000;
  runtime_config config(2);
  directory names;
  system_clock_port clock;
  seeded_random random(1);
  tally pooled, alone;
  caf::actor_system system(config);
  auto root = start_root(system, {names, clock, random},
                         {.id = "root",
                          .children = {{.id = "pooled", .start = child_of(counting, &pooled)},
                                       {.id = "alone", .start = child_of<caf::detached>(counting, &alone)}}}).value();
  while (!names.slot("alone")->present().actor) std::this_thread::yield();
  std::thread sender([&] {
    ref<caf::actor> to_pooled(names, "pooled"), to_alone(names, "alone");
    for (int i = 1; i <= count; ++i) {
      for (auto* to : {&to_pooled, &to_alone}) {
        to->send_anonymous(i);
        caf::anon_send<caf::message_priority::high>(to->get(), -i);
      }
      if (i % 100 == 0) std::this_thread::sleep_for(100us);
    }
  });
  caf::scoped_actor self(system);
  ref<supervisor_api> supervisor(names, "root");
  auto act = [&](child_action action, const char* id) {
    supervisor.request(self, 10s, child_action_request{id, action})
      .receive([](const child_ack&) {}, [](const caf::error&) {});
  };
  for (int i = 0; i < 40; ++i) {
    for (const char* id : {"pooled", "alone"}) act(child_action::suspend, id);
    std::this_thread::sleep_for(1ms);
    for (const char* id : {"pooled", "alone"}) act(child_action::resume, id);
    if (i % 3 == 0) std::this_thread::sleep_for(1ms);
  }
  sender.join();
  auto until = std::chrono::steady_clock::now() + 60s;
  auto all_handled = [&] {
    return pooled.handled == count && alone.handled == count && pooled.urgent == count && alone.urgent == count;
  };
  while (!all_handled() && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(1ms);
  BOOST_TEST(pooled.handled == count);
  BOOST_TEST(alone.handled == count);
  BOOST_TEST(pooled.urgent == count);
  BOOST_TEST(alone.urgent == count);
  BOOST_TEST(pooled.out_of_order == 0);
  BOOST_TEST(alone.out_of_order == 0);
  BOOST_TEST(stop_root(root, 10s).has_value());
}
