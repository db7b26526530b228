// tests/unit/standby_core_tests.cpp - lost recorders are stood in for, once, by whoever may; those that are up are not.
#define BOOST_TEST_MODULE standby_core
#include <boost/test/unit_test.hpp>

#include <set>

#include "actors/recorder/standby_core.hpp"
#include "tests/unit/standby_fixture.hpp"

using namespace lucid;
using namespace lucid::standby_action;
using namespace lucid::testing;
using namespace std::chrono_literals;

namespace {

template <class Action>
std::vector<Action> only(const std::vector<standby_command>& all) {
  std::vector<Action> found;
  for (auto& one : all)
    if (auto* action = std::get_if<Action>(&one)) found.push_back(*action);
  return found;
}

/// The core of node 2, which knows of session 1 on node 1, and whose clock the test moves.
struct stand_in {
  standby_core core{{node(2), 500ms}};
  standby_core::time now = 10s;
  bool lease = true;
  std::vector<standby_member> others{member(1), member(3)};

  stand_in() { look(); }
  void look() { core.set_members(others, lease, now); }
  void set(standby_member m) {
    for (auto& one : others)
      if (one.id == m.id) one = m;
    look();
  }
  std::vector<standby_command> after(standby_core::time by) {
    now += by;
    look();
    return core.next(now, wall(now));
  }
  outcome<standby_status> put(const standby_plan& p) { return core.put(p, now, wall(now)); }
  start lose_and_start() {
    BOOST_REQUIRE(put(plan(1, 1)).has_value());
    set(member(1, false));
    auto starts = only<start>(after(1s));
    BOOST_REQUIRE(starts.size() == 1);
    return starts[0];
  }
  void begin(const start& action, std::uint8_t own) {
    session_summary summary;
    summary.id = session(own);
    summary.created_us = wall(now);
    core.started(action, summary);
  }
};

} // namespace

// --- what others can see, and how it is called ----------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(only_what_another_node_sees_is_told) {
  auto seen = [](const char* text) { return is_seen_by_others(parse_source_url(text).value()); };
  BOOST_TEST(seen("rdp://admin@10.0.0.5"));
  BOOST_TEST(seen("rdp://desk.example:3390"));
  BOOST_TEST(seen("generator:seed=1"));
  BOOST_TEST(!seen("x11://:0"));
  BOOST_TEST(!seen("file:/tmp/a.mkv"));
  BOOST_TEST(!seen("-"));
  BOOST_TEST(!seen("rdp://localhost:3390"));
  BOOST_TEST(!seen("rdp://127.0.0.1"));
  BOOST_TEST(!seen("rdp://[::1]"));
}

BOOST_AUTO_TEST_CASE(the_title_says_where_it_goes_on_from_and_does_not_grow) {
  auto first = continued_title("desk", session(0xab), "pi-1");
  BOOST_TEST(first == "desk (goes on from abababababab on pi-1)");
  BOOST_TEST(continued_title(first, session(0xcd), "pi-2") == "desk (goes on from cdcdcdcdcdcd on pi-2)");
  auto bare = continued_title("", session(0xab), "pi-1");
  BOOST_TEST(bare == "(goes on from abababababab on pi-1)");
  BOOST_TEST(continued_title(bare, session(0xcd), "pi-2") == "(goes on from cdcdcdcdcdcd on pi-2)");
  auto alike = continued_title("a (goes on from here)", session(0xab), "pi-1"); // Not of its making.
  BOOST_TEST(alike == "a (goes on from here) (goes on from abababababab on pi-1)");
}

BOOST_AUTO_TEST_CASE(a_long_title_is_cut_between_characters) {
  for (std::size_t length = 150; length <= 200; ++length) {
    std::string title(length % 3, 'x');
    while (title.size() + 3 <= length) title += "\xe2\x82\xac"; // A character of three bytes.
    auto shown = continued_title(title, session(0xab), std::string(63, 'n'));
    BOOST_TEST(shown.size() <= 200u);
    BOOST_TEST(shown.size() > 195u);
    auto end = shown.find(" (goes");
    BOOST_REQUIRE(end != std::string::npos);
    BOOST_TEST((end - length % 3) % 3 == 0u); // No part of a character.
  }
}

BOOST_AUTO_TEST_CASE(a_plan_out_of_bounds_is_refused) {
  BOOST_TEST(check_plan(plan(1, 1)).has_value());
  auto refused = [](auto change) {
    auto p = plan(1, 1);
    change(p);
    return !check_plan(p);
  };
  BOOST_TEST(refused([](auto& p) { p.wish.what.source = "nonsense"; }));
  BOOST_TEST(refused([](auto& p) { p.wish.what.source = "x11://:0"; }));
  BOOST_TEST(refused([](auto& p) { p.wish.what.username.assign(257, 'u'); }));
  BOOST_TEST(refused([](auto& p) { p.wish.what.password.assign(1025, 'p'); }));
  BOOST_TEST(refused([](auto& p) { p.wish.what.encoder.assign(65, 'e'); }));
  BOOST_TEST(refused([](auto& p) { p.wish.what.width = 63; }));
  BOOST_TEST(refused([](auto& p) { p.wish.what.height = 8193; }));
  BOOST_TEST(refused([](auto& p) { p.wish.what.frame_rate_max = 0; }));
  BOOST_TEST(refused([](auto& p) { p.wish.what.quality = 52; }));
  BOOST_TEST(refused([](auto& p) { p.wish.policy.title.assign(201, 't'); }));
  BOOST_TEST(refused([](auto& p) { p.wish.policy.owner.assign(201, 'o'); }));
  BOOST_TEST(refused([](auto& p) { p.wish.policy.recipients.clear(); }));
  BOOST_TEST(refused([](auto& p) { p.wish.policy.recipients.resize(65); }));
  BOOST_TEST(refused([](auto& p) { p.created_us = -1; }));
}

// --- standing in ----------------------------------------------------------------------------------------------------

BOOST_FIXTURE_TEST_CASE(a_lost_recorder_is_stood_in_for_once, stand_in) {
  auto action = lose_and_start();
  BOOST_TEST(action.recorder_name == "pi-1");
  BOOST_TEST(action.wish.what.source == "rdp://admin@10.0.0.5");
  BOOST_TEST(action.wish.what.username == "operator");
  BOOST_TEST(action.wish.what.password.empty());
  BOOST_REQUIRE(core.password_of(action));
  BOOST_TEST(*core.password_of(action) == "secret");
  BOOST_TEST(action.wish.policy.title == continued_title("desk", session(1), "pi-1"));
  BOOST_TEST(action.wish.policy.owner == "anna");
  BOOST_TEST((action.wish.policy.recipients == plan(1, 1).wish.policy.recipients));
  BOOST_TEST(action.wish.policy.length_seconds_max == 0u);
  for (int i = 0; i < 100; ++i) BOOST_TEST(only<start>(after(1s)).empty()); // Under way.
  begin(action, 9);
  BOOST_TEST(!core.password_of(action));
  BOOST_TEST(core.counts().standing_in == 1u);
  for (int i = 0; i < 100; ++i) BOOST_TEST(only<start>(after(1s)).empty());
  core.end_session(session(9)); // It came to its end, and the recorder is still away.
  for (int i = 0; i < 100; ++i) BOOST_TEST(only<start>(after(1s)).empty());
}

BOOST_FIXTURE_TEST_CASE(never_without_the_lease, stand_in) {
  lease = false;
  BOOST_TEST(put(plan(1, 1)).has_value());
  set(member(1, false));
  for (int i = 0; i < 1000; ++i) BOOST_TEST(only<start>(after(1s)).empty());
  lease = true;
  BOOST_TEST(only<start>(after(250ms)).size() == 1u); // However long ago it was lost.
}

BOOST_FIXTURE_TEST_CASE(never_while_the_recorder_is_up_nor_in_the_moment_in_which_a_link_is_made_anew, stand_in) {
  BOOST_TEST(put(plan(1, 1)).has_value());
  for (int i = 0; i < 20; ++i) {
    BOOST_TEST(only<start>(after(250ms)).empty());
    set(member(1, false));
    BOOST_TEST(only<start>(after(250ms)).empty());
    BOOST_TEST(only<start>(after(249ms)).empty());
    set(member(1, true, static_cast<std::uint64_t>(i) + 2));
    BOOST_TEST(put(plan(1, 1)).has_value());
  }
}

BOOST_FIXTURE_TEST_CASE(what_cannot_be_begun_is_tried_again_with_growing_pauses, stand_in) {
  auto action = lose_and_start();
  std::size_t attempts = 0;
  auto at = now;
  for (standby_core::time pause = 250ms; pause <= 30s; pause *= 2, ++attempts) {
    core.not_started(action, false, now);
    at = now;
    std::vector<start> again;
    while ((again = only<start>(after(50ms))).empty()) BOOST_REQUIRE((now - at < 31s));
    BOOST_TEST((now - at >= pause));
    action = again[0];
  }
  BOOST_TEST(attempts > 5u);
  core.not_started(action, true, now); // Of no use.
  for (int i = 0; i < 100; ++i) BOOST_TEST(only<start>(after(1s)).empty());
}

BOOST_FIXTURE_TEST_CASE(a_recorder_that_is_back_before_it_was_begun_anew_is_left_alone, stand_in) {
  auto action = lose_and_start();
  core.not_started(action, false, now);
  set(member(1, true, 2));
  for (int i = 0; i < 100; ++i) BOOST_TEST(only<start>(after(1s)).empty());
}

BOOST_FIXTURE_TEST_CASE(ours_ends_when_the_recorder_still_records, stand_in) {
  begin(lose_and_start(), 9);
  set(member(1, true, 2));
  BOOST_TEST(only<stop>(after(250ms)).empty()); // It is up, and has not said so yet.
  BOOST_TEST(put(plan(1, 1)).has_value());
  auto stops = only<stop>(after(250ms));
  BOOST_REQUIRE(stops.size() == 1);
  BOOST_TEST((stops[0].own == session(9)));
  BOOST_TEST(stops[0].reason == "pi-1 records again");
  BOOST_TEST(only<stop>(after(10s)).empty()); // Under way.
  core.not_stopped(stops[0], now);
  stops = only<stop>(after(1s));
  BOOST_REQUIRE(stops.size() == 1);
  core.stopped(stops[0]);
  core.end_session(session(9));
  BOOST_TEST(only<stop>(after(1s)).empty());
  set(member(1, false)); // Lost again: another case of it.
  BOOST_TEST(only<start>(after(1s)).size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(ours_ends_also_when_the_recorder_was_back_while_it_was_begun, stand_in) {
  auto action = lose_and_start();
  set(member(1, true, 2));
  BOOST_TEST(put(plan(1, 1)).has_value());
  begin(action, 9);
  auto stops = only<stop>(after(250ms));
  BOOST_REQUIRE(stops.size() == 1);
  BOOST_TEST((stops[0].own == session(9)));
}

BOOST_FIXTURE_TEST_CASE(ours_goes_on_when_the_recorder_comes_back_without_it, stand_in) {
  begin(lose_and_start(), 9);
  set(member(1, true, 2));
  for (int i = 0; i < 40; ++i) BOOST_TEST(only<stop>(after(1s)).empty());
  BOOST_TEST(core.counts().plans == 0u); // And the plan is forgotten:
  set(member(1, false));
  for (int i = 0; i < 100; ++i) BOOST_TEST(only<start>(after(1s)).empty());
}

BOOST_FIXTURE_TEST_CASE(a_plan_of_which_a_recorder_that_is_up_says_nothing_is_forgotten, stand_in) {
  BOOST_TEST(put(plan(1, 1)).has_value());
  after(25s);
  BOOST_TEST(put(plan(1, 1)).has_value());
  after(25s);
  BOOST_TEST(core.counts().plans == 1u);
  after(5s);
  BOOST_TEST(core.counts().plans == 0u);
}

BOOST_FIXTURE_TEST_CASE(what_is_dropped_is_not_begun_and_what_was_begun_goes_on, stand_in) {
  BOOST_TEST(put(plan(1, 1)).value().plan_count == 1u);
  BOOST_TEST(put(plan(1, 2)).value().plan_count == 2u);
  BOOST_TEST(core.drop({node(1), session(1)}).plan_count == 1u);
  BOOST_TEST(core.drop({node(1), session(1)}).plan_count == 1u);
  set(member(1, false));
  auto starts = only<start>(after(1s));
  BOOST_REQUIRE(starts.size() == 1);
  BOOST_TEST((starts[0].instead_of.session == session(2)));
  core.drop({node(1), session(2)}); // While it is begun.
  begin(starts[0], 9);
  auto running = core.sessions();
  BOOST_TEST((running == std::vector{session(9)}));
  BOOST_TEST(only<stop>(after(1s)).empty());
}

BOOST_FIXTURE_TEST_CASE(plans_of_a_removed_recorder_go, stand_in) {
  BOOST_TEST(put(plan(1, 1)).has_value());
  others = {member(3)};
  for (int i = 0; i < 10; ++i) BOOST_TEST(only<start>(after(1s)).empty());
  BOOST_TEST(core.counts().plans == 0u);
  BOOST_TEST((put(plan(1, 1)).error().code == errc::permission_denied));
  BOOST_TEST((put(plan(2, 1)).error().code == errc::permission_denied)); // This node itself.
}

BOOST_FIXTURE_TEST_CASE(a_member_that_may_not_record_has_no_plans, stand_in) {
  others[0].may_record = false;
  look();
  BOOST_TEST((put(plan(1, 1)).error().code == errc::permission_denied));
}

BOOST_FIXTURE_TEST_CASE(the_length_that_is_left_is_recorded, stand_in) {
  BOOST_TEST(put(plan(1, 1, 100)).has_value());
  BOOST_TEST(put(plan(1, 2, 11)).has_value());
  BOOST_TEST(put(plan(1, 3, 10)).value().plan_count == 2u); // It is 10 s: over already.
  BOOST_TEST(put(plan(1, 4, 0)).has_value());
  set(member(1, false));
  auto starts = only<start>(after(999ms));
  BOOST_REQUIRE(starts.size() == 3);
  BOOST_TEST(starts[0].wish.policy.length_seconds_max == 90u);
  BOOST_TEST(starts[1].wish.policy.length_seconds_max == 1u);
  BOOST_TEST(starts[2].wish.policy.length_seconds_max == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_plan_whose_length_is_over_is_not_begun, stand_in) {
  lease = false;
  BOOST_TEST(put(plan(1, 1, 60)).has_value());
  set(member(1, false));
  after(60s);
  lease = true;
  BOOST_TEST(only<start>(after(1s)).empty());
  BOOST_TEST(core.counts().plans == 0u);
}

BOOST_FIXTURE_TEST_CASE(plans_are_bounded, stand_in) {
  for (std::uint8_t i = 0; i < standby_plans_max; ++i) BOOST_TEST(put(plan(1, i)).has_value());
  BOOST_TEST((put(plan(1, 200)).error().code == errc::limit_exceeded));
  BOOST_TEST(put(plan(1, 5)).has_value()); // Known already.
  for (std::uint8_t n = 4; n < 40; ++n) others.push_back(member(n));
  look();
  std::size_t kept = core.counts().plans;
  for (std::uint8_t n = 3; n < 40; ++n)
    for (std::uint8_t i = 0; i < standby_plans_max; ++i) kept += put(plan(n, i)).has_value() ? 1 : 0;
  BOOST_TEST(kept == standby_plans_all_max);
  BOOST_TEST(core.counts().plans == standby_plans_all_max);
}

// --- telling --------------------------------------------------------------------------------------------------------

BOOST_FIXTURE_TEST_CASE(all_who_may_record_are_told_and_told_again_when_they_were_away, stand_in) {
  others.push_back(member(4));
  others[2].may_record = false;
  BOOST_TEST(core.set_session(plan(2, 1)));
  auto tells = only<tell>(after(250ms));
  BOOST_REQUIRE(tells.size() == 2);
  BOOST_TEST((tells[0].to == node(1)));
  BOOST_TEST((tells[1].to == node(3)));
  BOOST_TEST(!tells[0].drop);
  BOOST_TEST(core.plan_to_tell(tells[0].what)->wish.what.password == "secret");
  for (auto& one : tells) core.told(one, now);
  BOOST_TEST(core.counts().told == 2u);
  BOOST_TEST(only<tell>(after(9s)).empty());
  set(member(3, false));
  BOOST_TEST(only<tell>(after(250ms)).empty());
  set(member(3, true, 2)); // Another incarnation, or another way to the same.
  tells = only<tell>(after(250ms));
  BOOST_REQUIRE(tells.size() == 1);
  BOOST_TEST((tells[0].to == node(3)));
  core.told(tells[0], now);
  BOOST_TEST(only<tell>(after(1s)).size() == 1u); // Node 1 hears it again after 10 s.
}

BOOST_FIXTURE_TEST_CASE(whoever_does_not_answer_is_asked_again_with_growing_pauses, stand_in) {
  set(member(3, false));
  BOOST_TEST(core.set_session(plan(2, 1)));
  auto tells = only<tell>(after(250ms));
  std::size_t attempts = 0;
  for (standby_core::time pause = 250ms; pause <= 30s; pause *= 2, ++attempts) {
    BOOST_REQUIRE(tells.size() == 1);
    core.not_told(tells[0], now);
    auto at = now;
    while ((tells = only<tell>(after(50ms))).empty()) BOOST_REQUIRE((now - at < 31s));
    BOOST_TEST((now - at >= pause));
  }
  BOOST_TEST(attempts > 5u);
  set(member(1, true, 2)); // What was asked over the old way is lost, and nobody waits for it.
  auto anew = only<tell>(after(0s));
  BOOST_REQUIRE(anew.size() == 1);
  core.told(tells[0], now);
  BOOST_TEST(core.counts().told == 0u);
  core.told(anew[0], now);
  BOOST_TEST(core.counts().told == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_few_asks_are_under_way_to_each_member, stand_in) {
  for (std::uint8_t i = 0; i < standby_plans_max; ++i) BOOST_TEST(core.set_session(plan(2, i)));
  BOOST_TEST(!core.set_session(plan(2, 200)));
  std::map<node_id, std::size_t> told;
  for (int round = 0; round < 100; ++round) {
    std::map<node_id, std::size_t> now_asked;
    for (auto& one : only<tell>(after(1ms))) {
      ++now_asked[one.to];
      core.told(one, now);
      ++told[one.to];
    }
    for (auto& [id, count] : now_asked) BOOST_TEST(count <= standby_asks_max);
  }
  BOOST_TEST(told[node(1)] == standby_plans_max);
  BOOST_TEST(told[node(3)] == standby_plans_max);
}

BOOST_FIXTURE_TEST_CASE(an_end_is_told_to_those_who_may_know_until_they_have_heard, stand_in) {
  set(member(3, false));
  BOOST_TEST(core.set_session(plan(2, 1)));
  auto tells = only<tell>(after(250ms));
  BOOST_REQUIRE(tells.size() == 1);
  core.end_session(session(1));
  BOOST_TEST(core.sessions().empty());
  BOOST_TEST(core.plan_to_tell(tells[0].what) == nullptr);
  core.told(tells[0], now); // That of the plan, which is not heard for the end.
  auto drops = only<tell>(after(250ms));
  BOOST_REQUIRE(drops.size() == 1);
  BOOST_TEST(drops[0].drop);
  BOOST_TEST((drops[0].to == node(1)));
  core.not_told(drops[0], now);
  drops = only<tell>(after(1s));
  BOOST_REQUIRE(drops.size() == 1);
  core.told(drops[0], now);
  set(member(3, true, 2));
  for (int i = 0; i < 20; ++i) BOOST_TEST(only<tell>(after(1s)).empty()); // Node 3 never heard of it.
}

BOOST_FIXTURE_TEST_CASE(ends_that_nobody_hears_are_bounded, stand_in) {
  for (int i = 0; i < 200; ++i) {
    BOOST_TEST(core.set_session(plan(2, static_cast<std::uint8_t>(i))));
    for (auto& one : only<tell>(after(250ms))) core.not_told(one, now);
    core.end_session(session(static_cast<std::uint8_t>(i)));
  }
  std::set<session_id> dropped;
  for (int i = 0; i < 1000; ++i)
    for (auto& one : only<tell>(after(250ms))) {
      dropped.insert(one.what.session);
      core.told(one, now);
    }
  BOOST_TEST(dropped.size() == standby_drops_max);
  BOOST_TEST(dropped.contains(session(199))); // The oldest gave way.
}

BOOST_FIXTURE_TEST_CASE(whoever_stands_in_tells_of_its_own_first_and_then_that_the_old_plan_is_done, stand_in) {
  begin(lose_and_start(), 9);
  auto tells = only<tell>(after(250ms));
  BOOST_REQUIRE(tells.size() == 1); // Node 3 alone: node 1 is away.
  BOOST_TEST((tells[0].what == standby_key{node(2), session(9)}));
  BOOST_TEST(core.plan_to_tell(tells[0].what)->wish.what.password == "secret");
  BOOST_TEST(core.plan_to_tell(tells[0].what)->wish.policy.title == continued_title("desk", session(1), "pi-1"));
  BOOST_TEST(only<tell>(after(250ms)).empty());
  core.told(tells[0], now);
  tells = only<tell>(after(250ms));
  BOOST_REQUIRE(tells.size() == 1);
  BOOST_TEST(tells[0].drop);
  BOOST_TEST((tells[0].what == standby_key{node(1), session(1)}));
  BOOST_TEST((tells[0].to == node(3)));
}

BOOST_FIXTURE_TEST_CASE(nobody_is_told_that_a_plan_is_done_once_its_recorder_is_back_with_it, stand_in) {
  begin(lose_and_start(), 9);
  set(member(1, true, 2));
  BOOST_TEST(put(plan(1, 1)).has_value());
  for (int i = 0; i < 20; ++i)
    for (auto& one : only<tell>(after(250ms))) {
      BOOST_TEST(!one.drop);
      core.told(one, now);
    }
}

// --- a recorder whose process ended, and is back ----------------------------------------------------------------------

BOOST_FIXTURE_TEST_CASE(a_plan_is_given_back_until_it_is_gone_on_with, stand_in) {
  standby_key key{node(1), session(1)};
  BOOST_TEST((core.give_back(key, now).error().code == errc::not_found));
  auto action = lose_and_start();
  BOOST_TEST((core.give_back(key, now).error().code == errc::wrong_state));
  core.not_started(action, false, now);
  auto back = core.give_back(key, now);
  BOOST_REQUIRE(back.has_value());
  BOOST_TEST((*back)->wish.what.password == "secret");
  auto again = only<start>(after(1s)); // It is not back yet: others may still have to.
  BOOST_REQUIRE(again.size() == 1);
  begin(again[0], 9);
  BOOST_TEST((core.give_back(key, now).error().code == errc::wrong_state));
}

BOOST_FIXTURE_TEST_CASE(a_session_that_goes_on_from_another_takes_its_place, stand_in) {
  BOOST_REQUIRE(put(plan(1, 1)).has_value());
  auto next = plan(1, 2);
  next.goes_on_from = session(1);
  BOOST_REQUIRE(put(next).has_value());
  BOOST_TEST(core.counts().plans == 1u);
  set(member(1, false));
  auto starts = only<start>(after(1s));
  BOOST_REQUIRE(starts.size() == 1);
  BOOST_TEST((starts[0].instead_of.session == session(2)));
}

BOOST_FIXTURE_TEST_CASE(a_stand_in_ends_when_its_recorder_goes_on_by_itself, stand_in) {
  for (bool during_start : {false, true}) {
    std::uint8_t own = during_start ? 19 : 9;
    std::uint8_t old = during_start ? 11 : 1;
    set(member(1, true));
    BOOST_REQUIRE(put(plan(1, old)).has_value());
    set(member(1, false));
    auto starts = only<start>(after(1s));
    BOOST_REQUIRE(starts.size() == 1);
    if (!during_start) begin(starts[0], own);
    set(member(1, true, during_start ? 3 : 2));
    auto next = plan(1, static_cast<std::uint8_t>(old + 1));
    next.goes_on_from = session(old);
    BOOST_REQUIRE(put(next).has_value());
    if (during_start) begin(starts[0], own);
    auto stops = only<stop>(after(1s));
    BOOST_REQUIRE(stops.size() == 1);
    BOOST_TEST((stops[0].own == session(own)));
    core.stopped(stops[0]);
    core.end_session(session(own));
    BOOST_REQUIRE(put(next).has_value()); // As it is told again and again.
    set(member(1, false));
    starts = only<start>(after(1s));
    BOOST_REQUIRE(starts.size() == 1); // Of what goes on, and not of what it goes on from.
    BOOST_TEST((starts[0].instead_of.session == next.session));
    core.not_started(starts[0], true, now);
    core.drop(starts[0].instead_of);
  }
}
