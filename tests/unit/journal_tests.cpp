// tests/unit/journal_tests.cpp - the journal: what is synced is there after a loss of power, and damage is told.
#define BOOST_TEST_MODULE journal_tests
#include <boost/test/unit_test.hpp>

#include <random>

#include "actors/journal/journal_file.hpp"
#include "messages/data_layout.hpp"
#include "tests/doubles/faulty_file_system.hpp"
#include "tests/doubles/must.hpp"

using namespace lucid;
using namespace std::chrono_literals;
using lucid::testing::faulty_file_system;
using lucid::testing::must;

namespace {

/// Bytes that depend on the seed only.
class seeded_random final : public random_port {
public:
  explicit seeded_random(std::uint64_t seed) : engine_(seed) {}
  void fill(std::span<std::uint8_t> into) override {
    for (auto& byte : into) byte = static_cast<std::uint8_t>(engine_());
  }

private:
  std::mt19937_64 engine_;
};

fragment video(std::uint64_t sequence, std::size_t size = 100) {
  fragment f;
  f.sequence = sequence;
  f.kind = fragment_kind::media;
  f.key_frame = sequence % 10 == 1;
  f.frame_count = 3;
  f.start_us = static_cast<std::int64_t>(sequence) * 1000;
  f.end_us = f.start_us + 1000;
  byte_buffer bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(sequence * 31 + i);
  f.bytes = payload(std::move(bytes));
  return f;
}

fragment event(std::uint64_t sequence) {
  auto f = video(sequence, 40);
  f.on = track::events;
  f.kind = fragment_kind::event;
  f.key_frame = false;
  f.frame_count = 1; // A gap event: must not be counted as a video frame.
  return f;
}

bool same(const fragment& a, const fragment& b) {
  return a.sequence == b.sequence && a.on == b.on && a.kind == b.kind && a.key_frame == b.key_frame &&
         a.frame_count == b.frame_count && a.start_us == b.start_us && a.end_us == b.end_us &&
         as_text(a.bytes.view()) == as_text(b.bytes.view());
}

struct desk {
  faulty_file_system fs;
  seeded_random random{7};
  std::shared_ptr<const session_key> key = std::make_shared<const session_key>(make_session_key(random));
  journal_options options{session_id{1, 2, 3}, "/data/sessions/010203", {}};

  desk() { options.limits.segment_size_bytes = 2000; }
  outcome<journal_file> open() { return journal_file::open(options, fs, key, random); }
  std::filesystem::path segment(std::uint32_t number) const { return options.folder / journal_file_name(number); }
};

std::vector<fragment> read_all(journal_file& journal, std::uint64_t after = 0, std::uint32_t page_bytes = 1500) {
  std::vector<fragment> all;
  for (;;) {
    auto page = must(journal.read({after, page_bytes}));
    if (page.fragments.empty()) return all;
    for (auto& f : page.fragments) all.push_back(f);
    after = all.back().sequence;
  }
}

} // namespace

BOOST_AUTO_TEST_CASE(the_core_admits_the_next_repeats_and_no_hole) {
  journal_core core({}, {});
  BOOST_TEST((core.admit(1).value() == journal_core::admission::write));
  BOOST_TEST((core.admit(0).error().code == errc::wrong_state));
  BOOST_TEST((core.admit(2).error().code == errc::wrong_state));
  core.opened(112);
  core.wrote(video(1), 200, 5s);
  BOOST_TEST((core.admit(1).value() == journal_core::admission::wait));
  BOOST_TEST((core.admit(2).value() == journal_core::admission::write));
  core.synced();
  BOOST_TEST((core.admit(1).value() == journal_core::admission::done));
}

BOOST_AUTO_TEST_CASE(a_sync_is_due_by_bytes_or_by_time_since_the_first_unsynced_record) {
  journal_limits limits;
  limits.unsynced_bytes_max = 1000;
  limits.sync_interval = 1s;
  journal_core core(limits, {});
  core.opened(112);
  BOOST_TEST(!core.sync_at().has_value());
  BOOST_TEST(!core.sync_due(100s));
  core.wrote(video(1), 400, 10s);
  core.wrote(video(2), 400, 10900ms);
  BOOST_TEST((core.sync_at() == 11s));
  BOOST_TEST(!core.sync_due(10999ms));
  BOOST_TEST(core.sync_due(11s));
  core.wrote(video(3), 200, 10950ms);
  BOOST_TEST(core.sync_due(10950ms));
  BOOST_TEST(core.synced_bytes() == 0u);
  core.synced();
  core.synced();
  BOOST_TEST(core.synced_bytes() == 1000u);
  BOOST_TEST(core.unsynced_bytes() == 0u);
  BOOST_TEST(!core.sync_due(100s));
}

BOOST_AUTO_TEST_CASE(what_was_written_is_read_back_in_order_across_segments_and_restarts) {
  desk d;
  std::vector<fragment> sent;
  {
    auto journal = must(d.open());
    for (std::uint64_t s = 1; s <= 60; ++s) {
      sent.push_back(s % 4 ? video(s) : event(s));
      must(journal.write(sent.back(), 0s));
    }
    BOOST_TEST(journal.core().segments().size() > 3u);
    must(journal.sync());
    BOOST_TEST((journal.write(video(60), 0s).value() == journal_core::admission::done));
    BOOST_TEST((journal.write(video(62), 0s).error().code == errc::wrong_state));
  }
  auto journal = must(d.open());
  BOOST_TEST(journal.losses().empty());
  BOOST_TEST(journal.core().durable().last_sequence == 60u);
  BOOST_TEST(journal.core().durable().source.frame_count == 45u * 3u);
  BOOST_TEST(journal.core().durable().source.recorded_until_us == 61'000);
  auto got = read_all(journal);
  BOOST_REQUIRE(got.size() == sent.size());
  for (std::size_t i = 0; i < got.size(); ++i) BOOST_TEST(same(got[i], sent[i]));
  BOOST_TEST(read_all(journal, 57).size() == 3u);
  BOOST_TEST(must(journal.read({0, 1})).fragments.size() == 1u); // At least one, however small the page.
}

BOOST_AUTO_TEST_CASE(what_is_not_synced_is_not_told) {
  desk d;
  auto journal = must(d.open());
  must(journal.write(video(1), 0s));
  BOOST_TEST(journal.core().durable().last_sequence == 0u);
  BOOST_TEST(read_all(journal).empty());
  must(journal.sync());
  BOOST_TEST(read_all(journal).size() == 1u);
  must(journal.write(video(2), 0s));
  BOOST_TEST(read_all(journal).size() == 1u);
}

BOOST_AUTO_TEST_CASE(the_journal_of_another_key_is_not_opened) {
  desk d;
  {
    auto journal = must(d.open());
    must(journal.write(video(1), 0s));
    must(journal.sync());
  }
  d.key = std::make_shared<const session_key>(make_session_key(d.random));
  BOOST_TEST((d.open().error().code == errc::wrong_key));
}

BOOST_AUTO_TEST_CASE(segments_whose_fragments_are_stored_go_and_the_position_stays) {
  desk d;
  auto journal = must(d.open());
  for (std::uint64_t s = 1; s <= 60; ++s) must(journal.write(video(s), 0s));
  must(journal.sync());
  auto before = journal.core().segments().size();
  must(journal.drop({30, 0}));
  BOOST_TEST(journal.core().segments().size() < before);
  BOOST_TEST(read_all(journal, 30).size() == 30u);
  must(journal.drop({60, 60}));
  BOOST_TEST(journal.core().segments().size() == 1u); // The newest holds the position.
  auto again = must(d.open());
  BOOST_TEST(again.core().durable().last_sequence == 60u);
  BOOST_TEST(again.core().durable().source.frame_count == 180u);
  must(again.write(video(61), 0s));
  must(again.sync());
  BOOST_TEST(read_all(again, 60).size() == 1u);
}

BOOST_AUTO_TEST_CASE(events_that_are_still_needed_outlive_the_video_around_them) {
  desk d;
  d.options.limits.carry_size_bytes_min = 1500;
  auto journal = must(d.open());
  std::vector<std::uint64_t> events;
  std::size_t most_files = 0;
  for (std::uint64_t s = 1; s <= 600; ++s) {
    bool is_event = s % 50 == 7;
    if (is_event) events.push_back(s);
    must(journal.write(is_event ? event(s) : video(s), 0s));
    if (s % 20 == 0) {
      must(journal.sync());
      must(journal.drop({s - 10, 0}));
      most_files = std::max(most_files, d.fs.list(d.options.folder).value().size());
    }
  }
  must(journal.sync());
  BOOST_TEST(most_files < 12u); // Of about 60 segments.
  for (auto* which : {"running", "restarted"}) {
    BOOST_TEST_CONTEXT(which) {
      auto again = which == std::string("running") ? std::move(journal) : must(d.open());
      std::vector<std::uint64_t> got;
      for (auto& f : read_all(again))
        if (f.on == track::events) {
          BOOST_TEST(same(f, event(f.sequence)));
          got.push_back(f.sequence);
        }
      BOOST_TEST(got == events, boost::test_tools::per_element());
      BOOST_TEST(again.core().durable().last_sequence == 600u);
      BOOST_TEST(again.losses().empty());
      journal = std::move(again);
    }
  }
  must(journal.drop({600, 600}));
  BOOST_TEST(journal.core().segments().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_full_disk_refuses_the_fragment_and_takes_it_once_there_is_room) {
  desk d;
  auto journal = must(d.open());
  for (std::uint64_t s = 1; s <= 5; ++s) must(journal.write(video(s), 0s));
  d.fs.set_capacity(1200);
  std::uint64_t refused = 0;
  for (std::uint64_t s = 6; !refused; ++s) {
    auto written = journal.write(video(s), 0s);
    if (written) continue;
    BOOST_TEST((written.error().code == errc::disk_full));
    refused = s;
  }
  BOOST_TEST((journal.write(video(refused), 0s).error().code == errc::disk_full)); // Again, by no room for a new file.
  d.fs.set_capacity(std::nullopt);
  must(journal.write(video(refused), 0s));
  must(journal.sync());
  BOOST_TEST(read_all(journal).size() == refused);
  auto again = must(d.open());
  BOOST_TEST(again.losses().empty());
  BOOST_TEST(read_all(again).size() == refused);
}

BOOST_AUTO_TEST_CASE(a_failed_sync_acknowledges_nothing_and_what_it_covered_is_taken_back) {
  desk d;
  {
    auto journal = must(d.open());
    must(journal.write(video(1), 0s));
    must(journal.sync());
    must(journal.write(video(2), 0s));
    d.fs.fail_next("sync", errc::io_failed);
    BOOST_TEST((journal.sync().error().code == errc::io_failed));
    BOOST_TEST(journal.broken());
    BOOST_TEST((journal.sync().error().code == errc::io_failed)); // A second success would prove nothing.
    BOOST_TEST(!journal.write(video(3), 0s).has_value());
  }
  auto again = must(d.open());
  BOOST_TEST(again.core().durable().last_sequence == 1u);
  must(again.write(video(2), 0s));
}

BOOST_AUTO_TEST_CASE(damage_in_the_middle_is_told_and_becomes_gap_events) {
  desk d;
  std::size_t count_before = 0;
  {
    auto journal = must(d.open());
    for (std::uint64_t s = 1; s <= 60; ++s) must(journal.write(video(s), 0s));
    must(journal.sync());
    count_before = journal.core().segments().size();
  }
  BOOST_TEST(count_before > 4u);
  d.fs.change(d.segment(1), [](byte_buffer& bytes) { bytes[bytes.size() / 2] ^= 1; });
  auto journal = must(d.open());
  BOOST_REQUIRE(journal.losses().size() == 1u);
  BOOST_TEST((journal.losses()[0].code == errc::corrupted));
  BOOST_TEST(journal.losses()[0].what.find("journal-000001.log") != std::string::npos);
  BOOST_TEST(journal.core().durable().last_sequence == 60u); // No number is used twice.
  auto got = read_all(journal);
  BOOST_REQUIRE(got.size() == 60u);
  int gaps = 0;
  for (std::uint64_t s = 1; s <= 60; ++s) {
    BOOST_TEST(got[s - 1].sequence == s);
    if (same(got[s - 1], video(s))) continue;
    ++gaps;
    BOOST_TEST((got[s - 1].on == track::events && got[s - 1].frame_count == 1));
    BOOST_TEST(as_text(got[s - 1].bytes.view()).find("\"kind\":\"gap\"") != std::string_view::npos);
  }
  BOOST_TEST(gaps > 0);
  BOOST_TEST(gaps < 20);
}

BOOST_AUTO_TEST_CASE(damage_at_the_end_or_of_a_whole_segment_is_told_and_leaves_a_gap_event) {
  for (bool whole : {false, true}) {
    BOOST_TEST_CONTEXT("whole " << whole) {
      desk d;
      std::uint32_t last = 0;
      {
        auto journal = must(d.open());
        for (std::uint64_t s = 1; s <= 57; ++s) must(journal.write(video(s), 0s));
        must(journal.sync());
        last = journal.core().segments().back().number;
        BOOST_TEST(journal.core().segments().back().base.last_sequence + 4 < 57u);
      }
      d.fs.change(d.segment(last), [&](byte_buffer& bytes) { bytes[whole ? 20 : 500] ^= 1; });
      std::size_t kept = 0;
      {
        auto journal = must(d.open());
        BOOST_TEST(journal.losses().size() == 1u);
        auto got = read_all(journal);
        BOOST_REQUIRE(!got.empty());
        kept = got.size();
        BOOST_TEST(kept < 57u);
        BOOST_TEST((got.back().kind == fragment_kind::event));
        must(journal.write(video(kept + 1), 0s));
        must(journal.sync());
      }
      auto again = must(d.open());
      BOOST_TEST(read_all(again).size() == kept + 1);
      BOOST_TEST(d.fs.has(d.options.folder / ("journal-" + std::string("00000") + std::to_string(last) + ".damaged")) ==
                 whole);
    }
  }
}

// A random life: writes, syncs, drops, restarts, and the power goes at a random operation, again and again. Afterwards
// everything that was acknowledged and not dropped is there, unchanged, and nothing is there that was never sent.
BOOST_AUTO_TEST_CASE(whenever_the_power_goes_everything_acknowledged_is_there_and_nothing_torn) {
  int losses_of_power = 0;
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::mt19937_64 random(seed);
      desk d;
      d.options.limits.segment_size_bytes = 400 + random() % 3000;
      d.options.limits.carry_size_bytes_min = 300;
      auto piece = [&](std::uint64_t s) { return (s * 7 + seed) % 5 == 0 ? event(s) : video(s, 20 + s * 13 % 300); };
      std::uint64_t acknowledged = 0, video_dropped = 0, events_dropped = 0;
      for (int life = 0; life < 4; ++life) {
        auto opened = d.open();
        BOOST_REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : to_string(opened.error())));
        auto& journal = *opened;
        BOOST_TEST(journal.losses().empty(), (journal.losses().empty() ? "" : to_string(journal.losses()[0])));
        auto end = journal.core().durable().last_sequence;
        BOOST_TEST(end >= acknowledged);
        acknowledged = end;
        std::uint64_t last = 0;
        bool all_same = true;
        std::vector<bool> seen(end + 1, false);
        for (auto& f : read_all(journal)) {
          bool sound = f.sequence > last && f.sequence <= end && same(f, piece(f.sequence));
          BOOST_TEST(sound, "fragment " << f.sequence << " behind " << last << " of " << end << ": "
                                        << as_text(f.bytes.view().first(std::min<std::size_t>(90, f.bytes.size()))));
          last = f.sequence;
          if (f.sequence <= end) seen[f.sequence] = true;
        }
        BOOST_TEST(all_same);
        std::uint64_t frames = 0;
        for (std::uint64_t s = 1; s <= end; ++s) {
          bool is_video = piece(s).on == track::video;
          if (is_video) frames += 3;
          if (s > (is_video ? video_dropped : events_dropped)) all_same = all_same && seen[s];
        }
        BOOST_TEST(all_same);
        BOOST_TEST(journal.core().durable().source.frame_count == frames);

        d.fs.lose_power_after(random() % 120);
        auto next = end + 1;
        for (int step = 0; step < 200 && !d.fs.power_is_lost() && !journal.broken(); ++step) {
          switch (random() % 10) {
            case 0:
              if (journal.sync()) acknowledged = journal.core().durable().last_sequence;
              break;
            case 1:
              if (acknowledged > 0) {
                video_dropped = std::max(video_dropped, random() % (acknowledged + 1));
                if (random() % 4 == 0) events_dropped = std::max(events_dropped, random() % (acknowledged + 1));
                (void)journal.drop({video_dropped, events_dropped});
              }
              break;
            default:
              if (journal.write(piece(next), 0s)) ++next;
              acknowledged = std::max(acknowledged, journal.core().durable().last_sequence);
          }
        }
        losses_of_power += d.fs.power_is_lost();
        d.fs.restart(random);
      }
    }
  }
  BOOST_TEST(losses_of_power > 1000);
}
