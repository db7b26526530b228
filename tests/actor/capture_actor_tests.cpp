// tests/actor/capture_actor_tests.cpp - capture between a scripted worker and a chunk that acknowledges, fails or dies.
#define BOOST_TEST_MODULE capture_actor_tests
#include <boost/test/unit_test.hpp>

#include <map>

#include "actors/capture/capture_actor.hpp"
#include "fixture.hpp"
#include "messages/paths.hpp"
#include "messages/pipeline_api.hpp"
#include "messages/storage_api.hpp"
#include "tests/doubles/scripted_worker.hpp"

using namespace lucid;
using namespace lucid::test;
using lucid::testing::scripted_worker;
using lucid::testing::worker_script;

namespace {

const session_id some_session{7};

/// What the doubles around capture hold; outlives their incarnations.
struct surroundings {
  session_state recorded_state = session_state::created;
  std::string source = "generator:";
  std::vector<fragment> journal;       ///< What chunk took, in order.
  bool chunk_refuses = false;
  std::vector<capture_end> ends;
};
using surroundings_ptr = std::shared_ptr<surroundings>;

struct double_state {
  static inline const char* name = "double";
};
using double_actor = caf::stateful_actor<double_state>;

/// Store, journal, chunk and session in one behaviour: each asks only for its own messages.
caf::behavior neighbour(double_actor* self, actor_context ctx, surroundings_ptr around) {
  return supervised(
    self, ctx,
    {
      [around](const session_get_request&) {
        session_row row;
        row.summary.state = around->recorded_state;
        row.summary.created_us = 1000;
        row.what.source = around->source;
        return row;
      },
      [around](const journal_sync_request&) {
        capture_position at;
        for (const auto& f : around->journal) {
          at.last_sequence = f.sequence;
          if (f.kind != fragment_kind::media) continue;
          at.source.frame_count += f.frame_count;
          at.source.recorded_until_us = f.end_us;
        }
        return at;
      },
      [around](const fragment& f) -> caf::result<std::uint64_t> {
        if (around->chunk_refuses) return to_caf({errc::busy, "chunk", "told to refuse", nullptr});
        auto last = around->journal.empty() ? 0 : around->journal.back().sequence;
        if (f.sequence > last + 1) return to_caf({errc::wrong_state, "chunk", "a hole", nullptr});
        if (f.sequence == last + 1) around->journal.push_back(f);
        return f.sequence;
      },
      [around](const capture_end& end) { around->ends.push_back(end); },
    });
}

struct pins_in_memory final : pin_table {
  std::map<std::string, std::string> known;
  outcome<std::optional<std::string>> find(const std::string& host) override {
    auto found = known.find(host);
    return found == known.end() ? std::nullopt : std::optional(found->second);
  }
  outcome<void> pin(const std::string& host, const std::string& fingerprint) override {
    known[host] = fingerprint;
    return {};
  }
};

struct capture_world : world {
  surroundings_ptr around = std::make_shared<surroundings>();
  std::shared_ptr<worker_script> script = std::make_shared<worker_script>();
  std::shared_ptr<pins_in_memory> pins = std::make_shared<pins_in_memory>();

  std::string path(const std::string& role) const { return paths::of_session(some_session, role); }

  child_spec double_child(const std::string& id) const {
    return {.id = id, .start = child_of(neighbour, around), .shutdown_timeout = 100ms, .delay = {0ms, 0ms}};
  }

  pin_policy policy = pin_policy::first_use;
  std::chrono::milliseconds silence_max = 60s;

  void begin() {
    capture_parts parts;
    parts.policy = policy;
    parts.silence_max = silence_max;
    parts.options.session = some_session;
    parts.start_worker = scripted_worker::starter(script);
    parts.pins = pins;
    parts.password = [] { return std::string("secret"); };
    auto capture = capture_child(parts, false);
    capture.delay = {0ms, 0ms};
    supervisor_spec storage{.id = "storage", .restarts_max = 1000, .children = {double_child("store")}};
    // one_for_one: a test kills one at a time and looks at capture alone.
    supervisor_spec session{.id = to_hex(some_session), .restarts_max = 1000,
                            .children = {double_child("journal"), capture, double_child("chunk"), double_child("session")}};
    supervisor_spec sessions{.id = "sessions", .restarts_max = 1000, .children = {nested(session)}};
    start({.id = "root", .restarts_max = 1000, .children = {nested(storage), nested(sessions)}});
  }

  using answer = std::shared_ptr<std::optional<outcome<capture_position>>>;

  template <class Message>
  answer ask(Message message) {
    auto got = std::make_shared<std::optional<outcome<capture_position>>>();
    system.spawn([this, message, got](caf::event_based_actor* self) {
      ref<capture_api>(names, path("capture"))
        .request(self, caf::infinite, message)
        .then([got](const capture_position& at) { got->emplace(at); },
              [got](const caf::error& e) { got->emplace(tl::unexpected(from_caf(e))); });
    });
    advance(0ms);
    return got;
  }

  answer start_capture() {
    capture_start_request wish;
    wish.session = some_session;
    wish.what.source = around->source;
    around->recorded_state = session_state::recording;
    return ask(wish);
  }

  void deliver(std::uint64_t number) {
    fragment f;
    f.frame_count = 1;
    f.start_us = static_cast<std::int64_t>(1000 + number * 10);
    f.end_us = f.start_us + 10;
    f.bytes = payload(byte_buffer(100, static_cast<std::uint8_t>(number)));
    script->say(f);
    advance(0ms);
  }

  std::uint64_t frames() const {
    std::uint64_t count = 0;
    for (const auto& f : around->journal)
      if (f.kind == fragment_kind::media) count += f.frame_count;
    return count;
  }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_start_is_answered_with_the_first_frame_and_credit_comes_back, capture_world) {
  begin();
  auto started = start_capture();
  BOOST_TEST(script->start_count == 1);
  auto orders = script->all_heard<worker_start>();
  BOOST_REQUIRE(orders.size() == 1u);
  BOOST_TEST(orders[0].what.password == "secret");
  BOOST_TEST(orders[0].base_us == 1000);
  BOOST_TEST(!started->has_value());
  deliver(0);
  BOOST_REQUIRE(started->has_value());
  BOOST_TEST((*started)->has_value());
  BOOST_TEST(frames() == 1u);
  auto credits = script->all_heard<worker_credit>();
  BOOST_REQUIRE(credits.size() == 1u);
  BOOST_TEST(credits[0].bytes == 100u);
}

BOOST_FIXTURE_TEST_CASE(a_source_that_cannot_be_opened_refuses_the_start_with_its_own_code, capture_world) {
  begin();
  auto started = start_capture();
  script->say(worker_end{"no such desktop", errc::login_failed, true});
  script->vanish(std::nullopt);
  advance(0ms);
  BOOST_REQUIRE(started->has_value());
  BOOST_TEST(((*started)->error().code == errc::login_failed));
  BOOST_TEST(around->ends.size() == 1u); // Also told: whoever asked may have been restarted since.
}

BOOST_FIXTURE_TEST_CASE(the_regular_end_is_told_once_everything_is_acknowledged, capture_world) {
  begin();
  start_capture();
  around->chunk_refuses = true;
  deliver(0);
  script->say(worker_end{"the source is at its end", errc::cancelled, false});
  script->vanish(std::nullopt);
  advance(1s);
  BOOST_TEST(around->ends.empty());
  around->chunk_refuses = false;
  advance(1s);
  BOOST_REQUIRE(around->ends.size() == 1u);
  BOOST_TEST(!around->ends[0].failed);
  BOOST_TEST(frames() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_stop_is_answered_when_the_worker_has_ended_and_all_is_acknowledged, capture_world) {
  begin();
  start_capture();
  deliver(0);
  auto stopped = ask(capture_stop_request{"enough"});
  BOOST_TEST(script->all_heard<worker_stop>().size() == 1u);
  BOOST_TEST(!stopped->has_value());
  deliver(1);
  script->say(worker_end{"stopped", errc::cancelled, false});
  script->vanish(std::nullopt);
  advance(0ms);
  BOOST_REQUIRE(stopped->has_value());
  BOOST_TEST((*stopped)->value().source.frame_count == 2u);
  BOOST_TEST(around->ends.size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_worker_that_ignores_a_stop_or_falls_silent_is_killed, capture_world) {
  begin();
  start_capture();
  deliver(0);
  advance(120s);
  BOOST_TEST(script->kill_count == 1);
  BOOST_TEST(script->start_count == 2);
  deliver(1);
  auto stopped = ask(capture_stop_request{"enough"});
  advance(30s);
  BOOST_TEST(script->kill_count == 2);
  BOOST_TEST(stopped->has_value());
}

BOOST_FIXTURE_TEST_CASE(a_changed_certificate_is_refused_and_ends_the_session, capture_world) {
  around->source = "rdp://host";
  begin();
  auto started = start_capture();
  script->say(worker_certificate{"host:3389", std::string(64, 'a'), "CN=x", "CN=x"});
  advance(0ms);
  BOOST_TEST(script->all_heard<worker_certificate_verdict>().at(0).accepted);
  BOOST_TEST(pins->known.at("host:3389") == std::string(64, 'a'));
  BOOST_TEST(around->journal.size() == 1u); // The pin is an event of the recording.
  script->say(worker_certificate{"host:3389", std::string(64, 'b'), "CN=x", "CN=x"});
  advance(0ms);
  BOOST_TEST(!script->all_heard<worker_certificate_verdict>().at(1).accepted);
  script->say(worker_end{"refused", errc::refused, true});
  script->vanish(std::nullopt);
  advance(0ms);
  BOOST_REQUIRE(started->has_value());
  BOOST_TEST(((*started)->error().code == errc::certificate_changed));
  BOOST_TEST((*started)->error().what.find(std::string(64, 'b')) != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_strict_node_refuses_a_server_that_is_not_pinned_and_says_how_to_pin_it, capture_world) {
  around->source = "rdp://host";
  policy = pin_policy::strict;
  begin();
  auto started = start_capture();
  script->say(worker_certificate{"host:3389", std::string(64, 'a'), "CN=x", "CN=x"});
  advance(0ms);
  BOOST_TEST(!script->all_heard<worker_certificate_verdict>().at(0).accepted);
  BOOST_TEST(pins->known.empty());
  script->say(worker_end{"refused", errc::refused, true});
  script->vanish(std::nullopt);
  advance(0ms);
  BOOST_REQUIRE(started->has_value());
  BOOST_TEST((*started)->error().what.find("host:3389 " + std::string(64, 'a')) != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_strict_node_lets_a_pinned_server_in, capture_world) {
  around->source = "rdp://host";
  policy = pin_policy::strict;
  pins->known["host:3389"] = std::string(64, 'a');
  begin();
  start_capture();
  script->say(worker_certificate{"host:3389", std::string(64, 'a'), "CN=x", "CN=x"});
  advance(0ms);
  BOOST_TEST(script->all_heard<worker_certificate_verdict>().at(0).accepted);
}

BOOST_FIXTURE_TEST_CASE(a_worker_is_killed_after_the_silence_that_is_configured_and_not_before, capture_world) {
  silence_max = 8s;
  begin();
  start_capture();
  deliver(0);
  advance(8s);
  BOOST_TEST(script->kill_count == 0);
  advance(3s);
  BOOST_TEST(script->kill_count == 1);
}

BOOST_FIXTURE_TEST_CASE(a_reconnection_and_a_crash_within_it_are_one_gap_in_the_journal, capture_world) {
  around->source = "rdp://host";
  begin();
  start_capture();
  deliver(0);
  script->say(source_event{5000, "gap", R"({"from_us":1010,"to_us":5000,"reason":"unreachable"})"});
  script->vanish();
  advance(1s);
  BOOST_TEST(script->start_count == 2);
  deliver(1);
  deliver(2);
  std::uint64_t gaps = 0;
  for (auto& f : around->journal)
    if (f.kind == fragment_kind::event) gaps += f.frame_count;
  BOOST_TEST(gaps == 1u);
  BOOST_TEST(around->journal.size() == 4u); // Three frames, one event.
}

BOOST_FIXTURE_TEST_CASE(a_restarted_capture_goes_on_by_itself_where_the_journal_ends, capture_world) {
  begin();
  start_capture();
  for (std::uint64_t n = 0; n < 3; ++n) deliver(n);
  kill(path("capture"));
  BOOST_TEST(script->start_count == 2);
  BOOST_TEST(script->all_heard<worker_start>().back().resume.frame_count == 3u);
  deliver(3);
  BOOST_TEST(frames() == 4u);
}

BOOST_FIXTURE_TEST_CASE(a_capture_restarted_after_the_recording_starts_nothing, capture_world) {
  begin();
  start_capture();
  deliver(0);
  around->recorded_state = session_state::sealing;
  kill(path("capture"));
  BOOST_TEST(script->start_count == 1);
}

BOOST_AUTO_TEST_CASE(random_kills_of_worker_chunk_and_capture_lose_and_repeat_no_frame) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      capture_world w;
      w.begin();
      w.start_capture();
      std::mt19937 random(seed);
      constexpr std::uint64_t frame_count = 60;
      std::uint64_t next = 0;
      int starts_seen = 1;
      for (int step = 0; next < frame_count && step < 2000; ++step) {
        switch (random() % 12) {
          case 0: w.kill(w.path("capture")); break;
          case 1: w.kill(w.path("chunk")); break;
          case 2:
            w.script->vanish();
            w.advance(1s);
            break;
          case 3: w.around->chunk_refuses = !w.around->chunk_refuses; break;
          case 4: w.script->failing_starts = static_cast<int>(random() % 3); break;
          default: break;
        }
        w.advance(1s);
        // A new worker goes on where it was told to.
        if (w.script->start_count != starts_seen && !w.script->heard.empty()) {
          starts_seen = w.script->start_count;
          next = w.script->all_heard<worker_start>().back().resume.frame_count;
        }
        w.deliver(next++);
      }
      w.around->chunk_refuses = false;
      w.advance(30s);
      BOOST_TEST(w.frames() == next);
      for (std::size_t i = 0; i < w.around->journal.size(); ++i) BOOST_TEST(w.around->journal[i].sequence == i + 1);
      std::uint64_t expected = 0;
      for (const auto& f : w.around->journal)
        if (f.kind == fragment_kind::media) BOOST_TEST(f.start_us == static_cast<std::int64_t>(1000 + expected++ * 10));
    }
  }
}
