// tests/unit/replication_core_tests.cpp - where copies go: choice of holders, repair, coming back, bounds; with seeds.
#define BOOST_TEST_MODULE replication_core_tests
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <deque>
#include <random>

#include "actors/replication/replication_core.hpp"

using namespace lucid;
using namespace std::chrono_literals;

namespace {

node_id node_of(std::uint8_t n) {
  node_id id{};
  id.fill(n);
  return id;
}
session_id session_of(std::uint32_t n) {
  session_id id{};
  for (std::size_t i = 0; i < 4; ++i) id[i] = static_cast<std::uint8_t>(n >> (8 * i));
  return id;
}
std::string name_of(std::uint8_t n) { return "pi-" + std::to_string(n); }

chunk_record chunk(std::uint32_t session, std::uint32_t index, track on = track::video) {
  chunk_record r;
  r.key = {session_of(session), on, index};
  r.sealed_size_bytes = 1000;
  r.content[0] = static_cast<std::uint8_t>(index);
  r.content[1] = static_cast<std::uint8_t>(session);
  return r;
}
std::vector<chunk_record> chunks(std::uint32_t session, std::uint32_t from, std::uint32_t to) {
  std::vector<chunk_record> all;
  for (auto i = from; i < to; ++i) all.push_back(chunk(session, i));
  return all;
}
constexpr news_mark recording{2, false, false}, completed{6, true, true};

/// Nodes with their disks, which answer actions. Faults: down, answers that get lost, disks that forget.
struct cluster {
  struct holder {
    bool up = true;
    std::set<std::pair<session_id, std::uint32_t>> has; ///< By index; the tests use one track.
    std::map<session_id, news_mark> news;
  };
  explicit cluster(replication_limits with, std::uint8_t count) : limits(with), core(with) {
    for (std::uint8_t n = 1; n <= count; ++n) holders[node_of(n)];
    tell();
  }
  replication_limits limits;
  replication_core core;
  std::map<node_id, holder> holders;
  std::chrono::nanoseconds now{1h};
  std::deque<replication_action> under_way;
  std::uint64_t put_count = 0;
  std::map<node_id, std::size_t> puts_at_once;

  void tell() {
    std::vector<replica_member> members;
    for (auto& [id, h] : holders) members.push_back({id, name_of(id[0]), h.up});
    core.set_members(members, now);
  }
  void gather() {
    for (auto& a : core.next(now)) {
      if (auto put = std::get_if<put_action>(&a)) BOOST_REQUIRE(++puts_at_once[put->to] <= limits.puts_per_peer_max);
      under_way.push_back(std::move(a));
    }
  }
  /// Carries out one action, or lets it get lost.
  void answer(const replication_action& a, bool fails, bool reply_lost = false) {
    auto to = std::visit([](const auto& x) { return x.to; }, a);
    if (std::holds_alternative<put_action>(a)) --puts_at_once[to];
    auto found = holders.find(to);
    if (found == holders.end() || !found->second.up || fails) return core.failed(a, now);
    auto& h = found->second;
    if (auto have = std::get_if<have_action>(&a)) {
      replica_have reply;
      reply.session = have->session;
      for (std::uint32_t i = 0; i < have->chunks.size(); ++i)
        if (h.has.contains({have->session, have->chunks[i].index})) reply.held.push_back(i);
      auto news = h.news[have->session];
      reply.state = news.state;
      reply.has_manifest = news.has_manifest;
      reply.has_anchor = news.has_anchor;
      return reply_lost ? core.failed(a, now) : core.done(*have, reply);
    }
    if (auto put = std::get_if<put_action>(&a)) {
      ++put_count;
      h.has.insert({put->record.key.session, put->record.key.index});
      return reply_lost ? core.failed(a, now) : core.done(*put);
    }
    if (auto news = std::get_if<news_action>(&a)) {
      h.news[news->session] = news->news;
      return reply_lost ? core.failed(a, now) : core.done(*news, news->news);
    }
    auto& gone = std::get<remove_action>(a);
    std::erase_if(h.has, [&](const auto& key) { return key.first == gone.session; });
    return reply_lost ? core.failed(a, now) : core.done(gone);
  }
  void settle() {
    for (int i = 0; i < 100'000; ++i) {
      gather();
      if (under_way.empty()) return;
      auto a = std::move(under_way.front());
      under_way.pop_front();
      answer(a, false);
    }
    BOOST_FAIL("never settles");
  }
  std::vector<node_id> holders_of(std::uint32_t session, std::uint32_t index) {
    std::vector<node_id> found;
    for (auto& [id, h] : holders)
      if (h.has.contains({session_of(session), index})) found.push_back(id);
    return found;
  }
};

} // namespace

BOOST_AUTO_TEST_CASE(each_chunk_gets_its_copies_and_a_recording_stays_together) {
  cluster c({}, 5);
  std::map<node_id, int> share;
  for (std::uint32_t s = 0; s < 200; ++s) {
    c.core.set_session(session_of(s), recording);
    c.core.add_chunks(session_of(s), chunks(s, 0, 5));
  }
  c.settle();
  for (std::uint32_t s = 0; s < 200; ++s) {
    auto first = c.holders_of(s, 0);
    BOOST_REQUIRE(first.size() == 2u);
    for (std::uint32_t i = 1; i < 5; ++i) BOOST_REQUIRE(c.holders_of(s, i) == first);
    for (auto& h : first) ++share[h];
    BOOST_REQUIRE(c.core.is_settled(session_of(s)));
  }
  for (auto& [id, count] : share) BOOST_TEST(count > 50); // 80 on average.
  BOOST_TEST(c.put_count == 2000u);
  auto status = c.core.status();
  BOOST_TEST(status.replicated_count == 1000u);
  BOOST_TEST(status.without_copy_count == 0u);
}

BOOST_AUTO_TEST_CASE(the_placement_list_is_followed_in_its_order) {
  replication_limits limits;
  limits.preference = {"pi-4", "*"};
  cluster c(limits, 5);
  for (std::uint32_t s = 0; s < 20; ++s) {
    c.core.set_session(session_of(s), recording);
    c.core.add_chunks(session_of(s), chunks(s, 0, 1));
  }
  c.settle();
  for (std::uint32_t s = 0; s < 20; ++s) {
    auto found = c.holders_of(s, 0);
    BOOST_TEST(found.size() == 2u);
    BOOST_TEST(std::count(found.begin(), found.end(), node_of(4)) == 1);
  }
  limits.preference = {"pi-2", "pi-3"}; // Nobody else, ever.
  limits.copies = 3;
  cluster d(limits, 5);
  d.core.set_session(session_of(1), recording);
  d.core.add_chunks(session_of(1), chunks(1, 0, 1));
  d.settle();
  BOOST_TEST((d.holders_of(1, 0) == std::vector{node_of(2), node_of(3)}));
}

BOOST_AUTO_TEST_CASE(after_a_restart_nothing_is_sent_that_is_there) {
  cluster c({}, 4);
  c.core.set_session(session_of(1), completed);
  c.core.add_chunks(session_of(1), chunks(1, 0, 9000)); // More than one question's worth.
  c.settle();
  BOOST_TEST(c.put_count == 18'000u);
  c.core = replication_core(c.limits);
  c.tell();
  c.core.set_session(session_of(1), completed);
  c.core.add_chunks(session_of(1), chunks(1, 0, 9000));
  c.settle();
  BOOST_TEST(c.put_count == 18'000u);
  BOOST_TEST(c.core.status().replicated_count == 9000u);
  for (auto& h : c.holders_of(1, 0)) BOOST_TEST((c.holders.at(h).news.at(session_of(1)) == completed));
}

BOOST_AUTO_TEST_CASE(a_holder_that_is_away_is_waited_for_and_then_replaced) {
  cluster c({}, 4);
  c.core.set_session(session_of(1), recording);
  c.core.add_chunks(session_of(1), chunks(1, 0, 3));
  c.settle();
  auto holders = c.holders_of(1, 0);
  c.holders.at(holders[0]).up = false;
  c.tell();
  c.settle();
  BOOST_TEST(c.put_count == 6u); // Still counts.
  c.core.add_chunks(session_of(1), chunks(1, 3, 4)); // A new chunk goes to those that are up.
  c.settle();
  BOOST_TEST(c.holders_of(1, 3).size() == 2u);
  BOOST_TEST(c.put_count == 8u);
  c.now += 9min;
  c.tell();
  c.settle();
  BOOST_TEST(c.put_count == 8u);
  c.now += 1min;
  c.tell();
  c.settle();
  BOOST_TEST(c.put_count == 11u); // Three chunks found another home.
  for (std::uint32_t i = 0; i < 3; ++i) BOOST_TEST(c.holders_of(1, i).size() == 3u);
  c.holders.at(holders[0]).up = true; // Back, with what it had: one copy too many is left alone.
  c.tell();
  c.settle();
  BOOST_TEST(c.put_count == 11u);
  BOOST_TEST(c.core.status().replicated_count == 4u);
}

BOOST_AUTO_TEST_CASE(a_holder_that_comes_back_empty_is_filled_again) {
  cluster c({}, 2);
  c.core.set_session(session_of(1), recording);
  c.core.add_chunks(session_of(1), chunks(1, 0, 3));
  c.settle();
  auto& h = c.holders.at(node_of(1));
  h.up = false;
  c.tell();
  h.up = true;
  h.has.clear();
  h.news.clear();
  c.tell();
  c.settle();
  BOOST_TEST(h.has.size() == 3u);
  BOOST_TEST((h.news.at(session_of(1)) == recording));
}

BOOST_AUTO_TEST_CASE(a_lost_copy_is_made_again_and_a_removed_recording_goes_everywhere) {
  cluster c({}, 3);
  c.core.set_session(session_of(1), completed);
  c.core.add_chunks(session_of(1), chunks(1, 0, 3));
  c.settle();
  auto holder = c.holders_of(1, 1).front();
  c.holders.at(holder).has.erase({session_of(1), 1});
  c.core.lost(holder, {session_of(1), track::video, 1});
  c.settle();
  BOOST_TEST(c.holders_of(1, 1).size() == 2u);
  auto away = c.holders_of(1, 0).front();
  c.holders.at(away).up = false;
  c.tell();
  c.core.remove_session(session_of(1));
  c.settle();
  BOOST_TEST(c.holders_of(1, 0).size() == 1u);
  c.holders.at(away).up = true; // Told when it comes back.
  c.tell();
  c.settle();
  BOOST_TEST(c.holders_of(1, 0).empty());
  BOOST_TEST(c.core.status().session_count == 0u);
}

BOOST_AUTO_TEST_CASE(one_that_always_fails_is_stood_in_for_and_not_asked_all_the_time) {
  cluster c({}, 3);
  auto bad = node_of(2);
  c.core.set_session(session_of(1), recording);
  c.core.add_chunks(session_of(1), chunks(1, 0, 3));
  int failures = 0;
  for (int i = 0; i < 20 * 60; ++i) {
    c.gather();
    while (!c.under_way.empty()) {
      auto a = std::move(c.under_way.front());
      c.under_way.pop_front();
      bool fails = std::visit([](const auto& x) { return x.to; }, a) == bad;
      failures += fails;
      c.answer(a, fails);
      c.gather();
    }
    c.now += 1s;
  }
  for (std::uint32_t i = 0; i < 3; ++i) BOOST_TEST(c.holders_of(1, i).size() == 2u);
  BOOST_TEST(failures < 60); // Of 1,200 seconds: each minute at the end.
  BOOST_TEST(c.core.status().replicated_count == 3u);
}

BOOST_AUTO_TEST_CASE(one_that_refuses_a_session_is_stood_in_for_in_that_session_alone_and_asked_again) {
  cluster c({}, 3);
  for (std::uint32_t session : {1, 2}) {
    c.core.set_session(session_of(session), completed);
    c.core.add_chunks(session_of(session), chunks(session, 0, 4));
  }
  auto refuses = [&](const replication_action& a) {
    auto to = std::visit([](const auto& x) { return x.to; }, a);
    auto put = std::get_if<put_action>(&a);
    auto ask = std::get_if<have_action>(&a);
    auto session = put ? put->record.key.session : ask ? ask->session : session_id{};
    return to == node_of(2) && session == session_of(1);
  };
  int refusals = 0;
  auto go_on = [&](int seconds, bool does_refuse) {
    for (int i = 0; i < seconds; ++i, c.now += 1s) {
      c.gather();
      while (!c.under_way.empty()) {
        auto a = std::move(c.under_way.front());
        c.under_way.pop_front();
        if (does_refuse && refuses(a)) {
          if (auto put = std::get_if<put_action>(&a)) --c.puts_at_once[put->to];
          c.core.refused(a, c.now);
          ++refusals;
        } else {
          c.answer(a, false);
        }
        c.gather();
      }
    }
  };
  go_on(100, true);
  for (std::uint32_t i = 0; i < 4; ++i) {
    auto first = c.holders_of(1, i);
    BOOST_TEST(first.size() == 2u);
    BOOST_TEST(std::count(first.begin(), first.end(), node_of(2)) == 0);
    BOOST_TEST(c.holders_of(2, i).size() == 2u);
  }
  BOOST_TEST(refusals >= 5);
  BOOST_TEST(refusals <= 20); // Each ten seconds.
  c.holders[node_of(1)].up = c.holders[node_of(3)].up = false; // Those that had them are gone, and it has changed its mind.
  c.tell();
  c.now += c.limits.repair_after;
  c.tell();
  go_on(30, false);
  for (std::uint32_t i = 0; i < 4; ++i) BOOST_TEST(c.holders[node_of(2)].has.contains({session_of(1), i}));
}

BOOST_AUTO_TEST_CASE(one_that_nobody_can_stand_in_for_is_asked_again_until_it_has_its_copies) {
  for (int breaks : {1, 3, 7}) {
    cluster c({}, 2);
    auto shaky = node_of(2);
    c.core.set_session(session_of(1), completed);
    c.core.add_chunks(session_of(1), chunks(1, 0, 10));
    for (int broken = 0; broken < breaks;) { // The link breaks whenever something is under way to it: all of that fails.
      c.gather();
      bool failed = false;
      for (auto& a : std::exchange(c.under_way, {})) {
        bool fails = std::visit([](const auto& x) { return x.to; }, a) == shaky;
        failed = failed || fails;
        c.answer(a, fails);
      }
      broken += failed;
      c.now += 1s;
    }
    c.now += breaks == 1 ? 1s : c.limits.retry_max; // What one break ends is one failure.
    c.settle();
    for (std::uint32_t i = 0; i < 10; ++i) BOOST_TEST(c.holders_of(1, i).size() == 2u, breaks << " breaks");
  }
}

BOOST_AUTO_TEST_CASE(a_node_that_left_the_list_counts_no_more) {
  cluster c({}, 3);
  c.core.set_session(session_of(1), recording);
  c.core.add_chunks(session_of(1), chunks(1, 0, 2));
  c.settle();
  auto gone = c.holders_of(1, 0).front();
  c.holders.erase(gone);
  c.tell();
  c.settle();
  BOOST_TEST(c.holders_of(1, 0).size() == 2u);
  BOOST_TEST(c.core.status().holders.size() == 2u);
}

BOOST_AUTO_TEST_CASE(pages_and_picks_are_of_what_is_held) {
  cluster c({}, 2);
  c.core.set_session(session_of(1), recording);
  c.core.add_chunks(session_of(1), chunks(1, 0, 10));
  c.core.add_chunks(session_of(1), {chunk(1, 0, track::events)});
  BOOST_TEST(!c.core.pick_held(node_of(1), 5));
  c.core.add_chunks(session_of(1), {chunk(1, 5), chunk(1, 11)}); // Known, and one with a hole before it.
  BOOST_TEST(c.core.chunk_count(session_of(1)) == 11u);
  BOOST_TEST(c.core.next_index(session_of(1), track::video) == 10u);
  c.settle();
  std::set<std::uint32_t> picked;
  for (std::uint64_t r = 0; r < 11; ++r) picked.insert(c.core.position_of(c.core.pick_held(node_of(1), r)->key));
  BOOST_TEST(picked.size() == 11u);
  BOOST_TEST(c.core.page(session_of(1), 0, 3500, 100).size() == 3u);
  BOOST_TEST(c.core.page(session_of(1), 9, 10, 100).size() == 1u);
  BOOST_TEST(c.core.page(session_of(1), 11, 10, 100).empty());
  auto page = c.core.page(session_of(1), 0, 1u << 20, 5);
  BOOST_TEST(page.size() == 5u);
  BOOST_TEST(c.core.held_of(node_of(1), session_of(1), page).size() == 5u);
}

BOOST_AUTO_TEST_CASE(whatever_fails_in_any_order_all_copies_are_there_in_the_end) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::mt19937_64 random(seed);
      replication_limits limits;
      limits.copies = 1 + random() % 3;
      limits.repair_after = std::chrono::seconds(30 + random() % 300);
      cluster c(limits, static_cast<std::uint8_t>(3 + random() % 6));
      std::map<std::uint32_t, std::uint32_t> made; ///< Session to chunks.
      std::set<std::uint32_t> removed;
      for (int step = 0; step < 600; ++step) {
        switch (random() % 10) {
          case 0:
          case 1: {
            auto s = static_cast<std::uint32_t>(random() % 6);
            if (removed.contains(s)) break;
            auto more = static_cast<std::uint32_t>(random() % 4);
            c.core.set_session(session_of(s), random() % 4 == 0 ? completed : recording);
            c.core.add_chunks(session_of(s), chunks(s, made[s], made[s] + more));
            made[s] += more;
            break;
          }
          case 2: {
            auto& h = std::next(c.holders.begin(), static_cast<long>(random() % c.holders.size()))->second;
            h.up = !h.up;
            if (h.up && random() % 4 == 0) { // Its disk was replaced.
              h.has.clear();
              h.news.clear();
            }
            c.tell();
            break;
          }
          case 3: c.now += std::chrono::seconds(random() % 60); c.tell(); break;
          case 4:
            if (step > 300 && random() % 10 == 0 && !made.empty()) {
              auto s = made.begin()->first;
              c.core.remove_session(session_of(s));
              made.erase(s);
              removed.insert(s);
            }
            break;
          default:
            c.gather();
            if (c.under_way.empty()) break;
            std::swap(c.under_way.front(), c.under_way[random() % c.under_way.size()]);
            auto a = std::move(c.under_way.front());
            c.under_way.pop_front();
            c.answer(a, random() % 8 == 0, random() % 8 == 0);
        }
      }
      for (auto& [id, h] : c.holders) h.up = true;
      c.tell();
      for (int i = 0; i < 30; ++i) {
        c.settle();
        c.now += 61s;
        c.tell();
      }
      auto copies = std::min<std::size_t>(limits.copies, c.holders.size());
      for (auto& [s, count] : made)
        for (std::uint32_t i = 0; i < count; ++i) BOOST_REQUIRE(c.holders_of(s, i).size() >= copies);
      for (auto& [id, h] : c.holders)
        for (auto& [s, news] : h.news)
          if (c.core.holds_any(id, s)) BOOST_REQUIRE((news == *c.core.news_of(s)));
      auto status = c.core.status();
      BOOST_TEST(status.in_flight == 0u);
      BOOST_TEST(status.without_copy_count == 0u);
    }
  }
}
