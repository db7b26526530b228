// tests/unit/adoption_core_tests.cpp - who may be stood in for, which chunks are taken, and what the row then says.
#define BOOST_TEST_MODULE adoption_core_tests
#include <boost/test/unit_test.hpp>

#include "actors/adoption/adoption_core.hpp"
#include "tests/doubles/must.hpp"

using namespace lucid;
using lucid::testing::must;

namespace {

constexpr node_id self{1}, lost_node{2}, other{3};

cluster_view cluster() {
  cluster_view view;
  view.name = "home";
  view.self = self;
  for (auto [id, name, state] : {std::tuple(self, "pi-2", member_state::self), std::tuple(other, "pi-3", member_state::up)}) {
    member_view member;
    member.id = id;
    member.name = name;
    member.state = state;
    view.members.push_back(member);
  }
  view.former = {{lost_node, "pi-1", 7}};
  return view;
}

chunk_record chunk(track on, std::uint32_t index) {
  chunk_record r;
  r.key = {session_id{9}, on, index};
  r.span = {index * 10 + 1, index * 10 + 10, on == track::video ? 50u : 2u, 1000 + index * 100, 1100 + index * 100};
  r.plain_size_bytes = 2000;
  r.sealed_size_bytes = 1000;
  return r;
}

lost_recording recording(std::vector<chunk_record> chunks) {
  lost_recording lost;
  lost.origin = lost_node;
  lost.row.summary.id = session_id{9};
  lost.row.summary.title = "title";
  lost.row.summary.state = session_state::recording;
  lost.row.summary.created_us = 900;
  lost.row.summary.block_height = 12;
  lost.row.summary.block_producer.fill(7);
  lost.row.keys = {{box_public_key{5}, {}}};
  lost.row.key_commitment = digest{8};
  lost.chunks = std::move(chunks);
  return lost;
}

std::vector<std::uint32_t> take_all(adoption_core& core, std::vector<chunk_record>* stored = nullptr) {
  std::vector<std::uint32_t> places;
  while (auto next = core.next()) {
    places.push_back(static_cast<std::uint32_t>(next->key.on) * 100 + next->key.index);
    if (stored) stored->push_back(*next);
    core.taken();
  }
  return places;
}

bool says(const outcome<void>& result, errc code, const std::string& words) {
  return !result && result.error().code == code && result.error().what.find(words) != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_CASE(only_who_is_no_member_any_more_is_stood_in_for) {
  auto view = cluster();
  must(check_recorder_is_lost(view, lost_node));
  must(check_recorder_is_lost(view, node_id{77})); // Never heard of.
  BOOST_TEST(says(check_recorder_is_lost(view, other), errc::wrong_state, "`lucid cluster remove pi-3`"));
  BOOST_TEST(says(check_recorder_is_lost(view, self), errc::wrong_state, "pi-2 is a member"));
  BOOST_TEST(may_change_hands(view, lost_node, other));
  BOOST_TEST(!may_change_hands(view, other, self));
  BOOST_TEST(!may_change_hands(view, lost_node, node_id{77}));

  BOOST_TEST(says(check_recorder_is_lost({}, lost_node), errc::wrong_state, "no cluster"));
  std::erase_if(view.members, [](auto& m) { return m.id == self; }); // Removed itself: it does not know.
  BOOST_TEST(says(check_recorder_is_lost(view, lost_node), errc::wrong_state, "no cluster"));
  BOOST_TEST(!may_change_hands(view, lost_node, other));
}

BOOST_AUTO_TEST_CASE(names_are_those_of_members_and_of_former_ones) {
  auto view = cluster();
  BOOST_TEST(name_in(view, other) == "pi-3");
  BOOST_TEST(name_in(view, lost_node) == "pi-1");
  BOOST_TEST(name_in(view, node_id{0xab, 0xcd}) == "abcd00000000");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_finished_is_refused_with_the_reason) {
  auto lost = recording({chunk(track::video, 0)});
  must(check_can_be_finished(lost));
  auto without = [&](auto change) {
    auto less = lost;
    change(less);
    return check_can_be_finished(less);
  };
  BOOST_TEST(says(without([](auto& l) { l.chunks = {}; }), errc::not_found, "nothing to finish"));
  BOOST_TEST(says(without([](auto& l) { l.chunks = {chunk(track::video, 1)}; }), errc::not_found, "nothing to finish"));
  BOOST_TEST(says(without([](auto& l) { l.row.keys = {}; }), errc::wrong_state, "nobody could open it"));
  BOOST_TEST(says(without([](auto& l) { l.row.key_commitment = {}; }), errc::wrong_state, "earlier version"));
  must(without([](auto& l) {
    l.row.key_commitment = {};
    l.what.emplace(); // The recorder's manifest states it.
  }));
}

BOOST_AUTO_TEST_CASE(each_track_goes_up_to_its_first_hole) {
  using enum track;
  adoption_core core(recording({chunk(video, 0), chunk(video, 1), chunk(video, 3), chunk(events, 0), chunk(events, 2)}),
                     "pi-1", "pi-2");
  auto row = core.first_row();
  BOOST_TEST((row.summary.state == session_state::sealing));
  BOOST_TEST(row.summary.block_height == 0u); // That was in the lost node's chain.
  BOOST_TEST((row.summary.block_producer == sign_public_key{}));
  BOOST_TEST((row.key_commitment == digest{8}));
  std::vector<chunk_record> stored;
  BOOST_TEST((take_all(core, &stored) == std::vector<std::uint32_t>{0, 1, 100}));
  auto end = core.row_with(stored);
  BOOST_TEST((end.state == session_state::storing));
  BOOST_TEST(end.interrupted);
  BOOST_TEST(end.reason == "the recorder pi-1 was lost; finished by pi-2 from copies; 2 chunks behind a hole left out");
  BOOST_TEST(end.chunk_count == 3u);
  BOOST_TEST(end.frame_count == 100u);
  BOOST_TEST(end.gap_count == 2u);
  BOOST_TEST(end.stored_bytes == 3000u);
  BOOST_TEST(end.fragment_count == 20u);
  BOOST_TEST(end.started_us == 1000);
  BOOST_TEST(end.ended_us == 1200);
  auto final = adoption_core::finished(end, 4, sign_public_key{9});
  BOOST_TEST((final.state == session_state::interrupted));
  BOOST_TEST(final.block_height == 4u);
  BOOST_TEST((final.block_producer == sign_public_key{9}));
}

BOOST_AUTO_TEST_CASE(a_chunk_that_is_damaged_is_a_hole_and_what_is_stored_already_is_not_taken_twice) {
  using enum track;
  adoption_core core(recording({chunk(video, 0), chunk(video, 1), chunk(video, 2), chunk(events, 0)}), "pi-1", "pi-2");
  core.has({chunk(video, 0)});
  BOOST_TEST((core.next()->key == chunk(video, 1).key));
  core.unfit();
  BOOST_TEST((core.next()->key == chunk(events, 0).key));
  core.taken();
  BOOST_TEST(!core.next());
  BOOST_TEST(core.row_with({chunk(video, 0), chunk(events, 0)}).reason ==
             "the recorder pi-1 was lost; finished by pi-2 from copies; 2 chunks behind a hole left out");
  auto nothing = core.row_with({});
  BOOST_TEST((nothing.state == session_state::failed));
  BOOST_TEST(nothing.reason == "the recorder pi-1 was lost, and no copy of a chunk is what was sealed");
}

BOOST_AUTO_TEST_CASE(with_the_recorders_manifest_all_chunks_that_it_names_are_taken_and_it_says_how_it_ended) {
  using enum track;
  auto lost = recording({chunk(video, 0), chunk(video, 2), chunk(video, 7)});
  lost.what.emplace();
  lost.what->reason = "stopped by request";
  lost.what->tracks = {{video, "video/mp4", {chunk(video, 0), chunk(video, 1), chunk(video, 2)}}};
  adoption_core core(lost, "pi-1", "pi-2");
  BOOST_TEST((core.next()->key == chunk(video, 0).key));
  core.taken();
  core.unfit(); // Video 1 is missing here; the next one stands in the manifest all the same.
  BOOST_TEST((core.next()->key == chunk(video, 2).key));
  core.taken();
  BOOST_TEST(!core.next());
  auto end = core.row_with({chunk(video, 0), chunk(video, 2)});
  BOOST_TEST(!end.interrupted);
  BOOST_TEST(end.reason == "stopped by request; the recorder pi-1 was lost, pi-2 keeps its recording from copies; "
                           "1 chunk of 3 missing");
  BOOST_TEST((adoption_core::finished(end, 1, {}).state == session_state::completed));
  lost.what->interrupted = true;
  BOOST_TEST(adoption_core(lost, "pi-1", "pi-2").row_with({chunk(video, 0)}).interrupted);
}
