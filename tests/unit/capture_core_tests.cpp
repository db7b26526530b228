// tests/unit/capture_core_tests.cpp - numbers without holes, credit that returns, crashes that cost no frame, gaps stated.
#define BOOST_TEST_MODULE capture_core_tests
#include <boost/test/unit_test.hpp>

#include <random>

#include "actors/capture/capture_core.hpp"

using namespace lucid;
namespace act = lucid::capture_action;

namespace {

constexpr unix_time_us base_us = 1'000'000;

capture_core some_core(const std::string& source = "generator:", capture_position at = {}) {
  capture_request what;
  what.source = source;
  capture_options options;
  options.credit_bytes = 1000;
  return capture_core(options, what, at, base_us);
}

fragment media(unix_time_us start_us, std::uint32_t frame_count = 2, std::size_t size_bytes = 100) {
  fragment f;
  f.frame_count = frame_count;
  f.start_us = start_us;
  f.end_us = start_us + 1000;
  f.bytes = payload(byte_buffer(size_bytes, 1));
  return f;
}

template <class Action>
std::vector<Action> all_of(const capture_steps& steps) {
  std::vector<Action> found;
  for (const auto& step : steps)
    if (const auto* action = std::get_if<Action>(&step)) found.push_back(*action);
  return found;
}

std::string text_of(const fragment& f) { return std::string(as_text(f.bytes.view())); }

error crash() { return {errc::crashed, "worker", "ended by SIGKILL", nullptr}; }

} // namespace

BOOST_AUTO_TEST_CASE(fragments_are_numbered_on_from_the_journal_and_credit_returns) {
  auto core = some_core("generator:", {41, {10, base_us}});
  auto begun = all_of<act::start_worker>(core.begin());
  BOOST_REQUIRE(begun.size() == 1u);
  BOOST_TEST(begun[0].how.resume.frame_count == 10u);
  BOOST_TEST(begun[0].how.credit_bytes == 1000u);
  BOOST_TEST(begun[0].how.base_us == base_us);
  auto first = core.worker_said(media(base_us));
  BOOST_TEST(all_of<act::send_fragment>(first)[0].what.sequence == 42u);
  BOOST_TEST(all_of<act::delivering>(first).size() == 1u);
  auto second = core.worker_said(media(base_us + 1000));
  BOOST_TEST(all_of<act::delivering>(second).empty());
  BOOST_TEST(core.unacknowledged_bytes() == 200u);
  BOOST_TEST(core.acknowledged_bytes() == 0u);
  auto answered = all_of<act::grant_credit>(core.acknowledged(43));
  BOOST_TEST(core.unacknowledged_bytes() == 0u);
  BOOST_TEST(core.acknowledged_bytes() == 200u);
  BOOST_REQUIRE(answered.size() == 1u);
  BOOST_TEST(answered[0].bytes == 200u);
  BOOST_TEST(core.position().last_sequence == 43u);
  BOOST_TEST(core.position().source.frame_count == 14u);
  BOOST_TEST(core.acknowledged(43).empty());
}

BOOST_AUTO_TEST_CASE(a_failed_send_resends_all_unacknowledged_in_order_once) {
  auto core = some_core();
  core.begin();
  for (int i = 0; i < 3; ++i) core.worker_said(media(base_us + i));
  core.acknowledged(1);
  BOOST_TEST(all_of<act::resend_later>(core.send_failed(1)).size() == 1u);
  BOOST_TEST(core.send_failed(1).empty()); // The others of that round fail, too.
  BOOST_TEST(all_of<act::send_fragment>(core.worker_said(media(base_us + 9))).empty());
  auto again = all_of<act::send_fragment>(core.resend());
  BOOST_REQUIRE(again.size() == 3u);
  for (std::size_t i = 0; i < 3; ++i) BOOST_TEST(again[i].what.sequence == i + 2);
  BOOST_TEST(core.send_failed(1).empty());
  BOOST_TEST(!core.send_failed(again[0].round).empty());
}

BOOST_AUTO_TEST_CASE(a_crash_of_a_repeatable_source_resumes_after_the_last_received_frame_without_a_gap) {
  auto core = some_core();
  core.begin();
  core.worker_said(media(base_us, 5));
  auto paused = all_of<act::restart_later>(core.worker_gone(crash(), base_us + 5000));
  BOOST_REQUIRE(paused.size() == 1u);
  auto restarted = all_of<act::start_worker>(core.restart());
  BOOST_REQUIRE(restarted.size() == 1u);
  BOOST_TEST(restarted[0].how.resume.frame_count == 5u);
  BOOST_TEST(restarted[0].how.credit_bytes == 900u);
  auto sent = all_of<act::send_fragment>(core.worker_said(media(base_us + 9000)));
  BOOST_REQUIRE(sent.size() == 1u);
  BOOST_TEST((sent[0].what.kind == fragment_kind::media));
}

BOOST_AUTO_TEST_CASE(a_crash_of_a_live_source_is_a_gap_before_the_next_frame) {
  auto core = some_core("x11://:0");
  core.begin();
  core.worker_said(media(base_us));
  core.worker_gone(crash(), base_us + 5000);
  core.restart();
  auto sent = all_of<act::send_fragment>(core.worker_said(media(base_us + 9000)));
  BOOST_REQUIRE(sent.size() == 2u);
  BOOST_TEST((sent[0].what.kind == fragment_kind::event));
  BOOST_TEST(sent[0].what.frame_count == 1u);
  BOOST_TEST(text_of(sent[0].what).find(R"("from_us":1001000)") != std::string::npos);
  BOOST_TEST(text_of(sent[0].what).find(R"("to_us":1009000)") != std::string::npos);
  BOOST_TEST(sent[1].what.sequence == sent[0].what.sequence + 1);
}

BOOST_AUTO_TEST_CASE(a_restarted_capture_of_a_live_source_states_its_gap) {
  auto core = some_core("x11://:0", {7, {3, base_us + 50}});
  core.begin();
  auto sent = all_of<act::send_fragment>(core.worker_said(media(base_us + 9000)));
  BOOST_REQUIRE(sent.size() == 2u);
  BOOST_TEST(text_of(sent[0].what).find("capture restarted") != std::string::npos);
  auto repeatable = some_core("generator:", {7, {3, base_us + 50}});
  repeatable.begin();
  BOOST_TEST(all_of<act::send_fragment>(repeatable.worker_said(media(base_us + 9000))).size() == 1u);
}

namespace {

source_event told_gap(unix_time_us from_us, unix_time_us to_us) {
  return {to_us, "gap",
          R"({"from_us":)" + std::to_string(from_us) + R"(,"to_us":)" + std::to_string(to_us) +
            R"(,"reason":"unreachable","detail":"rdp: the connection is lost"})"};
}

std::uint64_t gaps_in(const capture_steps& steps) {
  std::uint64_t count = 0;
  for (auto& sent : all_of<act::send_fragment>(steps))
    if (sent.what.on == track::events) count += sent.what.frame_count;
  return count;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_gap_that_the_worker_states_is_numbered_once_with_its_bounds_before_the_next_frame) {
  auto core = some_core("rdp://host");
  core.begin();
  core.worker_said(media(base_us));
  auto told = told_gap(base_us + 2000, base_us + 7000);
  BOOST_TEST(core.worker_said(told).empty());
  auto sent = all_of<act::send_fragment>(core.worker_said(media(base_us + 7000)));
  BOOST_REQUIRE(sent.size() == 2u);
  BOOST_TEST(sent[0].what.frame_count == 1u);
  for (auto* part : {R"("from_us":1002000)", R"("to_us":1007000)", R"("reason":"unreachable")", "the connection is lost"})
    BOOST_TEST(text_of(sent[0].what).find(part) != std::string::npos, part);
  BOOST_TEST(gaps_in(core.worker_said(media(base_us + 8000))) == 0u);
  // Its credit comes back with those of the fragments.
  auto granted = all_of<act::grant_credit>(core.acknowledged(4));
  BOOST_REQUIRE(granted.size() == 1u);
  BOOST_TEST(granted[0].bytes == 300 + told.detail.size());
}

BOOST_AUTO_TEST_CASE(a_worker_that_dies_within_a_gap_it_has_stated_leaves_one_gap) {
  auto core = some_core("rdp://host");
  core.begin();
  core.worker_said(media(base_us));
  core.worker_said(told_gap(base_us + 2000, base_us + 7000));
  core.worker_gone(crash(), base_us + 8000);
  core.restart();
  core.worker_said(told_gap(base_us + 8500, base_us + 9000)); // The new one is thrown out at once, too.
  auto steps = core.worker_said(media(base_us + 9500));
  BOOST_TEST(gaps_in(steps) == 1u);
  auto text = text_of(all_of<act::send_fragment>(steps)[0].what);
  BOOST_TEST(text.find(R"("from_us":1002000)") != std::string::npos);
  BOOST_TEST(text.find(R"("to_us":1009500)") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_gap_at_the_end_is_stated_however_the_recording_ends) {
  for (auto how : {"last word", "crash and stop", "crashes"}) {
    BOOST_TEST_CONTEXT(how) {
      auto core = some_core("rdp://host");
      core.begin();
      core.worker_said(media(base_us));
      std::uint64_t gaps = 0;
      auto count = [&](const capture_steps& steps) { gaps += gaps_in(steps); };
      if (how == std::string("last word")) {
        count(core.worker_said(told_gap(base_us + 2000, base_us + 7000)));
        count(core.worker_said(worker_end{"the desktop was lost", errc::unreachable, true}));
        count(core.worker_gone(std::nullopt, base_us + 8000));
      } else if (how == std::string("crash and stop")) {
        count(core.worker_gone(crash(), base_us + 8000));
        count(core.stop(base_us + 9000));
      } else {
        for (int i = 0; i < 5; ++i) {
          count(core.worker_gone(crash(), base_us + 8000));
          count(core.restart());
        }
      }
      BOOST_TEST(gaps == 1u);
      BOOST_TEST(all_of<act::finished>(core.acknowledged(2)).size() == 1u);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_gap_told_in_nonsense_is_a_gap_all_the_same) {
  for (std::string detail : {"", "[]", "{", R"({"from_us":"x","reason":7})", R"({"from_us":1e300})"}) {
    auto core = some_core("rdp://host");
    core.begin();
    core.worker_said(source_event{base_us + 10, "gap", detail});
    auto steps = core.worker_said(media(base_us + 20));
    BOOST_TEST(gaps_in(steps) == 1u);
    BOOST_TEST(text_of(all_of<act::send_fragment>(steps)[0].what).find(R"("from_us":1000010)") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(workers_that_never_deliver_end_the_capture_after_a_bound) {
  auto core = some_core();
  core.begin();
  std::vector<std::int64_t> pauses;
  capture_steps last;
  for (int i = 0; i < 10; ++i) {
    last = core.worker_gone(crash(), base_us);
    auto paused = all_of<act::restart_later>(last);
    if (paused.empty()) break;
    pauses.push_back(paused[0].after.count());
    core.restart();
  }
  BOOST_TEST(pauses == (std::vector<std::int64_t>{100, 200, 400, 800}), boost::test_tools::per_element());
  auto ended = all_of<act::finished>(last);
  BOOST_REQUIRE(ended.size() == 1u);
  BOOST_TEST(ended[0].end.failed);
  BOOST_TEST((ended[0].end.code == errc::crashed));
}

BOOST_AUTO_TEST_CASE(an_end_waits_for_the_last_acknowledgement) {
  auto core = some_core();
  core.begin();
  core.worker_said(media(base_us));
  core.worker_said(worker_end{"the source is at its end", errc::cancelled, false});
  BOOST_TEST(core.worker_gone(std::nullopt, base_us).empty());
  auto ended = all_of<act::finished>(core.acknowledged(1));
  BOOST_REQUIRE(ended.size() == 1u);
  BOOST_TEST(!ended[0].end.failed);
  BOOST_TEST(core.is_finished());
}

BOOST_AUTO_TEST_CASE(a_stop_ends_a_worker_or_what_waits_for_one) {
  auto running = some_core();
  running.begin();
  BOOST_TEST(all_of<act::stop_worker>(running.stop(base_us)).size() == 1u);
  BOOST_TEST(all_of<act::finished>(running.worker_gone(crash(), base_us)).size() == 1u);
  auto waiting = some_core();
  waiting.begin();
  waiting.worker_gone(crash(), base_us);
  BOOST_TEST(all_of<act::finished>(waiting.stop(base_us)).size() == 1u);
  BOOST_TEST(waiting.restart().empty());
}

BOOST_AUTO_TEST_CASE(a_worker_that_sends_without_credit_is_ended) {
  auto core = some_core();
  core.begin();
  capture_steps steps;
  for (int i = 0; i < 4 && all_of<act::kill_worker>(steps).empty(); ++i)
    steps = core.worker_said(media(base_us + i, 1, fragment_size_bytes_max));
  BOOST_TEST(all_of<act::kill_worker>(steps).size() == 1u);
  core.worker_gone(crash(), base_us);
  auto ended = all_of<act::finished>(core.acknowledged(100));
  BOOST_REQUIRE(ended.size() == 1u);
  BOOST_TEST((ended[0].end.code == errc::protocol_violation));
}

BOOST_AUTO_TEST_CASE(certificates_are_pinned_on_first_use_and_a_change_shows_both_fingerprints) {
  worker_certificate shown{"host:3389", std::string(64, 'a'), "CN=x", "CN=x"};
  auto first = decide_pin(std::nullopt, shown, pin_policy::first_use);
  BOOST_TEST(first.accepted);
  BOOST_TEST(first.pin_now);
  auto same = decide_pin(std::string(64, 'a'), shown, pin_policy::strict);
  BOOST_TEST(same.accepted);
  BOOST_TEST(!same.pin_now);
  auto changed = decide_pin(std::string(64, 'b'), shown, pin_policy::first_use);
  BOOST_TEST(!changed.accepted);
  BOOST_TEST(changed.reason.find(std::string(64, 'a')) != std::string::npos);
  BOOST_TEST(changed.reason.find(std::string(64, 'b')) != std::string::npos);
  auto unknown = decide_pin(std::nullopt, shown, pin_policy::strict);
  BOOST_TEST(!unknown.accepted);
  BOOST_TEST(!unknown.pin_now);
  BOOST_TEST(unknown.reason.find("\"host:3389 " + std::string(64, 'a') + "\"") != std::string::npos);
  shown.fingerprint = "short";
  BOOST_TEST(!decide_pin(std::nullopt, shown, pin_policy::first_use).accepted);
}

BOOST_AUTO_TEST_CASE(event_lines_are_json_whatever_the_worker_says) {
  BOOST_TEST(event_line({5, "resized", R"({"width":2})"}) == "{\"at_us\":5,\"detail\":{\"width\":2},\"kind\":\"resized\"}\n");
  BOOST_TEST(event_line({5, "x", "not json"}) == "{\"at_us\":5,\"detail\":{\"text\":\"not json\"},\"kind\":\"x\"}\n");
  auto hostile = event_line({5, "a\n\xff", "\xff\n"});
  BOOST_TEST(std::count(hostile.begin(), hostile.end(), '\n') == 1);
}

BOOST_AUTO_TEST_CASE(random_crashes_and_failures_leave_no_hole_and_no_repeat) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::mt19937 random(seed);
      auto core = some_core();
      std::uint64_t source_at = 0, chunk_has = 0, frames = 0, round = 1;
      auto take = [&](const capture_steps& steps) {
        for (const auto& step : steps) {
          if (const auto* start = std::get_if<act::start_worker>(&step)) source_at = start->how.resume.frame_count;
          const auto* sent = std::get_if<act::send_fragment>(&step);
          if (!sent) continue;
          round = sent->round;
          BOOST_REQUIRE(sent->what.sequence <= chunk_has + 1); // Chunk refuses holes.
          if (sent->what.sequence <= chunk_has) continue;
          chunk_has = sent->what.sequence;
          frames += sent->what.frame_count;
        }
      };
      take(core.begin());
      for (int i = 0; i < 300; ++i) switch (random() % 6) {
          case 0: take(core.acknowledged(chunk_has)); break;
          case 1:
            if (!core.send_failed(round).empty()) take(core.resend());
            break;
          case 2:
            take(core.worker_gone(crash(), base_us));
            take(core.restart());
            if (core.is_finished()) i = 1000;
            break;
          default: take(core.worker_said(media(base_us + static_cast<int>(source_at++), 1, 10)));
        }
      take(core.resend());
      BOOST_TEST(frames == source_at);
      BOOST_TEST(core.last_sequence() == chunk_has);
    }
  }
}
