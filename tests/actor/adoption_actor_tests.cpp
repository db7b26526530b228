// tests/actor/adoption_actor_tests.cpp - recordings of a lost recorder, finished by a holder: real stores and chain on one
// deterministic scheduler; kills at every step.
#define BOOST_TEST_MODULE adoption_actor_tests
#include <boost/test/unit_test.hpp>

#include <fstream>

#include "actors/adoption/adoption_actor.hpp"
#include "actors/anchor/anchor_actor.hpp"
#include "actors/format/keys.hpp"
#include "actors/format/manifest_codec.hpp"
#include "actors/format/merkle.hpp"
#include "actors/ledger/ledger_actor.hpp"
#include "actors/ledger/ledger_file.hpp"
#include "actors/manifest/manifest_actor.hpp"
#include "actors/store/recording_source.hpp"
#include "actors/store/replica_actor.hpp"
#include "actors/store/store_actor.hpp"
#include "adapters/files/hard_link.hpp"
#include "adapters/files/posix_file_system.hpp"
#include "fixture.hpp"
#include "messages/adoption_api.hpp"
#include "messages/data_layout.hpp"
#include "messages/paths.hpp"
#include "tests/doubles/must.hpp"
#include "tests/doubles/temp_folder.hpp"
#include "tests/doubles/told_cluster.hpp"

using namespace lucid;
using namespace lucid::test;
using lucid::testing::key_of;
using lucid::testing::must;
using lucid::testing::temp_folder;
using lucid::testing::told_cluster;

namespace {

constexpr node_id self{1}, recorder{2};
constexpr box_public_key reader{5}, node_box{6};

session_id id_of(std::uint8_t n) {
  session_id id{};
  id.fill(n);
  return id;
}

sealed_chunk chunk(std::uint8_t n, std::uint32_t index, track on = track::video) {
  byte_buffer bytes(40'000);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + index + n + (i >> 12));
  auto hashes = hash_file(bytes);
  sealed_chunk c;
  c.record.key = {id_of(n), on, index};
  c.record.span = {index * 10 + 1, index * 10 + 10, 5, 1000 + index * 100, 1100 + index * 100};
  c.record.plain_size_bytes = 80'000;
  c.record.sealed_size_bytes = bytes.size();
  c.record.content = hashes.content;
  c.record.root = merkle_root(hashes.leaves);
  c.leaves = std::move(hashes.leaves);
  c.file = payload(std::move(bytes));
  return c;
}

session_row row_of(std::uint8_t n, session_state state) {
  session_row row;
  row.summary.id = id_of(n);
  row.summary.state = state;
  row.summary.title = "title";
  row.summary.source = "rdp://pc";
  row.summary.created_us = 900;
  row.policy.recipients = {reader};
  row.policy.title = "title";
  row.keys = {{reader, {1}}};
  row.key_commitment.fill(8);
  return row;
}

struct adoption_world : world {
  temp_folder temp;
  std::shared_ptr<posix_file_system> files = std::make_shared<posix_file_system>();
  std::shared_ptr<told_cluster> cluster = std::make_shared<told_cluster>();
  std::shared_ptr<inline_pool> pool = std::make_shared<inline_pool>();
  bool shares = true;

  explicit adoption_world(std::uint64_t seed = 1) : world(seed) {
    member_view me;
    me.id = self;
    me.name = "pi-2";
    me.state = member_state::self;
    cluster->now.name = "home";
    cluster->now.self = self;
    cluster->now.members = {me};
    cluster->now.former = {{recorder, "pi-1", 7}};
  }

  recording_store copies() { return must(recording_store::open({replicas_folder(temp.path()), 0}, *files)); }
  recording_store own() { return must(recording_store::open_read_only({temp.path(), 0}, *files)); }

  /// What a holder was sent: `count` chunks of video, one of events.
  void keep(std::uint8_t n, std::uint32_t count, session_state state = session_state::recording) {
    auto store = copies();
    must(store.mirror_session(recorder, row_of(n, state)));
    for (std::uint32_t i = 0; i < count; ++i) must(store.mirror_chunk(recorder, chunk(n, i)));
    must(store.mirror_chunk(recorder, chunk(n, 0, track::events)));
  }

  /// The recorder's own manifest and anchor, as it told them.
  signed_manifest keep_manifest(std::uint8_t n, std::uint32_t count) {
    manifest m;
    m.session = id_of(n);
    m.title = "title";
    m.source = "rdp://pc";
    m.recorder = key_of(2)->public_key();
    m.software = "lucid 0.1.0";
    m.reason = "stopped by request";
    m.key_commitment.fill(8);
    m.keys = {{reader, {1}}};
    m.tracks = {{track::video, "video/mp4", {}}, {track::events, "application/jsonl", {chunk(n, 0, track::events).record}}};
    for (std::uint32_t i = 0; i < count; ++i) m.tracks[0].chunks.push_back(chunk(n, i).record);
    m.gap_count = 5;
    m.started_us = 1000;
    m.ended_us = 1000 + count * 100;
    m.root = session_root(m.tracks);
    auto document = must(sign_manifest(m, *key_of(2)));
    anchor_entry entry{m.session, document.hash, m.root, m.ended_us};
    auto store = copies();
    must(store.mirror_manifest(recorder, {m.session, document, entry}));
    must(store.mirror_anchor(recorder, {{entry, 33, 0, {}}, {}})); // In a chain that is gone.
    return document;
  }

  void begin() {
    auto quick = [](child_spec spec) {
      spec.delay = {0ms, 0ms};
      return spec;
    };
    auto opener = recording_store_opener({temp.path(), 0}, files, {});
    replica_settings replicas;
    replicas.self = self;
    replicas.store = {replicas_folder(temp.path()), 0};
    replicas.files = files;
    replicas.signs = key_of(1);
    adoption_parts parts;
    parts.node_box = node_box;
    parts.copies = make_recording_source({replicas_folder(temp.path()), 0}, *files);
    parts.cluster = cluster;
    parts.pool = pool;
    if (shares)
      parts.share = [data = temp.path()](const chunk_key& key) {
        (void)hard_link(chunk_file(replicas_folder(data), key), chunk_file(data, key));
      };
    start({.id = "root",
           .restarts_max = 1000,
           .children = {nested(supervisor_spec{
                          .id = "storage",
                          .how = strategy::rest_for_one,
                          .restarts_max = 1000,
                          .children = {{.id = "store", .start = child_of(store_actor, opener), .delay = {0ms, 0ms}},
                                       {.id = "ledger",
                                        .start = child_of(ledger_actor,
                                                          ledger_settings{ledger_file_opener(temp.path()), key_of(1)}),
                                        .delay = {0ms, 0ms}},
                                       quick(anchor_child({}))}}),
                        nested(supervisor_spec{.id = "copies",
                                               .restarts_max = 1000,
                                               .children = {quick(replicas_child(replicas, false)),
                                                            quick(manifest_child({{}, {}, key_of(1)})),
                                                            quick(adoption_child(parts))}})}});
  }

  using answer = std::shared_ptr<std::optional<outcome<session_summary>>>;
  answer ask(std::uint8_t n) {
    auto got = std::make_shared<std::optional<outcome<session_summary>>>();
    system.spawn([this, n, got](caf::event_based_actor* asking) {
      ref<adoption_api>(names, paths::adoption)
        .request(asking, caf::infinite, session_adopt_request{id_of(n)})
        .then([got](const session_summary& s) { got->emplace(s); },
              [got](const caf::error& e) { got->emplace(tl::unexpected(from_caf(e))); });
    });
    return got;
  }
  outcome<session_summary> adopt(std::uint8_t n) {
    auto got = ask(n);
    advance(5s);
    BOOST_REQUIRE(got->has_value());
    return **got;
  }
  bool keeps_copy(std::uint8_t n) { return copies().session(id_of(n)).has_value(); }

  /// As `lucid verify` does it, but for the chain's signatures: the manifest is signed, and each chunk what it says.
  manifest checked(std::uint8_t n) {
    auto store = own();
    auto m = must(verify_manifest(must(store.manifest_of(id_of(n)))));
    BOOST_TEST((m.root == session_root(m.tracks)));
    for (auto& t : m.tracks)
      for (auto& c : t.chunks) {
        BOOST_TEST((blake3(must(store.chunk_bytes(c.key))) == c.content));
        BOOST_TEST((merkle_root(must(store.leaves(c.key))) == c.root));
      }
    auto anchor = must(store.anchor_of(id_of(n)));
    BOOST_TEST((anchor.entry.manifest_hash == must(store.manifest_of(id_of(n))).hash));
    BOOST_TEST((must(store.session(id_of(n))).summary.block_height == anchor.block_height));
    return m;
  }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_recording_that_was_cut_off_is_finished_signed_and_anchored_here, adoption_world) {
  keep(7, 3);
  begin();
  auto end = must(adopt(7));
  BOOST_TEST((end.state == session_state::interrupted));
  BOOST_TEST(end.interrupted);
  BOOST_TEST(end.reason == "the recorder pi-1 was lost; finished by pi-2 from copies");
  BOOST_TEST(end.chunk_count == 4u);
  BOOST_TEST(end.frame_count == 15u);
  BOOST_TEST(end.block_height > 0u);
  auto m = checked(7);
  BOOST_TEST((m.recorder == key_of(1)->public_key()));
  BOOST_TEST(m.interrupted);
  BOOST_TEST(m.reason == end.reason);
  BOOST_TEST((m.key_commitment == row_of(7, session_state::recording).key_commitment));
  BOOST_TEST(m.keys.size() == 1u);
  BOOST_TEST(!keeps_copy(7));
  BOOST_TEST(!must(own().origin_of(id_of(7))));
  auto again = must(adopt(7));
  BOOST_TEST(again.block_height == end.block_height);
}

BOOST_FIXTURE_TEST_CASE(bytes_are_shared_where_the_file_system_can_and_copied_where_it_cannot, adoption_world) {
  keep(7, 2);
  auto kept = chunk_file(replicas_folder(temp.path()), {id_of(7), track::video, 1});
  auto witness = temp.path() / "witness";
  must(hard_link(kept, witness));
  begin();
  must(adopt(7));
  BOOST_TEST(std::filesystem::hard_link_count(witness) == 2u); // The copy's name is gone, the recording's is there.

  adoption_world without;
  without.shares = false;
  without.keep(7, 2);
  without.begin();
  must(without.adopt(7));
  without.checked(7);
}

BOOST_FIXTURE_TEST_CASE(what_is_behind_a_hole_or_damaged_is_left_out_and_counted, adoption_world) {
  keep(7, 5);
  keep(8, 3);
  std::filesystem::remove(chunk_file(replicas_folder(temp.path()), {id_of(7), track::video, 3}));
  {
    std::fstream file(chunk_file(replicas_folder(temp.path()), {id_of(8), track::video, 1}),
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(20'000);
    file.put('x').put('y');
  }
  begin();
  auto holed = must(adopt(7));
  BOOST_TEST(holed.chunk_count == 4u);
  BOOST_TEST(holed.reason.ends_with("2 chunks behind a hole left out"));
  checked(7);
  auto damaged = must(adopt(8));
  BOOST_TEST(damaged.chunk_count == 2u);
  checked(8);
}

BOOST_FIXTURE_TEST_CASE(with_its_recorders_manifest_it_keeps_it_and_is_anchored_in_this_nodes_chain, adoption_world) {
  keep(7, 3, session_state::completed);
  auto document = keep_manifest(7, 3);
  begin();
  auto end = must(adopt(7));
  BOOST_TEST((end.state == session_state::completed));
  BOOST_TEST(!end.interrupted);
  BOOST_TEST((must(own().manifest_of(id_of(7))).hash == document.hash));
  auto m = checked(7);
  BOOST_TEST((m.recorder == key_of(2)->public_key()));
  BOOST_TEST(end.block_height != 33u);
  BOOST_TEST(!keeps_copy(7));
}

BOOST_FIXTURE_TEST_CASE(what_is_not_lost_or_not_here_is_refused, adoption_world) {
  keep(7, 2);
  member_view back;
  back.id = recorder;
  back.name = "pi-1";
  back.state = member_state::down;
  cluster->now.members.push_back(back);
  begin();
  auto refused = adopt(7);
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == errc::wrong_state));
  BOOST_TEST(refused.error().what.find("lucid cluster remove pi-1") != std::string::npos);
  BOOST_TEST((own().session(id_of(7)).error().code == errc::not_found));
  BOOST_TEST(keeps_copy(7));
  BOOST_TEST((adopt(9).error().code == errc::not_found));

  auto mine = row_of(9, session_state::created);
  mine.keys.push_back({node_box, {2}});
  std::optional<outcome<session_summary>> put;
  system.spawn([&](caf::event_based_actor* asking) {
    ref<store_api>(names, paths::store)
      .request(asking, caf::infinite, session_put_request{mine.summary, mine.what, mine.policy, mine.keys, {}})
      .then([&](const session_summary& s) { put.emplace(s); });
  });
  advance(1s);
  BOOST_REQUIRE(put.has_value());
  BOOST_TEST((adopt(9).error().code == errc::wrong_state));
  cluster->now.members.pop_back();
  must(adopt(7));
}

BOOST_AUTO_TEST_CASE(whoever_is_killed_at_whichever_step_a_second_asking_leads_to_the_same_end) {
  const std::vector<std::string> victims{"copies/adoption", "copies/adoption", "storage/store", "storage/anchor",
                                         "copies/manifest"};
  int cut_short = 0;
  for (bool has_manifest : {false, true})
    for (std::size_t steps = 0; steps < 75; steps += 2) {
      auto& victim = victims[steps % victims.size()];
      BOOST_TEST_CONTEXT(victim << " killed after " << steps << " steps, manifest: " << has_manifest) {
        adoption_world w;
        w.keep(7, 3, has_manifest ? session_state::completed : session_state::recording);
        std::optional<signed_manifest> document;
        if (has_manifest) document = w.keep_manifest(7, 3);
        w.begin();
        auto first = w.ask(7);
        for (std::size_t i = 0; i < steps; ++i)
          if (!w.scheduler().try_run_once()) {
            w.advance(20ms); // The batch of anchors waits.
          }
        cut_short += !first->has_value();
        w.kill(victim);
        w.advance(1s);
        auto end = w.adopt(7);
        if (!end && end.error().code == errc::unreachable) end = w.adopt(7);
        BOOST_REQUIRE_MESSAGE(end.has_value(), (end ? "" : to_string(end.error())));
        BOOST_TEST((end->state == (has_manifest ? session_state::completed : session_state::interrupted)));
        BOOST_TEST(end->chunk_count == 4u);
        w.checked(7);
        if (document) BOOST_TEST((must(w.own().manifest_of(id_of(7))).hash == document->hash));
        w.advance(1s);
        BOOST_TEST(!w.keeps_copy(7));
      }
    }
  BOOST_TEST(cut_short > 20);
}

BOOST_AUTO_TEST_CASE(one_that_was_cut_off_is_finished_without_being_asked_again) {
  adoption_world w;
  w.keep(7, 3);
  w.begin();
  w.advance(1s);
  (void)w.ask(7);
  while (!w.own().session(id_of(7))) BOOST_REQUIRE(w.scheduler().try_run_once());
  w.kill("copies/adoption");
  w.advance(90s);
  BOOST_TEST((must(w.own().session(id_of(7))).summary.state == session_state::interrupted));
  w.checked(7);
  BOOST_TEST(!w.keeps_copy(7));
}

BOOST_FIXTURE_TEST_CASE(one_without_the_recorders_manifest_leaves_it_to_a_holder_that_has_it, adoption_world) {
  keep(7, 3);
  begin();
  // pi-3: a holder beside, known here by its path, as the gateway would have it.
  temp_folder there;
  {
    auto store = must(recording_store::open({replicas_folder(there.path()), 0}, *files));
    must(store.mirror_session(recorder, row_of(7, session_state::completed)));
    signed_manifest document{"{}", blake3(as_bytes("{}")), {}};
    must(store.mirror_manifest(recorder, {id_of(7), document, {id_of(7), document.hash, {}, 1}}));
  }
  replica_settings settings;
  settings.self = node_id{3};
  settings.store = {replicas_folder(there.path()), 0};
  settings.files = files;
  settings.signs = key_of(3);
  directory others;
  runtime_services beside{others, clock, random};
  auto holder = start_root(system, beside, {.id = "copies", .children = {replicas_child(settings, false)}},
                           [](const std::optional<error>&) {}).value();
  advance(0ms);
  auto actor = others.slot("replicas")->present().actor;
  BOOST_REQUIRE(actor);
  auto slot = names.slot(paths::of_node("pi-3", paths::replicas));
  slot->publish(slot->begin_incarnation(), actor, nullptr, 0);
  member_view member;
  member.id = node_id{3};
  member.name = "pi-3";
  member.state = member_state::up;
  cluster->now.members.push_back(member);

  auto refused = adopt(7);
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == errc::wrong_state));
  BOOST_TEST(refused.error().what.find("pi-3 keeps the manifest of its recorder") != std::string::npos);
  BOOST_TEST((own().session(id_of(7)).error().code == errc::not_found));
  BOOST_TEST(keeps_copy(7));

  cluster->now.members.back().state = member_state::down; // Nobody knows when it comes back.
  must(adopt(7));
  checked(7);
  caf::anon_send_exit(holder, caf::exit_reason::user_shutdown);
  advance(1min);
}
