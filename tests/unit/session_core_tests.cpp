// tests/unit/session_core_tests.cpp - the life of a session, its ends, and its return after restarts.
#define BOOST_TEST_MODULE session_core_tests
#include <boost/test/unit_test.hpp>

#include <random>

#include "actors/session/session_core.hpp"

using namespace lucid;
using namespace lucid::session_action;

namespace {

constexpr unix_time_us second_us = 1'000'000;
constexpr unix_time_us t0 = 1'700'000'000 * second_us;

session_summary fresh() {
  session_summary s;
  s.id[0] = 1;
  s.created_us = t0;
  return s;
}

template <class Action>
const Action* find(const session_commands& commands) {
  for (auto& c : commands)
    if (auto* found = std::get_if<Action>(&c)) return found;
  return nullptr;
}

/// The state that the store would know after `commands`.
session_summary persisted(const session_commands& commands, session_summary before) {
  for (auto& c : commands)
    if (auto* p = std::get_if<persist>(&c)) before = p->summary;
  return before;
}

const error no_space{errc::disk_full, "store", "no space left on the disk", nullptr};

} // namespace

BOOST_AUTO_TEST_CASE(an_undisturbed_session_is_completed) {
  session_core core(fresh(), {}, false);
  BOOST_TEST(find<start_capture>(core.start(t0)));
  BOOST_TEST(find<wake_after>(core.capture_started(t0)));
  BOOST_TEST((core.state() == session_state::recording));
  BOOST_TEST(find<stop_capture>(core.stop_requested("asked to", t0)));
  BOOST_TEST(core.stop_requested("asked again", t0).empty());
  BOOST_TEST(find<finish_chunks>(core.capture_ended({"stopped", errc::cancelled, false}, t0)));
  BOOST_TEST(find<build_manifest>(core.chunks_finished({3, 99}, t0)));
  anchor_entry entry;
  entry.session[0] = 1;
  BOOST_TEST(find<anchor>(core.manifest_built(entry, t0)));
  anchor_record record{entry, 7, 0, {}};
  auto last = core.anchored({record, {}}, t0);
  BOOST_REQUIRE(find<finished>(last));
  BOOST_TEST((core.state() == session_state::completed));
  BOOST_TEST(core.summary().block_height == 7u);
  BOOST_TEST((core.summary().block_producer == sign_public_key{})); // The node's own chain.
  BOOST_TEST(core.summary().reason == "asked to");
}

BOOST_AUTO_TEST_CASE(a_session_that_another_node_anchored_says_whose_chain_it_is_in) {
  auto row = fresh();
  row.state = session_state::anchoring;
  session_core core(row, {}, true);
  core.start(t0);
  anchor_entry entry;
  entry.session[0] = 1;
  core.manifest_built(entry, t0);
  block_header block;
  block.height = 7;
  block.producer.fill(5);
  auto last = core.anchored({{entry, 7, 0, {}}, block}, t0);
  auto persisted = std::get_if<session_action::persist>(&last.front());
  BOOST_REQUIRE(persisted);
  BOOST_TEST((persisted->summary.block_height == 7 && persisted->summary.block_producer == block.producer));
}

BOOST_AUTO_TEST_CASE(a_source_that_never_starts_fails_the_session) {
  session_core core(fresh(), {}, false);
  core.start(t0);
  auto commands = core.capture_ended({"the server refused the password", errc::login_failed, true}, t0);
  BOOST_REQUIRE(find<finished>(commands));
  BOOST_TEST((core.state() == session_state::failed));
  BOOST_TEST(core.summary().reason == "the server refused the password");
}

BOOST_AUTO_TEST_CASE(recording_fails_closed_when_the_store_cannot_keep_it) {
  session_core core(fresh(), {}, false);
  core.start(t0);
  core.capture_started(t0);
  auto commands = core.trouble(no_space, t0);
  BOOST_TEST(find<stop_capture>(commands));
  BOOST_TEST(find<finish_chunks>(commands));
  BOOST_TEST((core.state() == session_state::sealing));
  BOOST_TEST(core.summary().reason == "recording ended: no space left on the disk (disk_full)");
}

BOOST_AUTO_TEST_CASE(trouble_after_the_end_is_tried_again_with_growing_bounded_pauses) {
  session_limits limits;
  session_core core(fresh(), limits, false);
  core.start(t0);
  core.capture_started(t0);
  core.capture_ended({"end", errc::cancelled, false}, t0);
  auto expected = limits.retry_min;
  for (int i = 0; i < 20; ++i) {
    auto pause = core.trouble(no_space, t0);
    BOOST_REQUIRE(find<wake_after>(pause));
    BOOST_TEST(find<wake_after>(pause)->delay.count() == expected.count());
    expected = std::min(expected * 2, limits.retry_max);
    BOOST_TEST(find<finish_chunks>(core.woken(t0)));
  }
  BOOST_TEST((core.state() == session_state::sealing));
}

BOOST_AUTO_TEST_CASE(a_node_that_went_down_while_recording_leaves_an_interrupted_session) {
  auto left = fresh();
  left.state = session_state::recording;
  session_core core(left, {}, true);
  auto commands = core.start(t0);
  BOOST_TEST(find<finish_chunks>(commands));
  auto kept = persisted(commands, left);
  BOOST_TEST(kept.interrupted);

  // It goes down again while sealing: the mark stays.
  session_core again(kept, {}, true);
  BOOST_TEST(find<finish_chunks>(again.start(t0)));
  auto built = again.chunks_finished({1, 5}, t0);
  BOOST_REQUIRE(find<build_manifest>(built));
  BOOST_TEST(find<build_manifest>(built)->interrupted);
  again.manifest_built({{1}, {}, {}, 0}, t0);
  again.anchored({{{{1}, {}, {}, 0}, 3, 0, {}}, {}}, t0);
  BOOST_TEST((again.state() == session_state::interrupted));
}

BOOST_AUTO_TEST_CASE(a_restarted_session_actor_asks_capture_again_how_it_stands) {
  auto known = fresh();
  known.state = session_state::recording;
  session_core again(known, {}, false);
  auto commands = again.start(t0);
  BOOST_TEST(find<start_capture>(commands));
  BOOST_TEST(find<wake_after>(commands)); // The deadline.
  BOOST_TEST(again.capture_started(t0).empty());
  BOOST_TEST(find<finish_chunks>(again.capture_ended({"the source is at its end", errc::cancelled, false}, t0)));
}

BOOST_AUTO_TEST_CASE(a_wish_to_stop_outlives_the_actor_that_heard_it) {
  session_core core(fresh(), {}, false);
  core.start(t0);
  auto known = persisted(core.capture_started(t0), fresh());
  auto asked = core.stop_requested("enough", t0);
  BOOST_TEST(find<stop_capture>(asked));
  known = persisted(asked, known);
  BOOST_TEST((known.state == session_state::recording));
  session_core again(known, {}, false);
  auto commands = again.start(t0);
  BOOST_REQUIRE(find<stop_capture>(commands));
  BOOST_TEST(find<stop_capture>(commands)->reason == "enough");
  BOOST_TEST(!find<start_capture>(commands));
  again.capture_ended({"stopped", errc::cancelled, false}, t0);
  BOOST_TEST(again.summary().reason == "enough");
}

BOOST_AUTO_TEST_CASE(trouble_that_is_told_often_is_one_retry_at_a_time) {
  auto known = fresh();
  known.state = session_state::sealing;
  session_core core(known, {}, false);
  core.start(t0);
  BOOST_TEST(find<wake_after>(core.trouble(no_space, t0)));
  for (int i = 0; i < 5; ++i) BOOST_TEST(core.trouble(no_space, t0).empty());
  BOOST_TEST(find<finish_chunks>(core.woken(t0)));
  BOOST_TEST(find<wake_after>(core.trouble(no_space, t0)));
}

BOOST_AUTO_TEST_CASE(a_session_whose_anchor_is_stored_needs_no_second_one) {
  auto known = fresh();
  known.state = session_state::anchoring;
  known.block_height = 4;
  session_core again(known, {}, false);
  auto commands = again.start(t0);
  BOOST_TEST(!find<build_manifest>(commands));
  BOOST_TEST(find<finished>(commands));
  BOOST_TEST((again.state() == session_state::completed));
}

BOOST_AUTO_TEST_CASE(a_session_that_was_only_created_when_the_node_went_down_has_failed) {
  session_core core(fresh(), {}, true);
  BOOST_TEST(find<finished>(core.start(t0)));
  BOOST_TEST((core.state() == session_state::failed));
}

BOOST_AUTO_TEST_CASE(a_finished_recording_is_not_marked_by_a_later_crash) {
  auto left = fresh();
  left.state = session_state::anchoring;
  session_core core(left, {}, true);
  auto commands = core.start(t0);
  BOOST_REQUIRE(find<build_manifest>(commands)); // The entry is asked for again.
  BOOST_TEST(!find<build_manifest>(commands)->interrupted);
  anchor_entry entry{{1}, {2}, {3}, 4};
  BOOST_TEST(find<anchor>(core.manifest_built(entry, t0)));
  core.anchored({{entry, 9, 0, {}}, {}}, t0);
  BOOST_TEST((core.state() == session_state::completed));
}

BOOST_AUTO_TEST_CASE(the_maximum_length_ends_a_session_and_can_be_extended) {
  session_limits limits;
  limits.length_max = std::chrono::seconds(10);
  session_core core(fresh(), limits, false);
  core.start(t0);
  core.capture_started(t0);
  session_progress seen;
  seen.started_us = t0 + second_us;
  core.progress(seen);
  BOOST_TEST(!find<stop_capture>(core.woken(t0 + 10 * second_us)));
  auto later = core.extend(std::chrono::seconds(5), t0 + 10 * second_us);
  BOOST_REQUIRE(later.has_value());
  BOOST_TEST(!find<stop_capture>(core.woken(t0 + 15 * second_us)));
  BOOST_TEST(find<stop_capture>(core.woken(t0 + 16 * second_us)));
  BOOST_TEST((core.extend(std::chrono::seconds(1), t0).error().code == errc::wrong_state));
}

BOOST_AUTO_TEST_CASE(a_session_without_a_single_chunk_has_failed) {
  auto left = fresh();
  left.state = session_state::recording;
  session_core core(left, {}, true);
  core.start(t0);
  BOOST_TEST(find<finished>(core.chunks_finished({0, 0}, t0)));
  BOOST_TEST((core.state() == session_state::failed));
}

BOOST_AUTO_TEST_CASE(restarts_at_any_step_end_in_the_same_state_as_none) {
  for (std::uint32_t seed = 1; seed <= 500; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::mt19937 random(seed);
      auto store = fresh();
      auto core = std::make_unique<session_core>(store, session_limits{}, false);
      session_commands todo = core->start(t0);
      bool captured = false;
      for (int steps = 0; steps < 200 && !todo.empty(); ++steps) {
        auto command = todo.front();
        todo.erase(todo.begin());
        auto add = [&](session_commands more) { todo.insert(todo.end(), more.begin(), more.end()); };
        if (auto* p = std::get_if<persist>(&command)) store = p->summary;
        if (random() % 5 == 0) { // The actor dies here and comes back from what the store has.
          core = std::make_unique<session_core>(store, session_limits{}, false);
          todo = core->start(t0);
          continue;
        }
        if (std::get_if<start_capture>(&command)) add(core->capture_started(t0)), captured = true;
        if (std::get_if<wake_after>(&command) && captured) add(core->stop_requested("enough", t0));
        if (std::get_if<stop_capture>(&command)) add(core->capture_ended({"enough", errc::cancelled, false}, t0));
        if (std::get_if<finish_chunks>(&command)) add(core->chunks_finished({2, 10}, t0));
        if (std::get_if<build_manifest>(&command)) add(core->manifest_built({{1}, {2}, {3}, 4}, t0));
        if (std::get_if<anchor>(&command)) add(core->anchored({{{{1}, {2}, {3}, 4}, 5, 0, {}}, {}}, t0));
        if (std::get_if<finished>(&command)) break;
      }
      BOOST_TEST((core->state() == session_state::completed));
    }
  }
}
