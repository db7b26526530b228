// tests/integration/frame_loop_tests.cpp - the worker's loop over a desktop that fails as told, on real sockets and codecs.
#define BOOST_TEST_MODULE frame_loop_tests
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <functional>
#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "actors/worker/frame_loop.hpp"
#include "adapters/ffmpeg/media_packet.hpp"
#include "tests/doubles/scripted_source.hpp"

using namespace lucid;
using namespace lucid::testing;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

/// The encoder's remarks at each open would bury what fails.
struct quiet_encoder {
  quiet_encoder() {
    ffmpeg::redirect_log([](const char*, bool) {});
  }
};
BOOST_TEST_GLOBAL_FIXTURE(quiet_encoder);

/// Real time with a wall clock that a test can set back.
class shifted_clock final : public clock_port {
public:
  unix_time_us wall_us() const override { return real_.wall_us() + shift_us; }
  std::chrono::nanoseconds monotonic() const override { return real_.monotonic(); }
  std::atomic<std::int64_t> shift_us = 0;

private:
  process_clock real_;
};

/// A loop that nothing ends would hang the test; its own bounds are far below.
constexpr auto patience_max = 30s;

/// The loop on a thread of its own; the test is the node.
class loop_world {
public:
  loop_world() {
    start.what.source = "rdp://host";
    start.what.frame_rate_max = 100;
    start.base_us = clock.wall_us();
    start.credit_bytes = 64u << 20;
    start.limits.fragment_interval = 50ms;
    start.limits.reconnect_attempts_max = 5;
    start.limits.reconnect_pause_min = 10ms;
    start.limits.reconnect_pause_max = 40ms;
  }

  ~loop_world() {
    if (node_fd_ >= 0) ::close(node_fd_); // The loop ends when the node is gone.
    if (thread_.joinable()) thread_.join();
  }

  void run() {
    int ends[2];
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    node_fd_ = ends[0];
    thread_ = std::thread([this, fd = ends[1]] {
      worker_link link(fd);
      worker_voice voice(link);
      // The first credit is part of the start order, which run_worker would have taken.
      auto taken = link.pump(1s);
      frame_loop loop(voice, start, std::make_unique<scripted_source>(script, clock), false, clock);
      auto end = loop.run();
      if (end) static_cast<void>(link.send(std::move(*end)));
    });
    tell(start);
  }

  void tell(const node_message& message) {
    auto bytes = encode(message).value().head;
    BOOST_REQUIRE(::send(node_fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
  }

  /// Hears messages until `enough`.
  void hear_until(const std::function<bool()>& enough) {
    auto until = std::chrono::steady_clock::now() + patience_max;
    while (!enough()) {
      BOOST_REQUIRE_MESSAGE(std::chrono::steady_clock::now() < until, "the loop did not say what was waited for");
      pollfd waiting{node_fd_, POLLIN, 0};
      if (::poll(&waiting, 1, 100) <= 0) continue;
      byte_buffer bytes(65536);
      auto got = ::recv(node_fd_, bytes.data(), bytes.size(), 0);
      BOOST_REQUIRE(got > 0);
      auto messages = decoder_.feed(byte_view(bytes.data(), static_cast<std::size_t>(got)));
      BOOST_REQUIRE(messages.has_value());
      std::move(messages->begin(), messages->end(), std::back_inserter(heard));
    }
  }

  template <class Message>
  std::vector<Message> all() const {
    std::vector<Message> found;
    for (auto& m : heard)
      if (auto* one = std::get_if<Message>(&m)) found.push_back(*one);
    return found;
  }

  std::vector<source_event> events(const std::string& kind) const {
    std::vector<source_event> found;
    for (auto& e : all<source_event>())
      if (e.kind == kind) found.push_back(e);
    return found;
  }

  std::size_t fragments(fragment_kind kind) const {
    std::size_t count = 0;
    for (auto& f : all<fragment>()) count += f.kind == kind ? 1 : 0;
    return count;
  }

  std::uint64_t frames() const {
    std::uint64_t count = 0;
    for (auto& f : all<fragment>()) count += f.kind == fragment_kind::media ? f.frame_count : 0;
    return count;
  }

  worker_end hear_end() {
    hear_until([this] { return !all<worker_end>().empty(); });
    return all<worker_end>().front();
  }

  void hear_media(std::size_t count) {
    hear_until([this, count] { return fragments(fragment_kind::media) >= count; });
  }

  shifted_clock clock;
  worker_start start;
  std::shared_ptr<source_script> script = std::make_shared<source_script>();
  std::vector<worker_message> heard;

private:
  int node_fd_ = -1;
  std::thread thread_;
  worker_decoder<worker_message> decoder_;
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_lost_desktop_is_opened_again_with_growing_pauses_and_one_gap_is_stated, loop_world) {
  run();
  script->show({64, 64, 10});
  hear_media(1);
  script->refuse(3);
  script->lose();
  script->show({64, 64, 200});
  hear_media(2);
  script->finish();
  auto end = hear_end();
  BOOST_TEST(!end.failed, end.reason);
  auto gaps = events("gap");
  BOOST_REQUIRE(gaps.size() == 1u);
  auto detail = json::parse(gaps[0].detail);
  BOOST_TEST(detail.at("reason") == "unreachable");
  BOOST_TEST(detail.at("detail").get<std::string>().find("told to be lost") != std::string::npos);
  auto from = detail.at("from_us").get<unix_time_us>(), to = detail.at("to_us").get<unix_time_us>();
  BOOST_TEST(from >= start.base_us);
  BOOST_TEST(to == gaps[0].at_us);
  // At least the four pauses: 10, 20, 40 and, at its bound, 40 ms.
  BOOST_TEST(to - from >= 110'000);
  auto at = script->opened_at();
  BOOST_REQUIRE(at.size() == 5u);
  std::chrono::nanoseconds least[]{10ms, 20ms, 40ms, 40ms};
  for (std::size_t i = 2; i < at.size(); ++i) BOOST_TEST((at[i] - at[i - 1]).count() >= least[i - 1].count());
}

BOOST_FIXTURE_TEST_CASE(two_losses_with_frames_between_them_are_two_gaps_and_attempts_start_over, loop_world) {
  start.limits.reconnect_attempts_max = 2;
  run();
  script->show({64, 64, 10});
  hear_media(1);
  for (std::size_t round = 1; round <= 3; ++round) {
    script->refuse(1);
    script->lose();
    script->show({64, 64, static_cast<std::uint8_t>(round)});
    hear_media(1 + round);
    BOOST_TEST(events("gap").size() == round);
  }
  script->finish();
  BOOST_TEST(!hear_end().failed);
}

BOOST_FIXTURE_TEST_CASE(attempts_that_are_used_up_end_the_recording_by_name_and_state_the_gap, loop_world) {
  start.limits.reconnect_attempts_max = 3;
  run();
  script->show({64, 64, 10});
  hear_media(1);
  script->refuse(1000, errc::timeout);
  script->lose();
  auto end = hear_end();
  BOOST_TEST(end.failed);
  BOOST_TEST((end.code == errc::timeout));
  BOOST_TEST(end.reason.find("capture.reconnect_attempts_max") != std::string::npos);
  BOOST_TEST(end.reason.find("told not to open") != std::string::npos);
  BOOST_TEST(script->opened_at().size() == 4u);
  BOOST_TEST(events("gap").size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_desktop_that_lets_one_in_and_throws_one_out_uses_up_the_attempts, loop_world) {
  start.limits.reconnect_attempts_max = 3;
  run();
  script->show({64, 64, 10});
  hear_media(1);
  for (int i = 0; i < 10; ++i) script->lose();
  auto end = hear_end();
  BOOST_TEST((end.code == errc::unreachable));
  BOOST_TEST(script->opened_at().size() == 4u);
  BOOST_TEST(events("gap").size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(with_no_attempts_allowed_a_loss_is_the_end, loop_world) {
  start.limits.reconnect_attempts_max = 0;
  run();
  script->show({64, 64, 10});
  hear_media(1);
  script->lose();
  BOOST_TEST((hear_end().code == errc::unreachable));
  BOOST_TEST(script->opened_at().size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(what_trying_again_cannot_mend_is_not_tried_again, loop_world) {
  run();
  script->show({64, 64, 10});
  hear_media(1);
  script->refuse(1000, errc::login_failed);
  script->lose();
  BOOST_TEST((hear_end().code == errc::login_failed));
  BOOST_TEST(script->opened_at().size() == 2u);
}

BOOST_FIXTURE_TEST_CASE(the_first_attempt_is_the_only_one_of_a_new_recording, loop_world) {
  script->refuse(1);
  run();
  BOOST_TEST((hear_end().code == errc::unreachable));
  BOOST_TEST(script->opened_at().size() == 1u);
  BOOST_TEST(events("gap").empty());
}

BOOST_FIXTURE_TEST_CASE(a_worker_that_goes_on_for_another_tries_again_and_leaves_the_gap_to_the_node, loop_world) {
  start.resume = {3, start.base_us - 5'000'000};
  start.base_us -= 10'000'000;
  script->refuse(2);
  run();
  script->show({64, 64, 10});
  hear_media(1);
  script->finish();
  BOOST_TEST(!hear_end().failed);
  BOOST_TEST(script->opened_at().size() == 3u);
  BOOST_TEST(events("gap").empty());
}

BOOST_FIXTURE_TEST_CASE(a_stop_during_a_reconnection_is_obeyed_and_the_gap_stated, loop_world) {
  start.limits.reconnect_pause_min = 60s; // Longer than the test has patience.
  start.limits.reconnect_pause_max = 60s;
  run();
  script->show({64, 64, 10});
  hear_media(1);
  script->lose();
  hear_until([this] { return !all<worker_log>().empty(); });
  tell(worker_stop{});
  auto end = hear_end();
  BOOST_TEST(!end.failed);
  BOOST_TEST((end.code == errc::cancelled));
  BOOST_TEST(script->opened_at().size() == 1u);
  BOOST_TEST(events("gap").size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(without_credit_nothing_is_taken_and_what_was_merged_is_stated_with_its_count, loop_world) {
  start.credit_bytes = 1; // Spent by the first event.
  run();
  script->show({64, 64, 10});
  hear_until([this] { return fragments(fragment_kind::init) == 1 || !events("encoder").empty(); });
  auto polls = script->poll_count();
  script->show({64, 64, 200});
  auto before = all<worker_stats>().size();
  hear_until([&] { return all<worker_stats>().size() > before; }); // It waits, and says that it lives.
  BOOST_TEST(script->poll_count() == polls);
  BOOST_TEST(frames() == 0u);
  tell(worker_credit{64u << 20});
  hear_until([this] { return frames() >= 2; });
  script->finish();
  hear_end();
  auto merged = events("merged");
  BOOST_REQUIRE(merged.size() == 1u);
  auto detail = json::parse(merged[0].detail);
  auto waited_us = detail.at("to_us").get<unix_time_us>() - detail.at("from_us").get<unix_time_us>();
  auto counted = detail.at("frames").get<std::int64_t>();
  BOOST_TEST(counted > 0);
  BOOST_TEST(std::abs(counted - waited_us / 10'000) <= 1); // 100 frames a second.
}

BOOST_FIXTURE_TEST_CASE(a_wall_clock_set_back_is_stated_and_frames_go_on_in_order, loop_world) {
  run();
  script->show({64, 64, 10});
  hear_media(1);
  clock.shift_us = -3'600'000'000;
  script->show({64, 64, 200});
  hear_media(2);
  script->show({64, 64, 90});
  hear_media(3);
  script->finish();
  BOOST_TEST(!hear_end().failed);
  auto steps = events("clock_step");
  BOOST_REQUIRE(steps.size() == 1u);
  auto step_us = json::parse(steps[0].detail).at("step_us").get<std::int64_t>();
  BOOST_TEST(std::abs(step_us + 3'600'000'000) < 500'000);
  std::int64_t last_us = 0;
  for (auto& f : all<fragment>()) {
    if (f.kind != fragment_kind::media) continue;
    BOOST_TEST(f.start_us >= last_us);
    last_us = f.end_us;
  }
  BOOST_TEST(last_us > start.base_us);
  BOOST_TEST(events("gap").empty());
}

BOOST_FIXTURE_TEST_CASE(a_change_of_size_begins_a_new_init_segment_and_loses_no_frame, loop_world) {
  run();
  script->show({64, 64, 10});
  script->show({128, 96, 20});
  script->show({128, 96, 30});
  script->show({64, 64, 40});
  script->finish();
  BOOST_TEST(!hear_end().failed);
  BOOST_TEST(fragments(fragment_kind::init) == 3u);
  BOOST_TEST(frames() >= 4u); // And the last one again, to show how long it stood.
  BOOST_TEST(frames() <= 5u);
  auto encoders = events("encoder");
  BOOST_REQUIRE(encoders.size() == 3u);
  BOOST_TEST(json::parse(encoders[1].detail).at("width") == 128);
}

BOOST_FIXTURE_TEST_CASE(an_idle_desktop_sends_nothing_but_signs_of_life, loop_world) {
  run();
  script->show({64, 64, 10});
  hear_media(1);
  hear_until([&] { return !all<worker_stats>().empty(); });
  auto before = heard.size();
  auto stats = all<worker_stats>().size();
  hear_until([&] { return all<worker_stats>().size() >= stats + 1; });
  BOOST_TEST(heard.size() - before == all<worker_stats>().size() - stats);
  BOOST_TEST(script->poll_count() > 5u); // It was looked at all the while.
  script->finish();
  BOOST_TEST(!hear_end().failed);
}
