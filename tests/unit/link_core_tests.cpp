// tests/unit/link_core_tests.cpp - one link to each member: who dials, which of two counts, who has fallen silent.
#define BOOST_TEST_MODULE link_core
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <random>

#include "actors/format/little_endian.hpp"
#include "actors/mesh/envelope.hpp"
#include "actors/mesh/envelope_frames.hpp"
#include "actors/mesh/link_core.hpp"

using namespace lucid;
using namespace std::chrono_literals;

namespace {

link_settings settings_of(const std::string& self) { return {self, 2s, 250ms, 4s}; }
link_target target(const std::string& name) { return {name, {}, {"tcp://10.0.0.1:7800"}}; }

} // namespace

BOOST_AUTO_TEST_CASE(the_first_name_dials_and_the_other_waits) {
  link_core a(settings_of("a")), b(settings_of("b"));
  a.set_targets({target("b")}, 0ns);
  b.set_targets({target("a")}, 0ns);
  BOOST_TEST(a.due(0ns).size() == 1u);
  BOOST_TEST(a.due(0ns).empty()); // One attempt at a time.
  BOOST_TEST(b.due(0ns).empty());
  BOOST_TEST(b.due(9s).empty());
  BOOST_TEST(b.due(10s).size() == 1u); // The other one may not be able to.
}

BOOST_AUTO_TEST_CASE(attempts_are_made_at_growing_intervals_and_over_all_addresses) {
  link_core a(settings_of("a"));
  auto there = target("b");
  there.addresses.push_back("tcp://10.0.0.2:7800");
  a.set_targets({there}, 0ns);
  auto now = 0ns;
  std::vector<std::string> tried;
  for (auto pause : {250ms, 500ms, 1000ms, 2000ms, 4000ms, 4000ms}) {
    auto begun = a.due(now);
    BOOST_REQUIRE(begun.size() == 1u);
    tried.push_back(begun[0].address);
    a.dialling("b", static_cast<link_id>(tried.size()));
    a.down(static_cast<link_id>(tried.size()), now);
    BOOST_TEST(a.due(now + pause - 1ns).empty());
    now += pause;
  }
  BOOST_TEST(tried[0] != tried[1]);
  BOOST_TEST(tried[0] == tried[2]);
}

BOOST_AUTO_TEST_CASE(the_way_to_a_peer_is_doubted_after_three_failures_and_then_ever_more_rarely) {
  link_core a(settings_of("a"));
  a.set_targets({target("b"), target("c")}, 0ns);
  std::vector<int> doubted;
  for (int failure = 1; failure <= 24; ++failure) {
    a.dial_failed("b", 0ns);
    if (a.wants_new_ways()) doubted.push_back(failure);
    BOOST_TEST(!a.wants_new_ways());
  }
  BOOST_TEST((doubted == std::vector<int>{3, 6, 12, 24}));
  a.named(1, "b", true, 0ns);
  a.down(1, 0ns);
  for (int failure = 1; failure <= 2; ++failure) a.dial_failed("b", 0ns);
  for (int failure = 1; failure <= 2; ++failure) a.dial_failed("c", 0ns);
  BOOST_TEST(!a.wants_new_ways()); // Each peer has its own count, and it begins anew with a link.
}

BOOST_AUTO_TEST_CASE(an_attempt_is_known_by_its_target_until_it_came_to_something) {
  link_core a(settings_of("a"));
  a.set_targets({target("b"), target("c")}, 0ns);
  BOOST_TEST(!a.target_of(1));
  a.dialling("c", 1);
  BOOST_REQUIRE(a.target_of(1));
  BOOST_TEST(*a.target_of(1) == "c");
  a.down(1, 0ns);
  BOOST_TEST(!a.target_of(1));
  a.dialling("b", 2);
  a.named(2, "b", true, 0ns);
  BOOST_TEST(!a.target_of(2));
}

BOOST_AUTO_TEST_CASE(whoever_is_no_target_any_more_is_let_go_of) {
  link_core a(settings_of("a"));
  a.set_targets({target("b"), target("c")}, 0ns);
  a.due(0ns);
  a.dialling("b", 1);
  a.named(1, "b", true, 0ns);
  a.dialling("c", 2);
  auto ended = a.set_targets({}, 1s);
  std::sort(ended.begin(), ended.end());
  BOOST_TEST((ended == std::vector<link_id>{1, 2}));
  BOOST_TEST((a.named(3, "b", false, 1s) == std::vector<link_id>{3})); // A node that is not awaited.
}

BOOST_AUTO_TEST_CASE(a_silent_peer_is_noticed_and_dialled_again_at_once) {
  link_core a(settings_of("a"));
  a.set_targets({target("b")}, 0ns);
  a.due(0ns);
  a.dialling("b", 1);
  a.named(1, "b", true, 0ns);
  a.heard(1, 1s);
  BOOST_TEST(a.silent(3s).empty());
  BOOST_TEST((a.silent(3s + 1ns) == std::vector<link_id>{1}));
  a.down(1, 4s);
  BOOST_TEST(!a.link_of("b"));
  BOOST_TEST(a.due(4s).size() == 1u);
}

// Two nodes and a network that delays, loses and cuts: whatever was before, they end with one link that both agree on.
BOOST_AUTO_TEST_CASE(both_sides_agree_on_one_link_once_the_network_is_quiet) {
  struct side {
    link_core core;
    std::map<link_id, bool> links; ///< That are open here, and whether this side dialled them.
  };
  struct event {
    std::chrono::nanoseconds at;
    int to;
    link_id link;
    enum { up, hello, down } what;
    bool dialled;
  };
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    side sides[2]{{link_core(settings_of("a")), {}}, {link_core(settings_of("b")), {}}};
    sides[0].core.set_targets({target("b")}, 0ns);
    sides[1].core.set_targets({target("a")}, 0ns);
    std::deque<event> events;
    link_id last = 0;
    auto now = 0ns;
    auto delay = [&] { return std::chrono::milliseconds(1 + random() % 300); };
    auto other_name = [](int s) { return s == 0 ? "b" : "a"; };
    auto close = [&](int s, link_id link) {
      if (sides[s].links.erase(link) == 0) return;
      sides[s].core.down(link, now);
      events.push_back({now + delay(), 1 - s, link, event::down, false});
    };
    for (int step = 0; step < 6000; ++step) {
      now += 10ms;
      bool quiet = step > 3000;
      for (int s : {0, 1}) {
        for (auto& dial : sides[s].core.due(now)) {
          ++last;
          sides[s].core.dialling(dial.name, last);
          if (!quiet && random() % 3 == 0) {
            sides[s].core.down(last, now);
            continue;
          }
          auto there = now + delay();
          events.push_back({there, s, last, event::up, true});
          events.push_back({there, 1 - s, last, event::up, false});
          events.push_back({there + delay(), s, last, event::hello, true});
          events.push_back({there + delay(), 1 - s, last, event::hello, false});
        }
        for (auto link : sides[s].core.silent(now)) close(s, link);
        if (!quiet && random() % 200 == 0 && !sides[s].links.empty()) close(s, sides[s].links.begin()->first);
        // Heartbeats, as long as both have the link.
        if (auto link = sides[s].core.link_of(other_name(s)); link && sides[1 - s].links.contains(*link)) sides[s].core.heard(*link, now);
      }
      for (std::size_t i = 0; i < events.size();) {
        if (events[i].at > now) {
          ++i;
          continue;
        }
        auto e = events[i];
        events.erase(events.begin() + static_cast<std::ptrdiff_t>(i));
        auto& s = sides[e.to];
        if (e.what == event::up) s.links[e.link] = e.dialled;
        if (e.what == event::down && s.links.erase(e.link) != 0) s.core.down(e.link, now);
        if (e.what == event::hello && s.links.contains(e.link))
          for (auto ended : s.core.named(e.link, other_name(e.to), s.links[e.link], now)) close(e.to, ended);
        i = 0;
      }
    }
    auto one = sides[0].core.link_of("b"), two = sides[1].core.link_of("a");
    BOOST_TEST_REQUIRE(one.has_value(), "seed " << seed);
    BOOST_TEST_REQUIRE((one == two), "seed " << seed);
  }
}

/// Of that type, with a content of so many zeros; not signed.
byte_buffer envelope_of(mesh_message type, std::size_t content_bytes) {
  byte_buffer bytes(envelope_overhead_bytes + content_bytes);
  field_writer(bytes).put(envelope_version).put(static_cast<std::uint16_t>(type)).put(static_cast<std::uint32_t>(content_bytes));
  for (std::size_t i = 7; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 31 + i / 256);
  return bytes;
}

bool anything(const message_rule&, std::size_t) { return true; }

errc refusal_of(byte_view frame, const envelope_bounds& bounds = {}) {
  envelope_reader reader;
  auto taken = reader.take(frame, bounds, [](auto&, auto) {
    BOOST_ERROR("asked for what is refused anyway");
    return true;
  });
  BOOST_REQUIRE(!taken.has_value());
  BOOST_TEST(reader.kept_bytes() == 0u);
  return taken.error().code;
}

BOOST_AUTO_TEST_CASE(an_envelope_of_any_length_comes_together_again) {
  for (std::size_t size : {0u, 1u, 65'000u, 65'415u, 65'416u, 200'000u, 1'000'000u}) {
    auto envelope = envelope_of(mesh_message::join_reply, size);
    envelope_reader reader;
    auto frames = frames_of_envelope(envelope);
    for (std::size_t i = 0; i < frames.size(); ++i) {
      BOOST_TEST(frames[i].size() <= mesh_frame_bytes_max);
      auto whole = reader.take(frames[i], {}, anything);
      BOOST_REQUIRE(whole.has_value());
      BOOST_TEST(whole->has_value() == (i + 1 == frames.size()));
      if (*whole) BOOST_TEST((**whole == envelope));
    }
  }
}

BOOST_AUTO_TEST_CASE(an_envelope_beyond_its_bound_is_refused_before_it_is_kept) {
  auto beat = envelope_of(mesh_message::heartbeat, 1'000'000);
  BOOST_TEST((refusal_of(frames_of_envelope(beat).front()) == errc::limit_exceeded));
  auto list = envelope_of(mesh_message::membership, membership_message_bytes_max);
  BOOST_TEST((refusal_of(frames_of_envelope(list).front(), {envelope_ring::cluster, hello_bytes_max}) == errc::limit_exceeded));
  BOOST_TEST((refusal_of(frames_of_envelope(list).front(), {envelope_ring::network}) == errc::unsupported));
  BOOST_TEST((refusal_of(frames_of_envelope(envelope_of(mesh_message{99}, 9)).front()) == errc::unsupported));
  BOOST_TEST((refusal_of(byte_buffer{1, 7, 7}) == errc::invalid_input));
  BOOST_TEST((refusal_of(byte_buffer{1, 0}) == errc::invalid_input));
  BOOST_TEST((refusal_of(byte_buffer{1, 1, 1, 1}) == errc::truncated));
}

BOOST_AUTO_TEST_CASE(an_envelope_has_the_length_that_it_said) {
  auto frames = frames_of_envelope(envelope_of(mesh_message::membership, 100'000));
  BOOST_REQUIRE(frames.size() == 2u);
  for (bool longer : {false, true}) {
    envelope_reader reader;
    BOOST_TEST(reader.take(frames[0], {}, anything).has_value());
    auto last = frames[1];
    longer ? last.push_back(0) : last.pop_back();
    BOOST_TEST((reader.take(last, {}, anything).error().code == errc::invalid_input));
  }
  envelope_reader endless;
  BOOST_TEST(endless.take(frames[0], {}, anything).has_value());
  BOOST_TEST((endless.take(frames[0], {}, anything).error().code == errc::invalid_input)); // More follows, and none should.
}

BOOST_AUTO_TEST_CASE(what_is_not_admitted_is_passed_over_and_the_next_is_read) {
  envelope_reader reader;
  std::size_t asked = 0;
  auto large = frames_of_envelope(envelope_of(mesh_message::membership, 100'000));
  auto small = envelope_of(mesh_message::heartbeat, 16);
  auto no_large = [&](const message_rule& rule, std::size_t bytes) {
    ++asked;
    BOOST_TEST((bytes == 100'000 + envelope_overhead_bytes || rule.name == "heartbeat"));
    return bytes < 1000;
  };
  for (auto& frame : large) {
    auto taken = reader.take(frame, {}, no_large);
    BOOST_REQUIRE(taken.has_value());
    BOOST_TEST(!taken->has_value());
    BOOST_TEST(reader.kept_bytes() == 0u);
  }
  BOOST_TEST((reader.take(frames_of_envelope(small).front(), {}, no_large).value() == small));
  BOOST_TEST(asked == 2u);
}
