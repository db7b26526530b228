// tests/unit/seal_dispatch_tests.cpp - chunks on their way to whoever seals: none is lost, none counts twice.
#define BOOST_TEST_MODULE seal_dispatch
#include <boost/test/unit_test.hpp>

#include <random>
#include <set>

#include "actors/seal/seal_dispatch.hpp"

using namespace lucid;
using namespace std::chrono_literals;

namespace {
seal_holder holder(std::uint8_t node, std::uint64_t fence) {
  seal_holder h;
  h.node[0] = node;
  h.fence = fence;
  return h;
}
} // namespace

BOOST_AUTO_TEST_CASE(waits_while_nobody_may_seal) {
  seal_dispatch core;
  core.add(1, 0ns);
  BOOST_TEST(core.due(1s).empty());
  BOOST_TEST(!core.wake_at());
  core.set_holder(holder(1, 7), 2s);
  auto begun = core.due(2s);
  BOOST_REQUIRE(begun.size() == 1);
  BOOST_TEST(begun[0].where.fence == 7u);
  BOOST_TEST(core.due(3s).empty());
  BOOST_TEST(core.done(begun[0]));
  BOOST_TEST(core.count() == 0u);
}

BOOST_AUTO_TEST_CASE(the_role_moves_and_the_old_answer_is_late) {
  seal_dispatch core;
  core.set_holder(holder(1, 7), 0ns);
  core.add(1, 0ns);
  core.add(2, 0ns);
  auto old = core.due(0ns);
  core.set_holder(holder(2, 8), 1s);
  auto anew = core.due(1s);
  BOOST_REQUIRE(anew.size() == 2);
  BOOST_TEST(!core.done(old[0]));
  BOOST_TEST(!core.failed(old[1], 1s));
  BOOST_TEST(core.done(anew[0]));
  BOOST_TEST(core.done(anew[1]));
}

BOOST_AUTO_TEST_CASE(the_same_node_under_another_number_goes_on_with_what_it_has) {
  seal_dispatch core;
  core.set_holder(holder(1, 7), 0ns);
  core.add(1, 0ns);
  auto begun = core.due(0ns);
  core.set_holder(std::nullopt, 1s); // It lost the role, and nobody has it for a moment.
  BOOST_TEST(core.current(begun[0]));
  BOOST_TEST(core.fence_of(begun[0]) == 7u);
  core.set_holder(holder(1, 9), 2s);
  BOOST_TEST(core.due(2s).empty());
  BOOST_TEST(core.fence_of(begun[0]) == 9u);
  BOOST_TEST(core.done(begun[0]));
}

BOOST_AUTO_TEST_CASE(the_same_node_on_another_way_is_asked_anew) {
  seal_dispatch core;
  core.set_holder(holder(1, 7), 0ns);
  core.add(1, 0ns);
  auto begun = core.due(0ns);
  auto again = holder(1, 7);
  again.road = 5;
  core.set_holder(again, 1s);
  BOOST_TEST(!core.current(begun[0]));
  BOOST_TEST(core.due(1s).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_failure_is_tried_again_after_a_pause_that_doubles_up_to_its_bound) {
  seal_dispatch core;
  core.set_holder(holder(1, 7), 0ns);
  core.add(1, 0ns);
  auto now = 0ns;
  auto pause = seal_dispatch::retry_min;
  for (int i = 0; i < 10; ++i) {
    auto begun = core.due(now);
    BOOST_REQUIRE(begun.size() == 1);
    BOOST_TEST(core.failed(begun[0], now));
    BOOST_TEST((*core.wake_at() == now + pause));
    BOOST_TEST(core.due(now + pause - 1ns).empty());
    now += pause;
    pause = std::min(pause * 2, seal_dispatch::retry_max);
  }
}

// Whatever happens in whatever order, each chunk is done once, and by an attempt of the holder of that moment.
BOOST_AUTO_TEST_CASE(any_order_of_events_ends_with_every_chunk_done_once) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    std::mt19937 random(seed);
    seal_dispatch core;
    std::vector<seal_attempt> under_way;
    std::multiset<std::uint64_t> done;
    auto now = 0ns;
    std::uint64_t fence = 0, added = 0;
    auto step = [&](unsigned what) {
      now += std::chrono::milliseconds(random() % 50);
      if (what == 0 && added < 20) core.add(++added, now);
      if (what == 1) core.set_holder(random() % 4 == 0 ? std::nullopt : std::optional(holder(random() % 3, ++fence)), now);
      for (auto& one : core.due(now)) under_way.push_back(one);
      if (under_way.empty()) return;
      auto at = under_way.begin() + static_cast<std::ptrdiff_t>(random() % under_way.size());
      if (what == 2 && core.done(*at)) {
        done.insert(at->chunk);
        if (core.holder()) BOOST_TEST_REQUIRE((at->where.node == core.holder()->node));
      }
      if (what == 3) core.failed(*at, now);
      if (what >= 2) under_way.erase(at);
    };
    for (int i = 0; i < 300; ++i) step(random() % 4);
    core.set_holder(holder(1, ++fence), now);
    for (int i = 0; i < 5000 && core.count() != 0; ++i) step(2), now += 100ms;
    BOOST_TEST_REQUIRE(core.count() == 0u, "seed " << seed);
    for (std::uint64_t chunk = 1; chunk <= added; ++chunk) BOOST_TEST_REQUIRE(done.count(chunk) == 1u, "seed " << seed);
  }
}
