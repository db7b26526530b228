// tests/unit/store_look_tests.cpp - a look at the store reads what is new, and asks for nothing else.
#define BOOST_TEST_MODULE store_look
#include <boost/test/unit_test.hpp>

#include <algorithm>

#include "actors/replication/store_look.hpp"

using namespace lucid;

namespace {

session_id id_of(std::uint8_t n) {
  session_id id{};
  id.fill(n);
  return id;
}

/// A store of rows and chunks; counts what is asked of it.
class told_source final : public replica_source {
public:
  struct recording {
    session_summary row;
    std::uint32_t video = 0, events = 0;
    bool has_manifest = false, has_anchor = false;
  };
  std::map<session_id, recording> all;
  std::uint32_t chunk_reads = 0, manifest_reads = 0, anchor_reads = 0;
  std::optional<errc> trouble;

  recording& add(std::uint8_t n, session_state state, std::uint32_t video = 0, std::uint32_t events = 0) {
    auto& one = all[id_of(n)];
    one.row.id = id_of(n);
    one.row.state = state;
    one.video = video;
    one.events = events;
    return one;
  }

  outcome<std::vector<session_summary>> sessions(const session_list_request& which) override {
    if (trouble) return fail(*trouble, "test", "the disk is gone");
    std::vector<session_summary> rows;
    std::uint32_t place = 0;
    for (auto& [id, one] : all) {
      if (which.unfinished_only && is_final(one.row.state)) continue;
      if (place++ >= which.offset && rows.size() < which.count) rows.push_back(one.row);
    }
    return rows;
  }
  outcome<session_row> row(const session_id& session) override {
    auto found = all.find(session);
    if (found == all.end()) return fail(errc::not_found, "test", "no such session");
    session_row row;
    row.summary = found->second.row;
    return row;
  }
  outcome<std::vector<chunk_record>> chunks(const session_id& session, track on, std::uint32_t from, std::uint32_t count) override {
    ++chunk_reads;
    auto there = on == track::video ? all[session].video : all[session].events;
    std::vector<chunk_record> records;
    for (auto i = from; i < there && records.size() < count; ++i) {
      chunk_record record;
      record.key = {session, on, i};
      records.push_back(record);
    }
    return records;
  }
  outcome<payload> chunk(const chunk_key&) override { return fail(errc::internal, "test", "a look reads no chunk"); }
  outcome<std::optional<manifest_put_request>> manifest(const session_id& session) override {
    ++manifest_reads;
    return all[session].has_manifest ? std::optional<manifest_put_request>(std::in_place) : std::nullopt;
  }
  outcome<std::optional<stored_anchor>> anchor(const session_id& session) override {
    ++anchor_reads;
    return all[session].has_anchor ? std::optional<stored_anchor>(std::in_place) : std::nullopt;
  }
  outcome<std::optional<node_id>> origin(const session_id&) override { return std::optional<node_id>(); }
};

/// What `core` would know after `look`.
void take_in(replication_core& core, const store_look& look) {
  for (auto& s : look.found) {
    core.set_session(s.id, s.news);
    core.add_chunks(s.id, s.chunks);
  }
}

store_look look_at(told_source& source, const replication_core& core, bool full) {
  auto look = look_at_store(source, known_to(core, full), full);
  BOOST_REQUIRE(look.has_value());
  return *look;
}

} // namespace

BOOST_AUTO_TEST_CASE(the_first_look_finds_everything_beyond_one_page) {
  told_source source;
  source.add(1, session_state::recording, 2'500, 3);
  auto& done = source.add(2, session_state::completed, 1);
  done.row.block_height = 4;
  done.has_manifest = done.has_anchor = true;
  auto look = look_at(source, replication_core({}), true);
  BOOST_TEST(look.all.size() == 2u);
  BOOST_REQUIRE(look.found.size() == 2u);
  BOOST_TEST(look.found[0].chunks.size() == 2'503u);
  BOOST_TEST(look.found[0].chunks[2'499].key.index == 2'499u);
  BOOST_TEST((look.found[0].chunks[2'500].key.on == track::events));
  BOOST_TEST(!look.found[0].news.has_manifest);
  BOOST_TEST((look.found[1].news == news_mark{static_cast<std::uint8_t>(session_state::completed), true, true}));
}

BOOST_AUTO_TEST_CASE(more_sessions_than_a_page_has) {
  told_source source;
  for (std::uint32_t n = 0; n < 2'100; ++n) {
    auto id = id_of(0);
    id[0] = static_cast<std::uint8_t>(n >> 8);
    id[1] = static_cast<std::uint8_t>(n);
    source.all[id].row.id = id;
    source.all[id].row.state = session_state::completed;
  }
  auto look = look_at(source, replication_core({}), true);
  BOOST_TEST(look.all.size() == 2'100u);
  BOOST_TEST(look.found.size() == 2'100u);
}

BOOST_AUTO_TEST_CASE(of_a_known_session_only_new_chunks_are_told_and_a_final_one_is_not_read_again) {
  told_source source;
  auto& one = source.add(1, session_state::recording, 3, 1);
  source.add(2, session_state::completed, 5);
  replication_core core({});
  take_in(core, look_at(source, core, true));

  one.video = 5;
  source.chunk_reads = 0;
  auto look = look_at(source, core, false);
  BOOST_REQUIRE(look.found.size() == 1u);
  BOOST_REQUIRE(look.found[0].chunks.size() == 2u);
  BOOST_TEST(look.found[0].chunks[0].key.index == 3u);
  BOOST_TEST(source.chunk_reads == 2u); // A page of each track, of the unfinished one.

  take_in(core, look);
  source.chunk_reads = 0;
  BOOST_TEST(look_at(source, core, true).found.size() == 1u);
  BOOST_TEST(source.chunk_reads == 2u);
}

BOOST_AUTO_TEST_CASE(a_session_that_has_ended_since_is_looked_at_once_more) {
  told_source source;
  auto& one = source.add(1, session_state::recording, 1);
  replication_core core({});
  take_in(core, look_at(source, core, true));

  one.row.state = session_state::completed;
  one.row.block_height = 9;
  one.video = 2;
  one.has_manifest = one.has_anchor = true;
  auto look = look_at(source, core, false);
  BOOST_REQUIRE(look.found.size() == 1u);
  BOOST_TEST(look.found[0].chunks.size() == 1u);
  BOOST_TEST(look.found[0].news.has_anchor);
  take_in(core, look);
  BOOST_TEST(look_at(source, core, false).found.empty());
}

BOOST_AUTO_TEST_CASE(manifest_and_anchor_are_asked_for_when_there_can_be_some_and_until_there_are) {
  told_source source;
  auto& one = source.add(1, session_state::recording);
  replication_core core({});
  take_in(core, look_at(source, core, true));
  BOOST_TEST(source.manifest_reads + source.anchor_reads == 0u);

  one.row.state = session_state::anchoring;
  one.has_manifest = true;
  take_in(core, look_at(source, core, false));
  take_in(core, look_at(source, core, false));
  BOOST_TEST(source.manifest_reads == 1u);
  BOOST_TEST(source.anchor_reads == 0u);
}

BOOST_AUTO_TEST_CASE(a_session_that_was_removed_is_left_to_the_next_full_look) {
  told_source source;
  source.add(1, session_state::recording, 1);
  replication_core core({});
  take_in(core, look_at(source, core, true));
  source.all.clear();
  BOOST_TEST(look_at(source, core, false).found.empty());
  BOOST_TEST(look_at(source, core, true).all.empty());
}

BOOST_AUTO_TEST_CASE(trouble_with_the_disk_is_told) {
  told_source source;
  source.trouble = errc::io_failed;
  auto look = look_at_store(source, {}, true);
  BOOST_REQUIRE(!look.has_value());
  BOOST_TEST((look.error().code == errc::io_failed));
}
