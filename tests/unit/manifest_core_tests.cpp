// tests/unit/manifest_core_tests.cpp - the manifest says what the store has, or refuses to be made.
#define BOOST_TEST_MODULE manifest_core_tests
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <random>

#include "actors/format/manifest_codec.hpp"
#include "actors/manifest/manifest_core.hpp"

using namespace lucid;

namespace {

chunk_record chunk(track on, std::uint32_t index, std::uint64_t first, std::uint64_t last, unix_time_us start_us) {
  chunk_record record;
  record.key = {session_id{1}, on, index};
  record.span = {first, last, on == track::video ? 15u : 2u, start_us, start_us + 10};
  record.plain_size_bytes = 1000;
  record.sealed_size_bytes = 900;
  record.content[0] = static_cast<std::uint8_t>(index + 1);
  record.root[0] = static_cast<std::uint8_t>(index + 7);
  return record;
}

session_row row() {
  session_row r;
  r.summary.id = session_id{1};
  r.summary.source = "rdp://pc:3389";
  r.summary.reason = "stopped by the user";
  r.policy.title = "Title";
  r.policy.recipients = {box_public_key{5}};
  r.keys = {{box_public_key{5}, {}}, {box_public_key{9}, {}}}; // The second is the node's own.
  return r;
}

std::vector<chunk_record> three_chunks() {
  return {chunk(track::video, 0, 1, 10, 100), chunk(track::video, 1, 11, 20, 200), chunk(track::events, 0, 2, 19, 90)};
}

} // namespace

BOOST_AUTO_TEST_CASE(it_states_chunks_times_gaps_and_the_recipients_keys_alone) {
  auto m = build_manifest(row(), three_chunks(), {sign_public_key{3}, digest{4}, true});
  BOOST_REQUIRE(m.has_value());
  BOOST_TEST(m->interrupted);
  BOOST_TEST(m->title == "Title");
  BOOST_TEST(m->started_us == 100);
  BOOST_TEST(m->ended_us == 210);
  BOOST_TEST(m->gap_count == 2u);
  BOOST_REQUIRE(m->keys.size() == 1u);
  BOOST_TEST((m->keys[0].recipient == box_public_key{5}));
  BOOST_REQUIRE(m->tracks.size() == 2u);
  BOOST_TEST(m->tracks[0].chunks.size() == 2u);
  BOOST_TEST((m->root == session_root(m->tracks)));
  auto entry = anchor_entry_of(*m, digest{8});
  BOOST_TEST((entry == anchor_entry{session_id{1}, digest{8}, m->root, 210}));
}

BOOST_AUTO_TEST_CASE(the_order_of_the_rows_changes_nothing) {
  auto expected = encode_manifest(build_manifest(row(), three_chunks(), {}).value());
  BOOST_REQUIRE(expected.has_value());
  std::mt19937 random(7);
  for (int i = 0; i < 20; ++i) {
    auto rows = three_chunks();
    std::shuffle(rows.begin(), rows.end(), random);
    BOOST_TEST(encode_manifest(build_manifest(row(), rows, {}).value()).value() == *expected);
  }
}

BOOST_AUTO_TEST_CASE(a_missing_or_overlapping_chunk_is_corruption) {
  auto missing = three_chunks();
  missing.erase(missing.begin());
  BOOST_TEST((build_manifest(row(), missing, {}).error().code == errc::corrupted));
  auto overlapping = three_chunks();
  overlapping[1].span.first_sequence = 10;
  BOOST_TEST((build_manifest(row(), overlapping, {}).error().code == errc::corrupted));
}

BOOST_AUTO_TEST_CASE(nothing_recorded_and_nobody_to_open_it_are_refused) {
  BOOST_TEST((build_manifest(row(), {}, {}).error().code == errc::wrong_state));
  auto nobody = row();
  nobody.policy.recipients.clear();
  BOOST_TEST((build_manifest(nobody, three_chunks(), {}).error().code == errc::wrong_state));
}

BOOST_AUTO_TEST_CASE(a_recording_of_events_alone_has_their_times) {
  auto m = build_manifest(row(), {chunk(track::events, 0, 1, 5, 90)}, {});
  BOOST_REQUIRE(m.has_value());
  BOOST_TEST(m->started_us == 90);
  BOOST_TEST(m->ended_us == 100);
}
