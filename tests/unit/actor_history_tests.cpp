// tests/unit/actor_history_tests.cpp - what the plots begin with: bounded, in step, and forgotten with the actor.
#define BOOST_TEST_MODULE actor_history_tests
#include <boost/test/unit_test.hpp>

#include <map>
#include <random>

#include <nlohmann/json.hpp>

#include "actors/console/actor_history.hpp"

using namespace lucid;
using namespace std::chrono_literals;

namespace {

std::string numbered(std::string name, std::size_t i) { return name.append(std::to_string(i)); }

inspection actor(const std::string& path, std::uint64_t mailbox, double rate = 0, double busy = 0) {
  inspection seen;
  seen.path = path;
  seen.mailbox_length = mailbox;
  seen.rate = rate;
  seen.busy_share = busy;
  return seen;
}

} // namespace

BOOST_AUTO_TEST_CASE(samples_are_told_oldest_first_with_the_members_of_the_contract) {
  actor_history history;
  history.take({actor("a", 1, 10, 0.1)}, 5s);
  history.take({actor("a", 2, 20, 0.2)}, 6s);
  BOOST_TEST((history.report("a") ==
              nlohmann::json::parse(R"({"interval_s":1.0,"mailbox":[1,2],"rate":[10.0,20.0],"busy":[0.1,0.2]})")));
  BOOST_TEST((history.report("b") == nlohmann::json::parse(R"({"interval_s":1.0,"mailbox":[],"rate":[],"busy":[]})")));
}

BOOST_AUTO_TEST_CASE(looks_within_a_second_are_one_and_late_ones_are_said_to_be) {
  actor_history history;
  for (int i = 0; i < 10; ++i) history.take({actor("a", static_cast<std::uint64_t>(i))}, 0ms + i * 250ms);
  BOOST_TEST((history.report("a").at("mailbox") == nlohmann::json{0, 4, 8}));
  history.take({actor("a", 99)}, 10s);
  BOOST_TEST(history.report("a").at("interval_s").get<double>() == 10.0 / 3, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(the_oldest_sample_gives_way) {
  actor_history history;
  for (int i = 0; i < 500; ++i) history.take({actor("a", static_cast<std::uint64_t>(i))}, 2s * i);
  auto report = history.report("a");
  BOOST_REQUIRE(report.at("mailbox").size() == actor_history::samples_max);
  BOOST_TEST(report["mailbox"][0] == 380);
  BOOST_TEST(report["mailbox"][119] == 499);
  BOOST_TEST(report["interval_s"].get<double>() == 2.0, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(more_paths_than_the_bound_are_not_remembered_and_those_that_went_make_room) {
  actor_history history;
  std::vector<inspection> many;
  for (std::size_t i = 0; i < actor_history::paths_max; ++i) many.push_back(actor(numbered("old/", i), 1));
  many.push_back(actor("one more", 1));
  history.take(many, 1s);
  BOOST_TEST(history.report("old/0").at("mailbox").size() == 1u);
  BOOST_TEST(history.report("one more").at("mailbox").empty());
  history.take({actor("one more", 2)}, 2s);
  history.take({actor("one more", 3)}, 3s);
  BOOST_TEST(history.report("old/0").at("mailbox").empty());
  BOOST_TEST(!history.report("one more").at("mailbox").empty());
}

// Against a list that keeps everything.
BOOST_AUTO_TEST_CASE(whatever_comes_and_goes_a_path_has_the_samples_since_it_came) {
  std::mt19937 dice(3);
  actor_history history;
  std::map<std::string, std::vector<std::uint64_t>> kept;
  actor_history::time now{0}, last{-10s};
  for (int step = 0; step < 2000; ++step) {
    now += std::chrono::milliseconds(dice() % 1500);
    std::vector<inspection> tree;
    for (int i = 0; i < 5; ++i)
      if (dice() % 40 != 0) tree.push_back(actor(numbered("p", static_cast<std::size_t>(i)), dice() % 1000));
    history.take(tree, now);
    if (now - last >= 1s) {
      last = now;
      std::map<std::string, std::vector<std::uint64_t>> next;
      for (auto& seen : tree) {
        auto& samples = next[seen.path] = kept[seen.path];
        samples.push_back(seen.mailbox_length);
        if (samples.size() > 120) samples.erase(samples.begin());
      }
      kept = std::move(next);
    }
    auto path = numbered("p", dice() % 5);
    auto report = history.report(path);
    BOOST_REQUIRE((report.at("mailbox") == nlohmann::json(kept.count(path) ? kept[path] : std::vector<std::uint64_t>{})));
    BOOST_REQUIRE(report.at("interval_s").get<double>() >= 1.0);
  }
}
