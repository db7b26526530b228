// tests/unit/chunk_core_tests.cpp - where a recording is cut, what is kept, and that a replay cuts the same.
#define BOOST_TEST_MODULE chunk_core_tests
#include <boost/test/unit_test.hpp>

#include <random>

#include "actors/chunk/chunk_core.hpp"

using namespace lucid;

namespace {

/// A recording as capture would deliver it: groups of init, key frame fragment and more; events in between.
std::vector<fragment> make_recording(std::uint32_t seed, std::size_t groups) {
  std::mt19937 random(seed);
  auto between = [&](std::size_t low, std::size_t high) {
    return low + random() % (high - low + 1);
  };
  std::vector<fragment> all;
  unix_time_us now = 1'000'000;
  auto push = [&](track on, fragment_kind kind, std::size_t size, std::uint32_t frames) {
    fragment f;
    f.sequence = all.size() + 1;
    f.on = on;
    f.kind = kind;
    f.key_frame = kind == fragment_kind::media && !all.empty() && all.back().kind == fragment_kind::init;
    f.frame_count = frames;
    f.start_us = now;
    f.end_us = now += 100'000;
    f.bytes = payload(byte_buffer(size, static_cast<std::uint8_t>(all.size())));
    all.push_back(f);
  };
  for (std::size_t g = 0; g < groups; ++g) {
    push(track::video, fragment_kind::init, 800, 0);
    for (auto n = between(1, 6); n > 0; --n) {
      push(track::video, fragment_kind::media, between(1, 900'000), static_cast<std::uint32_t>(between(1, 15)));
      if (random() % 3 == 0) push(track::events, fragment_kind::event, between(20, 4'000'000), random() % 2);
    }
  }
  return all;
}

chunk_record record_of(const plain_chunk& chunk) {
  chunk_record record;
  record.key = chunk.key;
  record.span = chunk.span;
  for (auto& part : chunk.parts) record.plain_size_bytes += part.size();
  record.sealed_size_bytes = record.plain_size_bytes;
  return record;
}

byte_buffer joined(const plain_chunk& chunk) {
  byte_buffer all;
  for (auto& part : chunk.parts) all.insert(all.end(), part.view().begin(), part.view().end());
  return all;
}

std::vector<plain_chunk> added(chunk_core& core, const fragment& piece) {
  auto made = core.add(piece);
  BOOST_REQUIRE(made.has_value());
  return *made;
}

std::vector<plain_chunk> undisturbed(const std::vector<fragment>& recording, chunk_options options) {
  chunk_core core(options, {});
  std::vector<plain_chunk> all;
  for (auto& f : recording) {
    auto made = core.add(f);
    BOOST_REQUIRE(made.has_value());
    for (auto& c : *made) core.stored(record_of(c));
    all.insert(all.end(), made->begin(), made->end());
  }
  auto tail = core.finish();
  all.insert(all.end(), tail.begin(), tail.end());
  for (auto& c : tail) core.stored(record_of(c));
  BOOST_TEST(core.settled());
  return all;
}

chunk_options with_size(std::size_t size_bytes) {
  chunk_options options;
  options.size_bytes = size_bytes;
  return options;
}

} // namespace

// What a page is told of: nothing is counted twice, and no room is no credit.
BOOST_AUTO_TEST_CASE(bytes_held_and_passed_on_are_those_that_came_in) {
  for (std::uint32_t seed = 1; seed <= 5; ++seed) {
    std::mt19937 random(seed);
    auto options = with_size(chunk_size_bytes_min);
    chunk_core core(options, {});
    std::vector<plain_chunk> under_way;
    std::uint64_t came_in = 0, cut = 0, stored = 0;
    auto take = [&](std::vector<plain_chunk> chunks) {
      for (auto& chunk : chunks) {
        cut += record_of(chunk).plain_size_bytes;
        under_way.push_back(std::move(chunk));
      }
    };
    auto store_one = [&] {
      auto one = under_way.begin() + static_cast<std::ptrdiff_t>(random() % under_way.size());
      auto record = record_of(*one);
      stored += record.plain_size_bytes;
      core.stored(record);
      core.stored(record); // Told twice, counted once.
      under_way.erase(one);
    };
    for (auto& f : make_recording(seed, 40)) {
      take(added(core, f));
      came_in += f.bytes.size();
      if (!under_way.empty() && random() % 8 == 0) store_one();
      BOOST_REQUIRE(core.passed_bytes() == stored);
      BOOST_REQUIRE(core.held_bytes() >= cut - stored);
      BOOST_REQUIRE(core.held_bytes() + core.passed_bytes() >= came_in); // More by repeated init segments alone.
      BOOST_REQUIRE(core.in_flight_count() == under_way.size());
      BOOST_REQUIRE((core.room_bytes() == 0) == !core.has_room());
      BOOST_REQUIRE(core.room_bytes() <= core.room_bytes_max());
    }
    take(core.finish());
    BOOST_TEST(core.held_bytes() == cut - stored);
    while (!under_way.empty()) store_one();
    BOOST_TEST(core.held_bytes() == 0u);
    BOOST_TEST(core.passed_bytes() == cut);
  }
}

BOOST_AUTO_TEST_CASE(chunks_hold_every_byte_once_and_start_where_they_can_be_played) {
  auto recording = make_recording(1, 60);
  auto chunks = undisturbed(recording, with_size(chunk_size_bytes_default));
  byte_buffer video_in, video_out;
  for (auto& f : recording)
    if (f.on == track::video) video_in.insert(video_in.end(), f.bytes.view().begin(), f.bytes.view().end());
  std::size_t video_chunks = 0;
  for (auto& c : chunks) {
    if (c.key.on != track::video) continue;
    BOOST_TEST(c.key.index == video_chunks++);
    BOOST_TEST((recording[c.span.first_sequence - 1].kind == fragment_kind::init));
    auto bytes = joined(c);
    if (!c.last_of_track) BOOST_TEST(bytes.size() >= chunk_size_bytes_min);
    BOOST_TEST(bytes.size() <= chunk_size_bytes_max);
    video_out.insert(video_out.end(), bytes.begin(), bytes.end());
  }
  BOOST_TEST(video_chunks > 3u);
  BOOST_TEST((video_in == video_out));
}

BOOST_AUTO_TEST_CASE(after_a_crash_anywhere_the_same_chunks_are_cut_again) {
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      auto recording = make_recording(seed, 30);
      auto options = with_size(chunk_size_bytes_min);
      auto expected = undisturbed(recording, options);

      std::mt19937 random(seed * 7919);
      std::vector<chunk_record> store;
      std::vector<plain_chunk> made;
      auto core = std::make_unique<chunk_core>(options, store);
      auto keep = [&](const plain_chunk& c) {
        bool known = std::any_of(made.begin(), made.end(), [&](auto& m) { return m.key == c.key; });
        if (!known) made.push_back(c);
      };
      for (std::size_t i = 0; i < recording.size(); ++i) {
        auto complete = core->add(recording[i]);
        BOOST_REQUIRE(complete.has_value());
        for (auto& c : *complete) keep(c);
        // The store settles some, in any order.
        auto flying = core->in_flight();
        std::shuffle(flying.begin(), flying.end(), random);
        for (auto& c : flying)
          if (random() % 4 == 0) {
            core->stored(record_of(c));
            store.push_back(record_of(c));
          }
        if (random() % 10 == 0) {
          core = std::make_unique<chunk_core>(options, store);
          auto droppable_video = core->droppable(track::video);
          auto droppable_events = core->droppable(track::events);
          for (std::size_t k = 0; k <= i; ++k) {
            auto droppable = recording[k].on == track::video ? droppable_video : droppable_events;
            bool dropped = recording[k].sequence <= droppable;
            if (dropped || recording[k].sequence <= core->replay_after()) continue;
            auto replayed = core->add(recording[k]);
            BOOST_REQUIRE(replayed.has_value());
            for (auto& c : *replayed) keep(c);
          }
        }
      }
      for (auto& c : core->finish()) keep(c);
      BOOST_TEST(made.size() == expected.size());
      for (auto& e : expected) {
        auto same = std::find_if(made.begin(), made.end(), [&](auto& m) { return m.key == e.key; });
        BOOST_REQUIRE((same != made.end()));
        BOOST_TEST((same->span == e.span));
        BOOST_TEST((joined(*same) == joined(e)));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(progress_survives_a_restart) {
  auto recording = make_recording(5, 20);
  chunk_core first(with_size(chunk_size_bytes_min), {});
  std::vector<chunk_record> store;
  for (auto& f : recording)
    for (auto& c : added(first, f)) {
      store.push_back(record_of(c));
      first.stored(store.back());
    }
  chunk_core second(with_size(chunk_size_bytes_min), store);
  for (auto& f : recording)
    if (f.sequence > second.droppable(f.on)) BOOST_REQUIRE(second.add(f).has_value());
  BOOST_TEST(second.progress().frame_count == first.progress().frame_count);
  BOOST_TEST(second.progress().gap_count == first.progress().gap_count);
  BOOST_TEST(second.progress().captured_bytes == first.progress().captured_bytes);
  BOOST_TEST(second.progress().stored_bytes == first.progress().stored_bytes);
  BOOST_TEST(second.progress().started_us == first.progress().started_us);
  BOOST_TEST(second.progress().ended_us == first.progress().ended_us);
  BOOST_TEST(second.last_sequence() == first.last_sequence());
}

BOOST_AUTO_TEST_CASE(a_hole_in_the_sequence_is_refused_and_a_repeat_is_not) {
  auto recording = make_recording(2, 2);
  chunk_core core({}, {});
  BOOST_TEST(core.add(recording[0]).has_value());
  BOOST_TEST(core.add(recording[0]).has_value());
  auto hole = core.add(recording[2]);
  BOOST_REQUIRE(!hole.has_value());
  BOOST_TEST((hole.error().code == errc::wrong_state));
  BOOST_TEST(core.last_sequence() == 1u);
  BOOST_TEST(core.add(recording[1]).has_value());
}

BOOST_AUTO_TEST_CASE(fragments_out_of_bounds_are_refused) {
  chunk_core core({}, {});
  fragment f;
  f.sequence = 1;
  BOOST_TEST((core.add(f).error().code == errc::limit_exceeded)); // Empty.
  f.bytes = payload(byte_buffer(fragment_size_bytes_max + 1));
  BOOST_TEST((core.add(f).error().code == errc::limit_exceeded));
  f.bytes = payload(byte_buffer(1));
  f.on = track::events; // A media fragment on the wrong track.
  BOOST_TEST((core.add(f).error().code == errc::limit_exceeded));
}

BOOST_AUTO_TEST_CASE(a_group_that_would_burst_a_chunk_is_cut_and_starts_with_its_init) {
  chunk_core core({}, {});
  std::vector<plain_chunk> cut;
  for (std::uint64_t i = 1; i <= 6; ++i) {
    fragment f;
    f.sequence = i;
    f.kind = i == 1 ? fragment_kind::init : fragment_kind::media;
    f.bytes = payload(byte_buffer(i == 1 ? 900 : fragment_size_bytes_max, static_cast<std::uint8_t>(i)));
    for (auto& c : added(core, f)) cut.push_back(c);
  }
  auto tail = core.finish();
  BOOST_REQUIRE(cut.size() == 1u);
  BOOST_REQUIRE(tail.size() == 1u);
  BOOST_TEST(joined(cut[0]).size() <= chunk_size_bytes_max);
  BOOST_TEST(tail[0].parts.front().size() == 900u);
  BOOST_TEST(tail[0].last_of_track);
}

BOOST_AUTO_TEST_CASE(without_room_nothing_more_should_be_acknowledged) {
  chunk_options options = with_size(chunk_size_bytes_min);
  options.in_flight_max = 1;
  chunk_core core(options, {});
  std::vector<plain_chunk> cut;
  for (auto& f : make_recording(3, 40)) {
    for (auto& c : added(core, f)) cut.push_back(c);
    if (!cut.empty()) break;
  }
  BOOST_REQUIRE(cut.size() == 1u);
  BOOST_TEST(!core.has_room());
  core.stored(record_of(cut[0]));
  BOOST_TEST(core.has_room());
  core.stored(record_of(cut[0])); // Told twice: nothing changes.
  BOOST_TEST(core.progress().chunk_count == 1u);
}

BOOST_AUTO_TEST_CASE(nothing_is_added_after_the_end) {
  chunk_core core({}, {});
  BOOST_TEST(core.finish().empty());
  BOOST_TEST(core.settled());
  auto late = core.add(make_recording(1, 1)[0]);
  BOOST_REQUIRE(!late.has_value());
  BOOST_TEST((late.error().code == errc::wrong_state));
}
