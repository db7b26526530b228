// tests/unit/lease_tests.cpp - leases, their messages and placement, step by step. Faults: tests/simulation.
#define BOOST_TEST_MODULE lease
#include <boost/test/unit_test.hpp>

#include "actors/mesh/cluster_state.hpp"
#include "actors/mesh/lease_codec.hpp"
#include "actors/mesh/lease_core.hpp"
#include "actors/mesh/placement_core.hpp"

namespace {

using namespace lucid;

std::string numbered(std::string text, std::size_t number) { // "text" + std::to_string: -Wrestrict of gcc 12.
  text.append(std::to_string(number));
  return text;
}
using namespace std::chrono_literals;
using moment = lease_core::time;

const lease_name seal{"seal", 0};
node_id node(std::uint8_t number) { return node_id{number}; }

/// Stands still until it is set.
struct still_clock final : clock_port {
  unix_time_us wall_us() const override { return 0; }
  std::chrono::nanoseconds monotonic() const override { return now; }
  std::chrono::nanoseconds now{};
};

lease_core core_of(std::uint8_t number, moment now = 0s, const std::vector<lease_promise>& on_disk = {}) {
  lease_core core({node(number), 100u + number, 2s, 500ms}, on_disk, now);
  auto none = core.set_members(1, {node(1), node(2), node(3)}, now);
  BOOST_TEST(none.messages.empty());
  return core;
}
lease_message ask(std::uint64_t number, std::uint64_t incarnation = 900, std::uint64_t version = 1) {
  return {incarnation, 1, version, {{seal, number, false}}, {}, {}};
}
/// The answer to it, once what has to be on disk is there.
std::optional<lease_answer> answer_to(lease_core& core, std::uint8_t from, const lease_message& message, moment now) {
  auto out = core.heard(node(from), message, now);
  if (!out.promises.empty()) {
    BOOST_TEST(out.messages.empty()); // Not before.
    out = core.persisted(out.promises, true, now);
  }
  if (out.messages.empty()) return std::nullopt;
  BOOST_REQUIRE(out.messages.size() == 1u && out.messages[0].message.answers.size() == 1u);
  BOOST_CHECK(out.messages[0].to == node(from));
  return out.messages[0].message.answers[0];
}
lease_verdict verdict_of(lease_core& core, std::uint8_t from, const lease_message& message, moment now) {
  auto answer = answer_to(core, from, message, now);
  BOOST_REQUIRE(answer.has_value());
  return answer->verdict;
}
errc code_of(auto&& refused) {
  BOOST_REQUIRE(!refused.has_value());
  return refused.error().code;
}
lease_message full_message() {
  lease_message m{1, 2, 3, {}, {}, {}};
  for (std::size_t r = 0; r < lease_roles_max; ++r)
    for (std::uint32_t p = 0; p < lease_places_max; ++p) {
      lease_name lease{std::string(lease_role_bytes_max - 1, 'x') + static_cast<char>('a' + r), p};
      m.asks.push_back({lease, r + 1, p % 2 == 0});
      m.releases.push_back({lease, lease_number_max});
      m.answers.push_back({lease, lease_verdict_last, 1, 0, ~0ull, ~0ull});
    }
  return m;
}

/// Sees to it that "holder 2 of 3" is a fact: node 1 holds seal 0 by its own grant and that of node 2.
lease_core holder(moment now, std::uint64_t& fence) {
  auto core = core_of(1, now);
  BOOST_REQUIRE(core.wish(seal, true, now).has_value());
  auto out = core.tick(now);
  BOOST_REQUIRE(out.messages.size() == 2u && out.promises.size() == 1u);
  auto asked = out.messages[0].message;
  auto done = core.persisted(out.promises, true, now);
  BOOST_TEST(done.events.empty()); // One of three is no majority.
  lease_answer granted{seal, lease_verdict::granted, asked.asks[0].number, 1, asked.incarnation, asked.sequence};
  lease_message says{7, 1, 1, {}, {}, {granted}};
  auto gained = core.heard(node(2), says, now + 10ms);
  BOOST_REQUIRE(gained.events.size() == 1u && gained.events[0].gained);
  fence = gained.events[0].fence;
  return core;
}

} // namespace

BOOST_TEST_DONT_PRINT_LOG_VALUE(lucid::errc)

BOOST_AUTO_TEST_CASE(the_grant_waits_for_the_disk) {
  auto core = core_of(1);
  auto out = core.heard(node(2), ask(1), 0s);
  BOOST_TEST(out.messages.empty());
  BOOST_REQUIRE(out.promises.size() == 1u);
  BOOST_CHECK(out.promises[0] == (lease_promise{seal, 1, node(2)}));
  auto failed = core.persisted(out.promises, false, 0s);
  BOOST_TEST(failed.messages.empty());
  BOOST_CHECK(verdict_of(core, 2, ask(1), 1s) == lease_verdict::granted);
}

BOOST_AUTO_TEST_CASE(one_holder_at_a_time_and_rising_numbers) {
  auto core = core_of(1);
  BOOST_CHECK(verdict_of(core, 2, ask(5), 0s) == lease_verdict::granted);
  BOOST_CHECK(verdict_of(core, 3, ask(6), 1s) == lease_verdict::held);
  BOOST_CHECK(verdict_of(core, 2, ask(5), 1s) == lease_verdict::granted); // Renewed until 3 s.
  BOOST_CHECK(verdict_of(core, 3, ask(6), 2999ms) == lease_verdict::held);
  auto stale = answer_to(core, 3, ask(5), 3s);
  BOOST_CHECK(stale->verdict == lease_verdict::stale);
  BOOST_TEST(stale->highest == 5u);
  BOOST_CHECK(verdict_of(core, 3, ask(6), 3s) == lease_verdict::granted);
  BOOST_CHECK(verdict_of(core, 2, ask(5), 9s) == lease_verdict::stale);
}

BOOST_AUTO_TEST_CASE(a_member_that_started_again_is_quiet_for_a_lease_time) {
  auto core = core_of(1, 100s, {{seal, 5, node(2)}});
  BOOST_CHECK(verdict_of(core, 3, ask(6), 101s) == lease_verdict::quiet);
  BOOST_CHECK(verdict_of(core, 2, ask(5), 101s) == lease_verdict::granted); // Whom it granted goes on.
  auto other = core_of(1, 100s, {{seal, 5, {}}});
  BOOST_CHECK(verdict_of(other, 2, ask(5), 101s) == lease_verdict::stale);
  BOOST_CHECK(verdict_of(other, 3, ask(6), 102s) == lease_verdict::granted);
  auto fresh = core_of(1, 100s);
  BOOST_CHECK(verdict_of(fresh, 3, ask(1), 100s) == lease_verdict::granted);
}

BOOST_AUTO_TEST_CASE(a_release_counts_once_and_only_from_the_holder) {
  auto core = core_of(1);
  BOOST_CHECK(verdict_of(core, 2, ask(5), 0s) == lease_verdict::granted);
  auto release = [&](std::uint8_t from, std::uint64_t number, std::uint64_t incarnation) {
    (void)core.heard(node(from), {incarnation, 2, 1, {}, {{seal, number}}, {}}, 1s);
  };
  release(3, 5, 900), release(2, 4, 900), release(2, 5, 901);
  BOOST_CHECK(verdict_of(core, 3, ask(6), 1s) == lease_verdict::held);
  release(2, 5, 900);
  BOOST_CHECK(verdict_of(core, 2, ask(5), 1s) == lease_verdict::stale); // Late; it said it would not.
  BOOST_CHECK(verdict_of(core, 3, ask(6), 1s) == lease_verdict::granted);
}

BOOST_AUTO_TEST_CASE(those_who_are_no_members_or_behind_get_nothing) {
  auto core = core_of(1);
  BOOST_TEST(!answer_to(core, 9, ask(1), 0s).has_value());
  (void)core.set_members(2, {node(1), node(2)}, 0s);
  BOOST_TEST(!answer_to(core, 3, ask(1), 0s).has_value());
  BOOST_CHECK(verdict_of(core, 2, ask(1), 0s) == lease_verdict::behind);
  BOOST_CHECK(verdict_of(core, 2, ask(1, 900, 2), 0s) == lease_verdict::granted);
}

BOOST_AUTO_TEST_CASE(a_majority_holds_for_a_tenth_less_than_the_lease_time_from_the_asking) {
  std::uint64_t fence = 0;
  auto core = holder(10s, fence);
  BOOST_TEST(fence == 1u);
  auto held = core.held(seal, 10s + 1799ms);
  BOOST_REQUIRE(held.has_value());
  BOOST_TEST(held->fence == fence);
  BOOST_CHECK(held->until == 10s + 1800ms);
  BOOST_TEST(!core.held(seal, 10s + 1800ms).has_value());
  auto view = core.view(10s + 100ms);
  BOOST_REQUIRE(view.size() == 1u);
  BOOST_CHECK(view[0].holder == node(1));
  auto out = core.tick(10s + 1800ms);
  BOOST_REQUIRE(out.events.size() == 1u);
  BOOST_CHECK(!out.events[0].gained && out.events[0].loss == lease_loss::expired);
}

BOOST_AUTO_TEST_CASE(whoever_lost_a_lease_and_hears_nobody_lets_others_have_it) {
  std::uint64_t fence = 0;
  auto core = holder(0s, fence);
  auto asks_at = [&](moment now) {
    std::size_t count = 0;
    for (auto& letter : core.tick(now).messages) count += letter.message.asks.size();
    return count;
  };
  for (auto now = 500ms; now < 1800ms; now += 500ms) BOOST_TEST(asks_at(now) > 0u); // It may be that answers are on their way.
  auto given_up = core.tick(1800ms); // Deaf, it may still be heard: nobody has to wait for its grants to run out.
  BOOST_REQUIRE(given_up.events.size() == 1u && given_up.messages.size() == 2u);
  for (auto& letter : given_up.messages) BOOST_CHECK(letter.message.releases == std::vector<lease_release>({{seal, fence}}));
  for (auto now = 1800ms; now < 3800ms; now += 100ms) BOOST_TEST(asks_at(now) == 0u, now.count() << " ms");
  std::size_t later = 0;
  for (auto now = 3800ms; now < 4400ms; now += 100ms) later += asks_at(now);
  BOOST_TEST(later > 0u); // Nobody else may want it.
  later = 0;

  core = holder(0s, fence);
  BOOST_TEST(asks_at(1800ms) == 0u);
  (void)core.heard(node(3), {7, 1, 1, {}, {}, {}}, 1900ms); // Not deaf: it was slow for a while, or they were.
  for (auto now = 1900ms; now < 2600ms; now += 100ms) later += asks_at(now);
  BOOST_TEST(later > 0u);
}

BOOST_AUTO_TEST_CASE(what_a_node_lost_it_does_not_show_as_its_own) {
  std::uint64_t fence = 0;
  auto core = holder(10s, fence);
  BOOST_TEST(core.tick(10s + 1700ms).messages[0].message.asks[0].held); // Its own word, which nobody confirms.
  BOOST_TEST(core.view(10s + 1799ms).size() == 1u);
  BOOST_TEST(core.view(10s + 1800ms).empty());
}

BOOST_AUTO_TEST_CASE(leases_that_are_shown_age_by_themselves) {
  still_clock clock;
  clock.now = 1h;
  cluster_state state(clock);
  cluster_view view;
  view.name = "home";
  view.leases = {{"seal", 0, node(1), 4, 1800}, {"seal", 1, node(2), 7, 900}};
  state.show(view);
  BOOST_TEST(state.view().leases.size() == 2u);
  clock.now += 899ms + 1us;
  auto later = state.view();
  BOOST_REQUIRE(later.leases.size() == 1u);
  BOOST_TEST(later.leases[0].remaining_ms == 900);
  BOOST_TEST(later.leases[0].fence == 4u);
  clock.now += 900ms;
  BOOST_TEST(state.view().leases.empty());
  BOOST_TEST(state.view().name == "home");
}

BOOST_AUTO_TEST_CASE(an_answer_counts_from_its_own_asking) {
  std::uint64_t fence = 0;
  auto core = holder(10s, fence);
  auto renewal = core.tick(10s + 500ms);
  BOOST_REQUIRE(renewal.messages.size() == 2u);
  auto& asked = renewal.messages[0].message;
  BOOST_TEST(asked.asks[0].held);
  lease_answer granted{seal, lease_verdict::granted, fence, fence, asked.incarnation, asked.sequence - 1};
  (void)core.heard(node(3), {7, 1, 1, {}, {}, {granted}}, 11s); // To the first asking, and late.
  BOOST_CHECK(core.held(seal, 11s)->until == 10s + 1800ms + 0ms);
  granted.sequence = asked.sequence;
  (void)core.heard(node(3), {7, 2, 1, {}, {}, {granted}}, 11s);
  BOOST_CHECK(core.held(seal, 11s)->until == 10s + 2300ms);
  granted.sequence = asked.sequence + 1;
  granted.incarnation = asked.incarnation + 1;
  (void)core.heard(node(2), {7, 3, 1, {}, {}, {granted}}, 11s); // Of an earlier life.
  BOOST_CHECK(core.held(seal, 11s)->until == 10s + 2300ms);
}

BOOST_AUTO_TEST_CASE(handing_back_ends_it_at_once_for_everybody) {
  std::uint64_t fence = 0;
  auto core = holder(0s, fence);
  auto out = core.wish(seal, false, 1s);
  BOOST_REQUIRE(out.has_value());
  BOOST_REQUIRE(out->events.size() == 1u);
  BOOST_CHECK(out->events[0].loss == lease_loss::released);
  BOOST_TEST(!core.held(seal, 1s).has_value());
  BOOST_REQUIRE(out->messages.size() == 2u);
  BOOST_CHECK(out->messages[0].message.releases == (std::vector{lease_release{seal, fence}}));
  BOOST_TEST(core.tick(2s).messages.empty());
  BOOST_CHECK(verdict_of(core, 2, ask(fence + 1), 1s) == lease_verdict::granted);
}

BOOST_AUTO_TEST_CASE(a_removed_node_holds_nothing) {
  std::uint64_t fence = 0;
  auto core = holder(0s, fence);
  auto out = core.set_members(2, {node(2), node(3)}, 1s);
  BOOST_REQUIRE(out.events.size() == 1u);
  BOOST_CHECK(out.events[0].loss == lease_loss::removed);
  BOOST_TEST(!core.held(seal, 1s).has_value());
  BOOST_TEST(core.tick(2s).messages.empty());
}

BOOST_AUTO_TEST_CASE(a_larger_list_needs_a_larger_majority) {
  std::uint64_t fence = 0;
  auto core = holder(0s, fence);
  auto out = core.set_members(2, {node(1), node(2), node(3), node(4)}, 1s);
  BOOST_TEST(!core.held(seal, 1s).has_value()); // Two of four.
  BOOST_TEST(out.events.size() == 1u);
}

BOOST_AUTO_TEST_CASE(members_that_are_not_known_yet_count) {
  std::uint64_t fence = 0;
  auto core = holder(0s, fence);
  BOOST_TEST(core.set_members(2, {node(1), node(2), node(3)}, 1s, 3).events.empty()); // Two of three.
  BOOST_TEST(core.held(seal, 1s).has_value());
  BOOST_TEST(core.set_members(2, {node(1), node(2), node(3)}, 1s, 5).events.size() == 1u); // Two of five.
  BOOST_TEST(!core.held(seal, 1s).has_value());
}

BOOST_AUTO_TEST_CASE(bad_and_too_many_leases_are_refused) {
  auto core = core_of(1);
  for (auto& bad : {lease_name{"", 0}, lease_name{"Seal", 0}, lease_name{"seal", lease_places_max},
                    lease_name{std::string(32, 'a'), 0}})
    BOOST_CHECK(code_of(core.wish(bad, true, 0s)) == errc::invalid_input);
  for (std::size_t i = 0; i < leases_max; ++i)
    BOOST_TEST(core.wish({numbered("r", i / 8), static_cast<std::uint32_t>(i % 8)}, true, 0s).has_value());
  BOOST_CHECK(code_of(core.wish({"one-more", 0}, true, 0s)) == errc::limit_exceeded);
  BOOST_TEST(!answer_to(core, 2, {9, 1, 1, {{{"another", 0}, 1, false}}, {}, {}}, 0s).has_value());
}

// Messages.

BOOST_AUTO_TEST_CASE(lease_messages_have_one_encoding) {
  for (auto& message : {lease_message{}, ask(1), full_message()}) {
    auto bytes = encode_lease_message(message);
    BOOST_TEST(bytes.size() <= lease_message_bytes_max);
    auto read = decode_lease_message(bytes);
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST(encode_lease_message(*read) == bytes);
    for (std::size_t size = 0; size < bytes.size(); size += bytes.size() > 1000 ? 101 : 1)
      BOOST_CHECK(code_of(decode_lease_message(byte_view(bytes).first(size))) == errc::truncated);
    bytes.push_back(0);
    BOOST_CHECK(code_of(decode_lease_message(bytes)) == errc::invalid_input);
  }
  BOOST_CHECK(decode_lease_message(encode_lease_message(full_message())).value() == full_message());
}

BOOST_AUTO_TEST_CASE(what_no_encoder_writes_is_refused) {
  auto bytes = encode_lease_message(ask(1));
  auto changed = [&](std::size_t at, std::uint8_t to) {
    auto copy = bytes;
    copy.at(at) = to;
    return code_of(decode_lease_message(copy));
  };
  BOOST_CHECK(changed(0, 2) == errc::unsupported);
  BOOST_CHECK(changed(25, 129) == errc::invalid_input); // 129 asks.
  BOOST_CHECK(changed(26, 32) == errc::invalid_input);  // A role of 32 letters.
  BOOST_CHECK(changed(27, 'S') == errc::invalid_input);
  BOOST_CHECK(changed(31, 8) == errc::invalid_input);   // Place 8.
  BOOST_CHECK(changed(32, 0) == errc::invalid_input);   // Number 0.
  BOOST_CHECK(changed(39, 0xff) == errc::invalid_input);
  BOOST_CHECK(changed(40, 2) == errc::invalid_input);   // Neither held nor not.
  lease_message twice = ask(1);
  twice.asks.push_back(twice.asks[0]);
  BOOST_CHECK(code_of(decode_lease_message(encode_lease_message(twice))) == errc::invalid_input);
  BOOST_CHECK(code_of(decode_lease_message(byte_buffer(lease_message_bytes_max + 1, 1))) == errc::limit_exceeded);
}

// Placement.

namespace {

struct scene {
  std::vector<placement_member> members;
  std::vector<lease_view> held;

  scene() {
    for (std::uint8_t i = 1; i <= 3; ++i) members.push_back({node(i), numbered("pi-", i), true, -1000s});
  }
  void hold(std::uint32_t place, std::uint8_t by) { held.push_back({"seal", place, node(by), 1, 1000}); }
};

placement_core placed(std::uint8_t number, std::vector<std::string> order, std::uint32_t count = 1) {
  placement_core core({node(number), 500ms, 30s});
  BOOST_REQUIRE(core.set_rules({{"seal", std::move(order), count}}).has_value());
  return core;
}
/// The places wanted.
std::vector<std::uint32_t> wanted(placement_core& core, const scene& s, moment now) {
  std::vector<std::uint32_t> out;
  for (auto& w : core.decide(s.members, s.held, now))
    if (w.wanted) out.push_back(w.lease.place);
  return out;
}
using places = std::vector<std::uint32_t>;

} // namespace

BOOST_AUTO_TEST_CASE(the_preferred_claims_first_the_others_later) {
  scene s;
  auto first = placed(2, {"pi-2", "*"}), second = placed(1, {"pi-2", "*"}), third = placed(3, {"pi-2", "*"});
  BOOST_TEST(wanted(first, s, 0s) == places{0});
  BOOST_TEST(wanted(second, s, 0s) == places{});
  BOOST_TEST(wanted(third, s, 0s) == places{});
  BOOST_TEST(wanted(second, s, 999ms) == places{});
  BOOST_TEST(wanted(second, s, 1s) == places{0});
  BOOST_TEST(wanted(third, s, 1s) == places{});
  s.members[1].up = false; // Then the next one is the preferred.
  auto other = placed(1, {"pi-2", "*"});
  BOOST_TEST(wanted(other, s, 0s) == places{0});
}

BOOST_AUTO_TEST_CASE(those_not_named_stay_out) {
  scene s;
  auto core = placed(1, {"pi-2"});
  BOOST_TEST(wanted(core, s, 0s) == places{});
  BOOST_TEST(wanted(core, s, 1000s) == places{});
  s.hold(0, 1);
  BOOST_TEST(wanted(core, s, 1000s) == places{});
}

BOOST_AUTO_TEST_CASE(without_a_majority_nothing_is_claimed) {
  scene s;
  s.members[1].up = s.members[2].up = false;
  auto core = placed(1, {"*"});
  BOOST_TEST(wanted(core, s, 0s) == places{});
  BOOST_TEST(wanted(core, s, 100s) == places{});
  s.hold(0, 1);
  BOOST_TEST(wanted(core, s, 101s) == places{0}); // The lease decides how long.
}

BOOST_AUTO_TEST_CASE(places_are_shared_out) {
  scene s;
  auto one = placed(1, {"*"}, 3), two = placed(2, {"*"}, 3), three = placed(3, {"*"}, 3);
  BOOST_TEST(wanted(one, s, 0s) == places{0});
  BOOST_TEST(wanted(two, s, 0s) == places{1});
  BOOST_TEST(wanted(three, s, 0s) == places{2});
  s.hold(0, 1), s.hold(1, 2);
  BOOST_TEST(wanted(one, s, 60s) == places{0}); // Not a second one while another may.
  BOOST_TEST(wanted(three, s, 60s) == places{2});
  s.members[2].up = false;
  BOOST_TEST(wanted(one, s, 61s) == (places{0, 2}));
}

BOOST_AUTO_TEST_CASE(a_place_goes_back_to_a_preferred_node_that_is_steady) {
  scene s;
  s.hold(0, 1);
  s.members[1].since = 100s;
  auto core = placed(1, {"pi-2", "*"});
  BOOST_TEST(wanted(core, s, 101s) == places{0});
  BOOST_TEST(wanted(core, s, 129s) == places{0});
  BOOST_TEST(wanted(core, s, 130s) == places{});
  s.held.clear();
  BOOST_TEST(wanted(core, s, 130s + 100ms) == places{}); // It has its turn.
}

BOOST_AUTO_TEST_CASE(whoever_does_not_keep_its_place_waits_twice_as_long) {
  scene s;
  auto core = placed(1, {"pi-2", "*"});
  auto now = moment(0);
  BOOST_TEST(wanted(core, s, now) == places{});
  BOOST_TEST(wanted(core, s, now += 1s) == places{0}); // pi-2 is up, and does not take it.
  s.hold(0, 1);
  auto patience = moment(30s);
  for (int i = 0; i < 4; ++i) {
    auto since = now;
    while (!wanted(core, s, now).empty()) now += 1s;
    BOOST_TEST((now - since >= patience));
    BOOST_TEST((now - since <= patience + 2s));
    s.held.clear(); // Handed back, not taken, taken again.
    BOOST_TEST(wanted(core, s, now += 100ms) == places{});
    BOOST_TEST(wanted(core, s, now += 1s) == places{0});
    s.hold(0, 1);
    BOOST_TEST(wanted(core, s, now) == places{0});
    patience *= 2;
  }
}

BOOST_AUTO_TEST_CASE(bad_rules_are_refused) {
  placement_core core({node(1), 500ms, 30s});
  BOOST_CHECK(code_of(core.set_rules({{"Seal", {"*"}, 1}})) == errc::invalid_input);
  BOOST_CHECK(code_of(core.set_rules({{"seal", {"*"}, 0}})) == errc::invalid_input);
  BOOST_CHECK(code_of(core.set_rules({{"seal", {"*"}, 9}})) == errc::limit_exceeded);
  BOOST_CHECK(code_of(core.set_rules({{"seal", {"*"}, 1}, {"seal", {"*"}, 1}})) == errc::invalid_input);
  BOOST_CHECK(code_of(core.set_rules({{"seal", std::vector<std::string>(257, "*"), 1}})) == errc::limit_exceeded);
  std::vector<placement_rule> many;
  for (std::size_t i = 0; i < 17; ++i) many.push_back({numbered("r", i), {"*"}, 1});
  BOOST_CHECK(code_of(core.set_rules(many)) == errc::limit_exceeded);
}
