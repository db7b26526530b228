// tests/unit/journal_codec_tests.cpp - journal files: round trips, torn ends, damage in the middle.
#define BOOST_TEST_MODULE journal_codec_tests
#include <boost/test/unit_test.hpp>

#include "tests/unit/format_fixture.hpp"

using namespace lucid;
using namespace lucid::test;

namespace {

fragment fragment_of(std::uint64_t sequence, std::size_t size_bytes) {
  fragment f;
  f.sequence = sequence;
  f.on = sequence % 3 ? track::video : track::events;
  f.kind = sequence % 3 ? fragment_kind::media : fragment_kind::event;
  f.key_frame = sequence % 2 == 0;
  f.frame_count = static_cast<std::uint32_t>(sequence * 5);
  f.start_us = start_us + static_cast<unix_time_us>(sequence);
  f.end_us = f.start_us + 1000;
  f.bytes = payload(random_bytes(size_bytes, sequence));
  return f;
}

bool same(const fragment& a, const fragment& b) {
  return a.sequence == b.sequence && a.on == b.on && a.kind == b.kind && a.key_frame == b.key_frame &&
         a.frame_count == b.frame_count && a.start_us == b.start_us && a.end_us == b.end_us &&
         std::ranges::equal(a.bytes.view(), b.bytes.view());
}

struct written {
  byte_buffer file;
  std::vector<std::size_t> ends; ///< Of the header and of each record.
};

written write(std::initializer_list<std::size_t> sizes, std::uint64_t first = 7, std::uint32_t segment = 2) {
  seeded_random random(first);
  journal_encoder encoder(session_of(0x11), segment, key_of(0x22), random);
  written w{{encoder.header().begin(), encoder.header().end()}, {encoder.header().size()}};
  for (auto size : sizes) {
    BOOST_TEST_REQUIRE(encoder.append(fragment_of(first++, size), w.file).has_value());
    w.ends.push_back(w.file.size());
  }
  return w;
}

struct read_back {
  std::size_t count = 0;
  std::size_t offset = 0;
  std::optional<errc> stopped;
};

read_back read(byte_view file, const session_key& key = key_of(0x22)) {
  auto decoder = journal_decoder::open(file, key);
  if (!decoder) return {0, 0, decoder.error().code};
  read_back r;
  for (;;) {
    auto next = decoder->next();
    r.offset = decoder->offset_bytes();
    if (!next) {
      r.stopped = next.error().code;
      BOOST_TEST((decoder->next().error().code == *r.stopped));
      return r;
    }
    if (!*next) return r;
    ++r.count;
  }
}

} // namespace

BOOST_AUTO_TEST_CASE(what_was_appended_is_read_back) {
  auto w = write({1, 100, 16384, 200'000});
  auto decoder = journal_decoder::open(w.file, key_of(0x22)).value();
  BOOST_TEST((decoder.header().session == session_of(0x11)));
  BOOST_TEST(decoder.header().segment == 2u);
  std::uint64_t sequence = 7;
  for (std::size_t size : {1u, 100u, 16384u, 200'000u}) {
    BOOST_TEST(same(decoder.next().value().value(), fragment_of(sequence++, size)));
    BOOST_TEST(decoder.offset_bytes() == w.ends[sequence - 7]);
  }
  BOOST_TEST(!decoder.next().value().has_value());
  BOOST_TEST(w.file.size() == journal_header_size_bytes + 4 * journal_record_overhead_size_bytes + 216'485);
}

BOOST_AUTO_TEST_CASE(a_cut_at_any_byte_is_truncated_and_loses_only_the_last_record) {
  auto w = write({30, 40, 50});
  for (std::size_t size = 0; size < w.file.size(); ++size) {
    auto r = read(byte_view(w.file).first(size));
    auto whole = static_cast<std::size_t>(std::upper_bound(w.ends.begin(), w.ends.end(), size) - w.ends.begin());
    bool at_an_end = whole > 0 && w.ends[whole - 1] == size;
    BOOST_TEST((at_an_end ? !r.stopped : r.stopped == errc::truncated), "cut at " << size);
    BOOST_TEST(r.count == (whole > 0 ? whole - 1 : 0), "cut at " << size);
    if (whole > 0) BOOST_TEST(r.offset == w.ends[whole - 1]);
  }
}

BOOST_AUTO_TEST_CASE(every_flipped_byte_is_detected_where_it_is) {
  auto w = write({30, 40, 50});
  for (std::size_t at = 0; at < w.file.size(); ++at) {
    auto file = w.file;
    file[at] ^= 0x40;
    auto r = read(file);
    BOOST_TEST_REQUIRE(r.stopped.has_value(), "byte " << at);
    auto before = static_cast<std::size_t>(std::upper_bound(w.ends.begin(), w.ends.end(), at) - w.ends.begin());
    BOOST_TEST(r.count == (before > 0 ? before - 1 : 0), "byte " << at);
    bool middle = at < w.ends[2];
    bool version = at == 8 || at == 9;
    if (middle) BOOST_TEST((*r.stopped == errc::corrupted || (version && *r.stopped == errc::unsupported)), "byte " << at);
  }
}

BOOST_AUTO_TEST_CASE(zeros_left_by_a_crash_are_truncated) {
  auto w = write({30, 2000, 3000, 50});
  auto tail = w.file;
  tail.resize(tail.size() + 5000);
  auto r = read(tail);
  BOOST_TEST((r.count == 4u && r.stopped == errc::truncated && r.offset == w.file.size()));
  for (std::size_t from : {w.ends[3], w.ends[3] + 10, w.ends[3] + 60}) {
    auto torn = w.file;
    std::fill(torn.begin() + static_cast<std::ptrdiff_t>(from), torn.end(), std::uint8_t{0});
    r = read(torn);
    BOOST_TEST((r.count == 3u && r.stopped == errc::truncated));
  }
  auto hole = w.file;
  std::fill(hole.begin() + 2560, hole.begin() + 4096, std::uint8_t{0}); // Sectors that never reached the disk.
  r = read(hole);
  BOOST_TEST((r.count == 2u && r.stopped == errc::truncated));
  auto small_hole = w.file;
  std::fill(small_hole.begin() + 2600, small_hole.begin() + 2700, std::uint8_t{0});
  BOOST_TEST((read(small_hole).stopped == errc::corrupted));
}

BOOST_AUTO_TEST_CASE(removed_swapped_and_foreign_records_are_detected) {
  auto w = write({30, 30, 30});
  auto at = [&](std::size_t i) { return w.file.begin() + static_cast<std::ptrdiff_t>(w.ends[i]); };
  auto without_second = w.file;
  without_second.erase(without_second.begin() + (at(1) - w.file.begin()), without_second.begin() + (at(2) - w.file.begin()));
  auto r = read(without_second);
  BOOST_TEST((r.count == 1u && r.stopped == errc::corrupted));
  auto swapped = w.file;
  std::rotate(swapped.begin() + (at(0) - w.file.begin()), swapped.begin() + (at(1) - w.file.begin()),
              swapped.begin() + (at(2) - w.file.begin()));
  BOOST_TEST((read(swapped).stopped == errc::corrupted && read(swapped).count == 0u));
  auto other = write({30, 30, 30}, 7, 3);
  auto spliced = w.file;
  std::copy(other.file.begin() + (at(0) - w.file.begin()), other.file.end(), spliced.begin() + (at(0) - w.file.begin()));
  BOOST_TEST((read(spliced).stopped == errc::corrupted && read(spliced).count == 0u));
}

BOOST_AUTO_TEST_CASE(another_key_is_told_from_damage) {
  BOOST_TEST((read(write({30}).file, key_of(1)).stopped == errc::wrong_key));
}

BOOST_AUTO_TEST_CASE(fragments_out_of_bounds_or_order_are_not_written) {
  seeded_random random(1);
  journal_encoder encoder(session_of(1), 0, key_of(1), random);
  byte_buffer out;
  BOOST_TEST((encoder.append(fragment_of(1, 0), out).error().code == errc::limit_exceeded));
  BOOST_TEST((encoder.append(fragment_of(1, fragment_size_bytes_max + 1), out).error().code == errc::limit_exceeded));
  BOOST_TEST((encoder.append(fragment_of(0, 1), out).error().code == errc::invalid_input));
  BOOST_TEST(out.empty());
  BOOST_TEST(encoder.append(fragment_of(5, 1), out).has_value());
  BOOST_TEST((encoder.append(fragment_of(7, 1), out).error().code == errc::wrong_state));
  BOOST_TEST((encoder.append(fragment_of(5, 1), out).error().code == errc::wrong_state));
  BOOST_TEST(encoder.append(fragment_of(6, 1), out).has_value());
}
