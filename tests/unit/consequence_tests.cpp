// tests/unit/consequence_tests.cpp - what each strategy would do, said in words.
#define BOOST_TEST_MODULE consequence_tests
#include <boost/test/unit_test.hpp>

#include "runtime/supervision/consequence.hpp"

using namespace lucid;

namespace {

using names = std::vector<std::string>;

inspection worker(const std::string& path, const std::string& parent, std::uint32_t position,
                  const std::string& restart = "permanent") {
  inspection one;
  one.path = path;
  one.present = true;
  one.state_now = actor_state::running;
  one.spec.parent = parent;
  one.spec.position = position;
  one.spec.restart = restart;
  return one;
}

inspection supervisor(const std::string& path, const std::string& parent, std::uint32_t position,
                      const std::string& strategy, bool dynamic = false) {
  auto one = worker(path, parent, position);
  if (parent.empty()) one.spec.restart.clear();
  one.spec.supervisor = true;
  one.spec.strategy = strategy;
  one.spec.dynamic = dynamic;
  one.spec.restarts_max = 3;
  one.spec.period_ms = 60'000;
  return one;
}

/// A session's pipeline under `strategy`, as `inspect_tree` tells it: ordered by path, not by start.
struct pipeline {
  explicit pipeline(const std::string& strategy)
    : tree{worker("s/capture", "s", 1), worker("s/chunk", "s", 2),  worker("s/journal", "s", 0),
           worker("s/seal", "s", 3),    supervisor("s", "root", 0, strategy), supervisor("root", "", 0, "one_for_one")} {}

  inspection& at(const std::string& path) {
    for (auto& one : tree)
      if (one.path == path) return one;
    throw std::out_of_range(path);
  }
  consequence of(child_action action, const std::string& path) { return consequence_of(action, path, tree).value(); }
  error refusal(child_action action, const std::string& path) { return consequence_of(action, path, tree).error(); }

  std::vector<inspection> tree;
};

} // namespace

BOOST_AUTO_TEST_CASE(one_for_one_restarts_that_child_alone) {
  auto found = pipeline("one_for_one").of(child_action::restart, "s/capture");
  BOOST_TEST(found.text == "restarts 1 child: capture");
  BOOST_TEST((found.restarted == names{"s/capture"}));
  BOOST_TEST(found.ended.empty());
}

BOOST_AUTO_TEST_CASE(rest_for_one_restarts_the_later_ones_in_start_order) {
  pipeline session("rest_for_one");
  BOOST_TEST(session.of(child_action::restart, "s/capture").text == "restarts 3 children: capture, chunk, seal");
  BOOST_TEST(session.of(child_action::restart, "s/seal").text == "restarts 1 child: seal");
  BOOST_TEST(session.of(child_action::restart, "s/journal").text == "restarts 4 children: journal, capture, chunk, seal");
}

BOOST_AUTO_TEST_CASE(one_for_all_restarts_all) {
  auto found = pipeline("one_for_all").of(child_action::restart, "s/seal");
  BOOST_TEST(found.text == "restarts 4 children: journal, capture, chunk, seal");
}

BOOST_AUTO_TEST_CASE(a_temporary_sibling_ends_for_good) {
  pipeline session("rest_for_one");
  session.at("s/chunk").spec.restart = "temporary";
  auto found = session.of(child_action::restart, "s/capture");
  BOOST_TEST(found.text == "restarts 2 children: capture, seal; ends for good: s/chunk");
  BOOST_TEST((found.ended == names{"s/chunk"}));
  BOOST_TEST((session.refusal(child_action::restart, "s/chunk").code == errc::wrong_state));
  BOOST_TEST(session.of(child_action::kill, "s/chunk").text == "ends for good: s/chunk");
}

BOOST_AUTO_TEST_CASE(a_supervisor_takes_what_is_below_along) {
  auto found = pipeline("rest_for_one").of(child_action::restart, "s");
  BOOST_TEST(found.text == "restarts 1 child: s, with the 4 actors below");
  BOOST_TEST((found.restarted == names{"s", "s/journal", "s/capture", "s/chunk", "s/seal"}));
}

BOOST_AUTO_TEST_CASE(a_dynamic_supervisor_forgets_its_children) {
  std::vector<inspection> tree{supervisor("root", "", 0, "one_for_one"),
                               supervisor("sessions", "root", 0, "one_for_one", true),
                               supervisor("sessions/a", "sessions", 0, "rest_for_one"),
                               worker("sessions/a/chunk", "sessions/a", 0)};
  auto found = consequence_of(child_action::restart, "sessions", tree).value();
  BOOST_TEST(found.text == "restarts 1 child: sessions; ends for good: sessions/a, sessions/a/chunk");
  BOOST_TEST(consequence_of(child_action::restart, "sessions/a", tree)->text ==
             "restarts 1 child: a, with the 1 actor below");
}

BOOST_AUTO_TEST_CASE(a_kill_is_a_failure_that_counts) {
  auto found = pipeline("rest_for_one").of(child_action::kill, "s/chunk");
  BOOST_TEST(found.text == "ends chunk as if it had crashed; restarts 2 children: chunk, seal; "
                           "counts towards the 3 failures in 60 s that s bears");
}

BOOST_AUTO_TEST_CASE(one_that_is_not_running_is_started_and_cannot_be_killed) {
  pipeline session("rest_for_one");
  auto& chunk = session.at("s/chunk");
  chunk.present = false;
  chunk.state_now = actor_state::waiting;
  BOOST_TEST(session.of(child_action::restart, "s/chunk").text == "starts chunk now, without waiting for its back-off");
  chunk.state_now = actor_state::stopped;
  BOOST_TEST(session.of(child_action::restart, "s/chunk").text == "starts chunk");
  BOOST_TEST((session.refusal(child_action::kill, "s/chunk").code == errc::wrong_state));
  BOOST_TEST((session.refusal(child_action::suspend, "s/chunk").code == errc::wrong_state));
}

BOOST_AUTO_TEST_CASE(suspend_and_resume_say_what_waits) {
  pipeline session("rest_for_one");
  BOOST_TEST(session.of(child_action::suspend, "s/chunk").text ==
             "suspends chunk: what is sent to it waits until it is resumed");
  BOOST_TEST((session.refusal(child_action::resume, "s/chunk").code == errc::wrong_state));
  BOOST_TEST((session.refusal(child_action::suspend, "s").code == errc::unsupported));
  session.at("s/chunk").state_now = actor_state::suspended;
  session.at("s/chunk").mailbox_length = 12;
  BOOST_TEST(session.of(child_action::suspend, "s/chunk").text == "chunk is suspended already");
  BOOST_TEST(session.of(child_action::resume, "s/chunk").text == "resumes chunk: it handles what has waited (12 messages)");
}

BOOST_AUTO_TEST_CASE(the_root_and_unknown_paths_are_refused) {
  pipeline session("one_for_one");
  BOOST_TEST((session.refusal(child_action::restart, "root").code == errc::wrong_state));
  BOOST_TEST((session.refusal(child_action::restart, "s/nobody").code == errc::not_found));
}

BOOST_AUTO_TEST_CASE(many_names_are_counted) {
  std::vector<inspection> tree{supervisor("root", "", 0, "one_for_all")};
  for (std::uint32_t i = 0; i < 20; ++i) tree.push_back(worker(std::to_string(i), "root", i));
  auto found = consequence_of(child_action::restart, "7", tree).value();
  BOOST_TEST(found.restarted.size() == 20u);
  BOOST_TEST(found.text == "restarts 20 children: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 and 4 more");
}
