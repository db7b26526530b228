// tests/unit/anchor_dispatch_tests.cpp - who is asked to anchor, whose answer counts, and what is believed of it.
#define BOOST_TEST_MODULE anchor_dispatch_tests
#include <boost/test/unit_test.hpp>

#include <functional>
#include <random>
#include <set>

#include "actors/anchor/anchor_core.hpp"
#include "actors/anchor/anchor_dispatch.hpp"
#include "actors/format/ledger_codec.hpp"
#include "tests/doubles/must.hpp"
#include "tests/doubles/told_cluster.hpp"

using namespace lucid;
using namespace std::chrono_literals;
using lucid::testing::key_of;
using lucid::testing::must;

namespace {

constexpr unix_time_us now = genesis_time_us + 10 * slot_length_us + 5;

anchor_holder holder(std::uint8_t node, std::uint64_t fence, std::uint64_t road = 1) { return {node_id{node}, fence, road}; }

anchor_entry entry_of(std::uint8_t n) {
  anchor_entry e;
  e.session.fill(n);
  e.manifest_hash.fill(n);
  e.root.fill(9);
  e.sealed_us = n;
  return e;
}
std::vector<anchor_entry> entries_of(std::uint8_t count) {
  std::vector<anchor_entry> all;
  for (std::uint8_t n = 1; n <= count; ++n) all.push_back(entry_of(n));
  return all;
}

/// As a node whose key is `producer` answers.
std::vector<anchored_entry> answer_of(const std::vector<anchor_entry>& entries, std::uint8_t producer) {
  auto key = key_of(producer);
  auto block = must(make_block(make_genesis(*key), entries, now, *key));
  std::vector<anchored_entry> all;
  for (std::uint32_t i = 0; i < entries.size(); ++i) all.push_back({make_anchor(block, entries, i), block});
  return all;
}

std::size_t held(const std::vector<outcome<void>>& verdicts) {
  std::size_t count = 0;
  for (auto& one : verdicts) {
    count += one.has_value();
    if (!one) BOOST_TEST((one.error().code == errc::protocol_violation));
  }
  return count;
}

} // namespace

BOOST_AUTO_TEST_CASE(the_lease_of_the_role_counts_while_somebody_holds_it) {
  cluster_view view;
  view.leases = {{"seal", 0, node_id{3}, 5, 100}, {"anchor", 0, node_id{}, 7, 0}};
  BOOST_TEST(!anchor_lease(view));
  view.leases[1].holder = node_id{2};
  BOOST_REQUIRE(anchor_lease(view));
  BOOST_TEST(anchor_lease(view)->fence == 7u);
}

BOOST_AUTO_TEST_CASE(nothing_is_begun_while_nobody_has_the_role_and_one_attempt_at_a_time) {
  anchor_dispatch core;
  BOOST_TEST(!core.begin());
  BOOST_TEST(!core.set_holder(holder(2, 7)));
  auto first = core.begin();
  BOOST_REQUIRE(first.has_value());
  BOOST_TEST(!core.begin());
  BOOST_TEST(core.end(*first));
  BOOST_TEST(!core.end(*first)); // Answered twice.
  BOOST_TEST(*core.begin() > *first);
}

BOOST_AUTO_TEST_CASE(another_holder_number_or_way_ends_the_attempt_and_its_late_answer_is_nothing) {
  for (auto& other : {holder(3, 7), holder(2, 8), holder(2, 7, 2)}) {
    anchor_dispatch core;
    core.set_holder(holder(2, 7));
    auto old = *core.begin();
    BOOST_TEST(!core.set_holder(holder(2, 7))); // Seen again: nothing has changed.
    BOOST_TEST(core.set_holder(other));
    BOOST_TEST(!core.set_holder(other));
    auto anew = core.begin();
    BOOST_REQUIRE(anew.has_value());
    BOOST_TEST(!core.end(old));
    BOOST_TEST(core.end(*anew));
  }
}

BOOST_AUTO_TEST_CASE(while_nobody_has_the_role_what_is_under_way_may_still_arrive) {
  anchor_dispatch core;
  core.set_holder(holder(2, 7));
  auto attempt = *core.begin();
  BOOST_TEST(!core.set_holder(std::nullopt));
  BOOST_TEST(!core.set_holder(holder(2, 7))); // The same again: it goes on.
  BOOST_TEST(!core.set_holder(std::nullopt));
  BOOST_TEST(core.end(attempt));
  BOOST_TEST(!core.begin());
  BOOST_TEST(!core.set_holder(holder(3, 8))); // Nothing is under way any more.
  attempt = *core.begin();
  core.set_holder(std::nullopt);
  BOOST_TEST(core.set_holder(holder(2, 9)));
  BOOST_TEST(!core.end(attempt));
}

BOOST_AUTO_TEST_CASE(an_answer_that_holds_is_taken) {
  auto asked = entries_of(5);
  BOOST_TEST(held(check_anchored(asked, answer_of(asked, 2), key_of(2)->public_key())) == 5u);
  // Entries that were there already stand in blocks of their own.
  auto answer = answer_of(asked, 2);
  answer[3] = answer_of({entry_of(8), asked[3]}, 2)[1];
  BOOST_TEST(held(check_anchored(asked, answer, key_of(2)->public_key())) == 5u);
}

BOOST_AUTO_TEST_CASE(an_answer_is_refused_whatever_of_it_is_altered) {
  auto asked = entries_of(3);
  auto good = answer_of(asked, 2);
  auto producer = key_of(2)->public_key();
  BOOST_TEST(held(check_anchored(asked, good, key_of(3)->public_key())) == 0u); // Another node's chain.
  using change = std::function<void(anchored_entry&)>;
  std::vector<change> changes{
    [](auto& a) { a.record.entry.session[0] ^= 1; },   [](auto& a) { a.record.entry.manifest_hash[31] ^= 1; },
    [](auto& a) { a.record.entry.root[0] ^= 1; },      [](auto& a) { ++a.record.entry.sealed_us; },
    [](auto& a) { ++a.record.block_height; },          [](auto& a) { ++a.record.entry_index; },
    [](auto& a) { a.record.path[0][0] ^= 1; },         [](auto& a) { a.record.path.pop_back(); },
    [](auto& a) { a.record.path.resize(100'000); },    [](auto& a) { ++a.block.height; },
    [](auto& a) { a.block.previous[0] ^= 1; },         [](auto& a) { a.block.time_us -= 1; },
    [](auto& a) { a.block.entries_root[0] ^= 1; },     [](auto& a) { ++a.block.entry_count; },
    [](auto& a) { a.block.by[0] ^= 1; },               [](auto& a) { a.block.version = 2; },
    [](auto& a) { a.block.slot = 0; },                 [](auto& a) { a.block = {}; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    BOOST_TEST_CONTEXT("change " << i) {
      auto answer = good;
      changes[i](answer[1]);
      auto verdicts = check_anchored(asked, answer, producer);
      BOOST_TEST(!verdicts[1]);
      BOOST_TEST(held(verdicts) == 2u); // The others are not to suffer for it.
    }
  }
  // A block that the node signed, but with another key, is of another chain, although its signature holds.
  auto answer = good;
  answer[1] = answer_of(asked, 3)[1];
  BOOST_TEST(held(check_anchored(asked, answer, producer)) == 2u);
}

BOOST_AUTO_TEST_CASE(too_few_too_many_or_swapped_entries_are_refused) {
  auto asked = entries_of(3);
  auto producer = key_of(2)->public_key();
  auto answer = answer_of(asked, 2);
  BOOST_TEST(held(check_anchored(asked, {}, producer)) == 0u);
  auto more = answer;
  more.push_back(answer[0]);
  BOOST_TEST(held(check_anchored(asked, more, producer)) == 0u);
  std::swap(answer[0], answer[2]);
  BOOST_TEST(held(check_anchored(asked, answer, producer)) == 1u);
}

BOOST_AUTO_TEST_CASE(a_lost_batch_is_due_at_once_whatever_failed_before) {
  anchor_core core{{}};
  must(core.add(entry_of(1), 0ns));
  BOOST_TEST(core.take_batch(1s).size() == 1u);
  core.batch_ended(true, 1s);
  BOOST_TEST(core.take_batch(1s + 100ms).empty()); // It waits after a failure.
  core.start_over(1s + 100ms);
  BOOST_TEST(core.failures_in_row() == 0u);
  BOOST_TEST(core.take_batch(1s + 100ms).size() == 1u);
  core.start_over(2s); // One is under way: nothing changes.
  BOOST_TEST(core.take_batch(2s).empty());
  core.batch_lost(2s);
  BOOST_TEST(core.take_batch(2s).size() == 1u);
  core.done(anchor_core::key_of(entry_of(1)));
  core.batch_ended(false, 3s);
  core.start_over(3s);
  BOOST_TEST(!core.wake_at());
}

// Whatever happens in whatever order, every entry is anchored once, and by an answer of an attempt that counts.
BOOST_AUTO_TEST_CASE(any_order_of_events_ends_with_every_entry_anchored) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    anchor_core core{{.batch_window = 1ms, .batch_count_max = 3}};
    anchor_dispatch dispatch;
    struct attempt {
      std::uint64_t number;
      std::vector<anchor_entry> batch;
    };
    std::vector<attempt> under_way;
    std::multiset<session_id> anchored;
    auto at = 0ns;
    std::uint64_t fence = 0;
    std::uint8_t added = 0;
    auto begin = [&] {
      if (!dispatch.holder()) return;
      auto batch = core.take_batch(at);
      if (batch.empty()) return;
      auto number = dispatch.begin();
      BOOST_TEST_REQUIRE(number.has_value());
      under_way.push_back({*number, batch});
    };
    auto step = [&](unsigned what) {
      at += std::chrono::milliseconds(random() % 50);
      if (what == 0 && added < 20) must(core.add(entry_of(++added), at));
      if (what == 1) {
        auto next = random() % 4 == 0 ? std::nullopt : std::optional(holder(static_cast<std::uint8_t>(random() % 3), ++fence));
        if (dispatch.set_holder(next)) core.batch_lost(at);
        else if (next) core.start_over(at);
      }
      begin();
      if (what < 2 || under_way.empty()) return;
      auto one = under_way.begin() + static_cast<std::ptrdiff_t>(random() % under_way.size());
      auto ended = std::move(*one);
      under_way.erase(one);
      if (!dispatch.end(ended.number)) return;
      for (auto& entry : ended.batch) {
        if (what == 3) continue;
        core.done(anchor_core::key_of(entry));
        anchored.insert(entry.session);
      }
      core.batch_ended(what == 3, at);
    };
    for (int i = 0; i < 300; ++i) step(random() % 4);
    if (dispatch.set_holder(holder(1, ++fence))) core.batch_lost(at);
    else core.start_over(at);
    for (int i = 0; i < 1000 && core.pending_count() != 0; ++i) at += 1s, step(2);
    BOOST_TEST_REQUIRE(core.pending_count() == 0u, "seed " << seed);
    BOOST_TEST_REQUIRE(anchored.size() == added, "seed " << seed);
  }
}
