// tests/unit/recording_store_tests.cpp - rows and files of recordings: kept in step, checked when read back.
#define BOOST_TEST_MODULE recording_store_tests
#include <boost/test/unit_test.hpp>

#include <random>

#include "actors/store/recording_store.hpp"
#include "actors/store/store_schema.hpp"
#include "adapters/files/atomic_write.hpp"
#include "adapters/files/posix_file_system.hpp"
#include "messages/data_layout.hpp"
#include "tests/doubles/faulty_file_system.hpp"
#include "tests/doubles/must.hpp"
#include "tests/doubles/temp_folder.hpp"

using namespace lucid;
using lucid::testing::faulty_file_system;
using lucid::testing::must;
using lucid::testing::temp_folder;

namespace {

session_id id_of(std::uint8_t n) {
  session_id id{};
  id.fill(n);
  return id;
}

session_put_request request_of(std::uint8_t n) {
  session_put_request r;
  r.summary.id = id_of(n);
  r.summary.title = "title";
  r.summary.owner = "owner";
  r.summary.source = "rdp://me@pc";
  r.summary.created_us = 1000 + n;
  r.what.source = "rdp://me:secret@pc:3389/x";
  r.what.username = "me";
  r.what.password = "secret";
  r.what.quality = 30;
  r.policy.length_seconds_max = 60;
  r.policy.recipients = {box_public_key{1}, box_public_key{2}};
  r.keys = {{box_public_key{1}, {11}}, {box_public_key{2}, {12}}, {box_public_key{9}, {19}}};
  return r;
}

sealed_chunk chunk_of(std::uint8_t n, track on, std::uint32_t index, std::size_t size = 40'000) {
  sealed_chunk c;
  c.record.key = {id_of(n), on, index};
  c.record.span = {index * 10 + 1, index * 10 + 10, 5, 100, 200};
  c.record.plain_size_bytes = size * 2;
  c.record.sealed_size_bytes = size;
  c.record.content.fill(static_cast<std::uint8_t>(index));
  c.record.root.fill(7);
  byte_buffer bytes(size, static_cast<std::uint8_t>(index + 1));
  c.file = payload(std::move(bytes));
  c.leaves = std::vector<digest>(3, digest{5});
  return c;
}

manifest_put_request manifest_of(std::uint8_t n) {
  manifest_put_request r;
  r.session = id_of(n);
  r.document.canonical = "{\"n\":" + std::to_string(n) + "}";
  r.document.hash.fill(n);
  r.document.by.fill(3);
  r.entry = {r.session, r.document.hash, digest{4}, 5000 + n};
  return r;
}

struct desk {
  temp_folder temp;
  faulty_file_system fs;
  store_options options{temp.path(), 1000};
  recording_store open() { return must(recording_store::open(options, fs)); }
  /// Changes rows behind the store's back.
  void execute(const std::string& sql) {
    std::array<std::string_view, store_migrations.size()> one{};
    auto db = must(database::open(temp.path() / "store.db", one));
    must(db.execute("PRAGMA ignore_check_constraints=ON;" + sql));
  }
};

session_summary move_to(recording_store& store, std::uint8_t n, session_state state) {
  auto s = must(store.session(id_of(n))).summary;
  s.state = state;
  return must(store.update_session(s));
}

void finish(recording_store& store, std::uint8_t n, session_state end = session_state::completed) {
  using enum session_state;
  for (auto s : {recording, sealing, storing, anchoring}) move_to(store, n, s);
  move_to(store, n, end);
}

} // namespace

BOOST_AUTO_TEST_CASE(states_follow_each_other_along_the_table_only) {
  using enum session_state;
  std::vector<std::pair<session_state, session_state>> allowed{
    {created, recording}, {created, failed},  {recording, sealing}, {recording, failed},    {sealing, storing},
    {sealing, failed},    {storing, anchoring}, {storing, failed},  {anchoring, completed}, {anchoring, interrupted},
    {anchoring, failed}};
  for (int from = 1; from <= 8; ++from)
    for (int to = 1; to <= 8; ++to) {
      auto pair = std::pair(static_cast<session_state>(from), static_cast<session_state>(to));
      bool expected = from == to || std::find(allowed.begin(), allowed.end(), pair) != allowed.end();
      BOOST_TEST(may_follow(pair.first, pair.second) == expected, from << " to " << to);
    }
  BOOST_TEST(!may_follow(static_cast<session_state>(0), created));
}

BOOST_AUTO_TEST_CASE(a_password_in_a_source_is_not_kept) {
  BOOST_TEST(without_password("rdp://me:secret@pc:3389") == "rdp://me@pc:3389");
  BOOST_TEST(without_password("rdp://me:se@cr:et@pc") == "rdp://me@pc");
  BOOST_TEST(without_password("rdp://me@pc:3389") == "rdp://me@pc:3389");
  BOOST_TEST(without_password("rdp://pc:3389/a:b@c") == "rdp://pc:3389/a:b@c");
  BOOST_TEST(without_password("x11://:1") == "x11://:1");
  BOOST_TEST(without_password("file:/a:b@c") == "file:/a:b@c");
  BOOST_TEST(without_password("rdp://:secret@pc") == "rdp://@pc");
}

BOOST_AUTO_TEST_CASE(a_session_comes_back_as_it_was_put_without_its_password) {
  desk d;
  auto request = request_of(1);
  {
    auto store = d.open();
    must(store.put_session(request));
    must(store.put_session(request)); // Again: no harm.
    auto other = request;
    other.summary.title = "another";
    BOOST_TEST((store.put_session(other).error().code == errc::already_exists));
  }
  auto store = d.open();
  auto row = must(store.session(id_of(1)));
  BOOST_TEST(row.summary.title == "title");
  BOOST_TEST(row.summary.created_us == 1001);
  BOOST_TEST(row.what.source == "rdp://me@pc:3389/x");
  BOOST_TEST(row.what.username == "me");
  BOOST_TEST(row.what.password.empty());
  BOOST_TEST(row.what.quality == 30u);
  BOOST_TEST(row.policy.title == "title");
  BOOST_TEST((row.policy.recipients == request.policy.recipients));
  BOOST_REQUIRE(row.keys.size() == 3u);
  BOOST_TEST((row.keys[2].recipient == box_public_key{9} && row.keys[2].sealed[0] == 19));
  BOOST_TEST((store.session(id_of(2)).error().code == errc::not_found));
  std::string file = as_text(must(posix_file_system().read(d.temp.path() / "store.db", 0, 1 << 20))).data();
  BOOST_TEST(file.find("secret") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_too_long_is_refused_and_a_long_reason_is_cut) {
  desk d;
  auto store = d.open();
  auto request = request_of(1);
  request.summary.title.assign(201, 'x');
  BOOST_TEST((store.put_session(request).error().code == errc::limit_exceeded));
  request = request_of(1);
  request.keys.resize(66);
  BOOST_TEST((store.put_session(request).error().code == errc::limit_exceeded));
  must(store.put_session(request_of(1)));
  auto news = must(store.session(id_of(1))).summary;
  news.reason = std::string(999, 'x') + "\u00e4";
  BOOST_TEST(must(store.update_session(news)).reason == std::string(999, 'x')); // Between characters.
  news.frame_count = 1ull << 63;
  BOOST_TEST((store.update_session(news).error().code == errc::limit_exceeded));
}

BOOST_AUTO_TEST_CASE(below_the_free_space_bound_no_session_begins_and_running_ones_go_on) {
  desk d;
  auto store = d.open();
  must(store.put_session(request_of(1)));
  d.fs.set_free_bytes(999);
  BOOST_TEST((store.put_session(request_of(2)).error().code == errc::disk_full));
  must(store.put_chunk(chunk_of(1, track::video, 0)));
  d.fs.set_free_bytes(1000);
  must(store.put_session(request_of(2)));
}

BOOST_AUTO_TEST_CASE(a_chunk_is_stored_once_and_its_first_bytes_stay) {
  desk d;
  auto store = d.open();
  must(store.put_session(request_of(1)));
  auto first = chunk_of(1, track::video, 0);
  BOOST_TEST((must(store.put_chunk(first)) == first.record));
  auto second = chunk_of(1, track::video, 0);
  second.record.content.fill(99);
  BOOST_TEST((must(store.put_chunk(second)) == first.record));
  must(store.put_chunk(chunk_of(1, track::events, 0)));
  must(store.put_chunk(chunk_of(1, track::video, 2))); // Order does not matter.
  must(store.put_chunk(chunk_of(1, track::video, 1)));
  auto all = must(store.chunks(id_of(1)));
  BOOST_REQUIRE(all.size() == 4u);
  BOOST_TEST((all[0] == first.record));
  BOOST_TEST((all[2].key.index == 2 && all[3].key.on == track::events));
  BOOST_TEST(must(store.chunk_page(id_of(1), track::video, 1, 1)).at(0).key.index == 1u);
  BOOST_TEST(must(store.leaves(first.record.key)).size() == 3u);
  BOOST_TEST((must(store.chunk_bytes(first.record.key)) == byte_buffer(40'000, 1)));
}

BOOST_AUTO_TEST_CASE(chunks_that_do_not_fit_are_refused) {
  desk d;
  auto store = d.open();
  BOOST_TEST((store.put_chunk(chunk_of(1, track::video, 0)).error().code == errc::not_found));
  must(store.put_session(request_of(1)));
  auto wrong = chunk_of(1, track::video, 0);
  ++wrong.record.sealed_size_bytes;
  BOOST_TEST((store.put_chunk(wrong).error().code == errc::invalid_input));
  BOOST_TEST((store.put_chunk(chunk_of(1, track::video, chunk_count_max)).error().code == errc::invalid_input));
  must(store.put_chunk(chunk_of(1, track::video, 0)));
  finish(store, 1);
  BOOST_TEST((store.put_chunk(chunk_of(1, track::video, 1)).error().code == errc::wrong_state));
  must(store.put_chunk(chunk_of(1, track::video, 0))); // A repeat is answered also then.
}

BOOST_AUTO_TEST_CASE(a_full_disk_leaves_no_half_chunk) {
  desk d;
  auto store = d.open();
  must(store.put_session(request_of(1)));
  d.fs.set_capacity(30'000);
  auto refused = store.put_chunk(chunk_of(1, track::video, 0));
  BOOST_TEST((refused.error().code == errc::disk_full));
  BOOST_TEST(must(d.fs.list(session_folder(d.temp.path(), id_of(1)))).empty());
  BOOST_TEST(must(store.chunks(id_of(1))).empty());
  d.fs.set_capacity(std::nullopt);
  must(store.put_chunk(chunk_of(1, track::video, 0)));
}

BOOST_AUTO_TEST_CASE(the_end_drops_the_nodes_key_and_the_journal_but_a_failed_session_keeps_its_journal) {
  for (auto end : {session_state::completed, session_state::interrupted, session_state::failed}) {
    BOOST_TEST_CONTEXT(to_string(end)) {
      desk d;
      auto store = d.open();
      must(store.put_session(request_of(1)));
      auto journal = session_folder(d.temp.path(), id_of(1)) / journal_file_name(0);
      must(d.fs.open(journal, open_mode::fresh));
      finish(store, 1, end);
      auto row = must(store.session(id_of(1)));
      BOOST_TEST(row.keys.size() == 2u);
      BOOST_TEST((row.summary.state == end));
      BOOST_TEST(d.fs.has(journal) == (end == session_state::failed));
      auto back = row.summary;
      back.state = session_state::recording;
      BOOST_TEST((store.update_session(back).error().code == errc::wrong_state));
    }
  }
}

BOOST_AUTO_TEST_CASE(lists_are_newest_first_in_pages_and_ids_are_found_by_prefix) {
  desk d;
  auto store = d.open();
  for (std::uint8_t n = 1; n <= 5; ++n) must(store.put_session(request_of(n)));
  finish(store, 3);
  auto all = must(store.sessions({false, 0, 1000}));
  BOOST_REQUIRE(all.size() == 5u);
  BOOST_TEST((all[0].id == id_of(5) && all[4].id == id_of(1)));
  BOOST_TEST(must(store.sessions({true, 0, 1000})).size() == 4u);
  auto page = must(store.sessions({false, 2, 2}));
  BOOST_TEST((page.size() == 2u && page[0].id == id_of(3)));
  BOOST_TEST((must(store.find("0404", 2)) == std::vector<session_id>{id_of(4)}));
  BOOST_TEST(must(store.find("0", 10)).size() == 5u);
  BOOST_TEST(must(store.find("ff", 10)).empty());
  BOOST_TEST((store.find("0%", 10).error().code == errc::invalid_input));
}

BOOST_AUTO_TEST_CASE(a_manifest_is_stored_once_anchored_once_and_listed_until_then) {
  desk d;
  auto store = d.open();
  BOOST_TEST((store.put_manifest(manifest_of(1)).error().code == errc::not_found));
  for (std::uint8_t n : {1, 2}) {
    must(store.put_session(request_of(n)));
    must(store.put_manifest(manifest_of(n)));
  }
  must(store.put_manifest(manifest_of(1)));
  auto other = manifest_of(1);
  other.document.hash.fill(77);
  BOOST_TEST((store.put_manifest(other).error().code == errc::invalid_input)); // Its entry is of another hash.
  other.entry.manifest_hash = other.document.hash;
  BOOST_TEST((store.put_manifest(other).error().code == errc::already_exists));
  BOOST_TEST(must(store.manifest_of(id_of(1))).canonical == "{\"n\":1}");

  auto waiting = must(store.unanchored());
  BOOST_REQUIRE(waiting.size() == 2u);
  BOOST_TEST((waiting[0] == manifest_of(1).entry));
  anchor_record record{waiting[0], 4, 2, {digest{1}, digest{2}}};
  must(store.put_anchor({record, {}}));
  must(store.put_anchor({record, {}}));
  BOOST_TEST(must(store.unanchored()).size() == 1u);
  BOOST_TEST(must(store.session(id_of(1))).summary.block_height == 4u);
  auto back = must(store.anchor_of(id_of(1)));
  BOOST_TEST((back.entry == record.entry && back.path == record.path && back.entry_index == 2));
  record.block_height = 5;
  BOOST_TEST(must(store.put_anchor({record, {}})).record.block_height == 4u); // The first place wins.
  BOOST_TEST(must(store.session(id_of(1))).summary.block_height == 4u);
  record.entry.manifest_hash.fill(0);
  BOOST_TEST((store.put_anchor({record, {}}).error().code == errc::invalid_input));
  BOOST_TEST((store.anchor_of(id_of(2)).error().code == errc::not_found));
}

BOOST_AUTO_TEST_CASE(only_a_finished_session_is_removed_and_with_all_its_files) {
  desk d;
  auto store = d.open();
  must(store.put_session(request_of(1)));
  must(store.put_chunk(chunk_of(1, track::video, 0)));
  must(store.put_manifest(manifest_of(1)));
  BOOST_TEST((store.remove_session(id_of(1)).error().code == errc::wrong_state));
  finish(store, 1);
  BOOST_TEST((must(store.remove_session(id_of(1))).id == id_of(1)));
  BOOST_TEST((store.session(id_of(1)).error().code == errc::not_found));
  BOOST_TEST(must(d.fs.list(sessions_folder(d.temp.path()))).empty());
  BOOST_TEST(must(store.unanchored()).empty());
  BOOST_TEST((store.remove_session(id_of(1)).error().code == errc::not_found));
}

BOOST_AUTO_TEST_CASE(a_removal_that_stops_half_way_is_finished_at_the_next_start) {
  desk d;
  {
    auto store = d.open();
    must(store.put_session(request_of(1)));
    for (std::uint32_t i = 0; i < 3; ++i) must(store.put_chunk(chunk_of(1, track::video, i)));
    finish(store, 1);
    d.fs.fail_next("remove", errc::io_failed);
    BOOST_TEST((store.remove_session(id_of(1)).error().code == errc::io_failed));
    BOOST_TEST((store.session(id_of(1)).error().code == errc::not_found)); // Not shown half.
  }
  auto store = d.open();
  BOOST_TEST(store.findings().empty());
  BOOST_TEST(must(d.fs.list(sessions_folder(d.temp.path()))).empty());
}

BOOST_AUTO_TEST_CASE(that_a_recording_was_interrupted_is_never_forgotten) {
  desk d;
  auto store = d.open();
  auto seen = must(store.put_session(request_of(1)));
  BOOST_TEST(!seen.interrupted);
  seen.interrupted = true;
  BOOST_TEST(must(store.update_session(seen)).interrupted);
  seen.interrupted = false; // Somebody who does not know of it.
  must(store.update_session(seen));
  BOOST_TEST(must(d.open().session(id_of(1))).summary.interrupted);
}

BOOST_AUTO_TEST_CASE(a_start_removes_leftovers_and_tells_of_missing_files) {
  desk d;
  auto folder = session_folder(d.temp.path(), id_of(1));
  {
    auto store = d.open();
    must(store.put_session(request_of(1)));
    for (std::uint32_t i = 0; i < 3; ++i) must(store.put_chunk(chunk_of(1, track::video, i)));
  }
  must(d.fs.open(folder / "video-000007.chunk", open_mode::fresh));      // Without a row.
  must(d.fs.open(folder / "video-000008.chunk.part", open_mode::fresh)); // Never finished.
  must(d.fs.open(folder / "notes.txt", open_mode::fresh));               // Not ours.
  must(d.fs.open(folder / "journal-000001.log.part", open_mode::fresh)); // A journal beside us is writing it.
  must(d.fs.remove(folder / "video-000001.chunk"));
  d.fs.change(folder / "video-000002.chunk", [](byte_buffer& bytes) { bytes.pop_back(); });
  auto store = d.open();
  BOOST_TEST(!d.fs.has(folder / "video-000007.chunk"));
  BOOST_TEST(!d.fs.has(folder / "video-000008.chunk.part"));
  BOOST_TEST(d.fs.has(folder / "notes.txt"));
  BOOST_TEST(d.fs.has(folder / "journal-000001.log.part"));
  BOOST_REQUIRE(store.findings().size() == 2u);
  BOOST_TEST((store.findings()[0].code == errc::corrupted));
  BOOST_TEST(store.findings()[0].what.find("video-000001.chunk") != std::string::npos);
  must(store.put_chunk(chunk_of(1, track::video, 1))); // Sent again, it is whole again.
  BOOST_TEST(d.open().findings().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_damaged_row_is_named_and_does_not_hide_the_others) {
  struct damage {
    std::string sql;
    std::string names;
  };
  for (auto& [sql, names] : std::vector<damage>{
         {"UPDATE sessions SET state = 44 WHERE id = x'" + to_hex(id_of(1)) + "'", "table sessions, row 0101"},
         {"UPDATE sessions SET frame_count = -1 WHERE id = x'" + to_hex(id_of(1)) + "'", "frame_count"},
         {"UPDATE sessions SET title = printf('%201s', 'x') WHERE id = x'" + to_hex(id_of(1)) + "'", "title"},
         {"UPDATE wrapped_keys SET sealed = x'00'", "table wrapped_keys, row 0101"},
         {"UPDATE recipients SET recipient = x''", "table recipients"},
       }) {
    BOOST_TEST_CONTEXT(sql) {
      desk d;
      {
        auto store = d.open();
        must(store.put_session(request_of(1)));
        must(store.put_session(request_of(2)));
      }
      d.execute(sql);
      auto store = d.open();
      auto read = store.session(id_of(1));
      BOOST_REQUIRE(!read.has_value());
      BOOST_TEST((read.error().code == errc::corrupted));
      BOOST_TEST(read.error().what.find(names) != std::string::npos, read.error().what);
      auto list = must(store.sessions({false, 0, 1000}));
      BOOST_TEST((!list.empty() && list[0].id == id_of(2)));
      BOOST_TEST((list.size() == 2u || !store.findings().empty()));
    }
  }
  desk d;
  {
    auto store = d.open();
    must(store.put_session(request_of(1)));
    must(store.put_chunk(chunk_of(1, track::video, 0)));
    must(store.put_manifest(manifest_of(1)));
    must(store.put_anchor({{manifest_of(1).entry, 1, 0, {digest{1}}}, {}}));
  }
  d.execute("UPDATE chunks SET root = x'00'; UPDATE chunk_leaves SET leaves = x'00';"
            "UPDATE manifests SET signature = x'00'; UPDATE anchors SET path = x'00'");
  auto store = d.open();
  BOOST_TEST((store.chunks(id_of(1)).error().code == errc::corrupted));
  BOOST_TEST((store.leaves({id_of(1), track::video, 0}).error().code == errc::corrupted));
  BOOST_TEST((store.manifest_of(id_of(1)).error().code == errc::corrupted));
  BOOST_TEST((store.anchor_of(id_of(1)).error().code == errc::corrupted));
  BOOST_TEST(store.findings().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_reader_looks_while_the_node_writes) {
  desk d;
  BOOST_TEST((recording_store::open_read_only(d.options, d.fs).error().code == errc::not_found));
  auto store = d.open();
  auto reader = must(recording_store::open_read_only(d.options, d.fs));
  must(store.put_session(request_of(1)));
  BOOST_TEST(must(reader.sessions({})).size() == 1u);
  BOOST_TEST((reader.put_session(request_of(2)).error().code == errc::read_only));
}

// A random life against a disk that loses power at a random file operation: afterwards each acknowledged chunk has its
// row and its bytes, no chunk is shown without its bytes, and a finished removal stays finished.
BOOST_AUTO_TEST_CASE(whenever_the_power_goes_rows_and_files_agree) {
  int losses_of_power = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::mt19937_64 random(seed);
      desk d;
      std::map<std::uint8_t, std::map<std::uint32_t, bool>> acknowledged;
      std::map<std::uint8_t, bool> begun, removed, removing;
      for (int life = 0; life < 4; ++life) {
        auto store = d.open();
        BOOST_TEST(store.findings().empty());
        for (auto& [n, yes] : begun) {
          bool there = store.session(id_of(n)).has_value();
          BOOST_TEST((there || removing[n] || removed[n]));
          BOOST_TEST(!(there && removed[n]));
          if (!there) continue;
          std::map<std::uint32_t, bool> shown;
          for (auto& record : must(store.chunks(id_of(n)))) {
            shown[record.key.index] = true;
            auto bytes = must(store.chunk_bytes(record.key));
            BOOST_TEST((bytes == byte_buffer(record.sealed_size_bytes, static_cast<std::uint8_t>(record.key.index + 1))));
          }
          for (auto& [index, acked] : acknowledged[n]) BOOST_TEST(shown.count(index) == 1u);
        }
        d.fs.lose_power_after(random() % 60);
        for (int step = 0; step < 40 && !d.fs.power_is_lost(); ++step) {
          auto n = static_cast<std::uint8_t>(1 + random() % 3);
          auto index = static_cast<std::uint32_t>(random() % 6);
          switch (random() % 6) {
            case 0:
              if (!begun[n] && store.put_session(request_of(n))) begun[n] = true;
              if (!begun[n]) begun.erase(n);
              break;
            case 1:
              if (begun.count(n) && random() % 3 == 0 && acknowledged[n].size() > 3 && !removed[n]) {
                auto row = store.session(id_of(n));
                if (row && !is_final(row->summary.state))
                  for (auto s : {2, 3, 4, 5, 6}) {
                    row->summary.state = static_cast<session_state>(s);
                    (void)store.update_session(row->summary);
                  }
                removing[n] = true;
                if (store.remove_session(id_of(n))) removed[n] = true;
              }
              break;
            default:
              if (store.put_chunk(chunk_of(n, track::video, index, 500 + index))) acknowledged[n][index] = true;
          }
        }
        losses_of_power += d.fs.power_is_lost();
        d.fs.restart(random);
      }
    }
  }
  BOOST_TEST(losses_of_power > 100);
}

// --- fences and copies -------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_chunk_under_a_lower_fence_is_refused_also_after_a_restart) {
  desk d;
  auto under = [](std::uint32_t index, std::string role, std::uint64_t number) {
    auto c = chunk_of(1, track::video, index);
    c.fence = {std::move(role), number};
    return c;
  };
  {
    auto store = d.open();
    must(store.put_session(request_of(1)));
    must(store.put_chunk(under(0, "seal", 5)));
    must(store.put_chunk(under(1, "seal", 5)));
    must(store.put_chunk(under(2, "seal", 7)));
  }
  auto store = d.open();
  auto late = store.put_chunk(under(3, "seal", 6));
  BOOST_REQUIRE(!late);
  BOOST_TEST((late.error().code == errc::wrong_state));
  BOOST_TEST(late.error().what.find("number 7 holds") != std::string::npos);
  BOOST_TEST(must(store.chunks(id_of(1))).size() == 3u);
  BOOST_TEST((store.put_chunk(under(0, "seal", 6)).error().code == errc::wrong_state)); // Even one that is there.
  must(store.put_chunk(under(3, "seal", 7)));
  must(store.put_chunk(under(4, "other", 1))); // Roles do not meet.
  must(store.put_chunk(under(5, "", 0)));      // Our own sealing knows no lease.
  BOOST_TEST((store.put_chunk(under(6, "", 8)).error().code == errc::invalid_input));
  must(store.put_chunk(under(0, "seal", 9))); // There already: the number counts all the same.
  BOOST_TEST((store.put_chunk(under(6, "seal", 8)).error().code == errc::wrong_state));
}

BOOST_AUTO_TEST_CASE(fences_are_of_a_bounded_number_of_roles) {
  desk d;
  auto store = d.open();
  must(store.put_session(request_of(1)));
  for (std::uint32_t i = 0; i < recording_store::fence_roles_max; ++i) {
    auto c = chunk_of(1, track::video, i, 100);
    c.fence = {"role " + std::to_string(i), 1};
    must(store.put_chunk(c));
  }
  auto c = chunk_of(1, track::video, 100, 100);
  c.fence = {"one more", 1};
  BOOST_TEST((store.put_chunk(c).error().code == errc::limit_exceeded));
  c.fence = {"role 3", 2};
  must(store.put_chunk(c));
}

namespace {
session_row row_of(std::uint8_t n, session_state state) {
  auto r = request_of(n);
  r.summary.state = state;
  return {r.summary, r.what, r.policy, r.keys, r.key_commitment};
}
constexpr node_id one{0xaa}, two{0xbb};
} // namespace

BOOST_AUTO_TEST_CASE(a_copy_takes_what_its_origin_says_and_nothing_from_others) {
  using enum session_state;
  desk d;
  auto store = d.open();
  must(store.mirror_session(one, row_of(1, recording)));
  BOOST_TEST((must(store.origin_of(id_of(1))) == one));
  auto kept = must(store.session(id_of(1)));
  BOOST_TEST(kept.keys.size() == 2u); // The third is for nobody among the recipients.
  BOOST_TEST(kept.what.source.find("secret") == std::string::npos);

  auto c = chunk_of(1, track::video, 0);
  must(store.mirror_chunk(one, c));
  must(store.mirror_session(one, row_of(1, completed))); // Straight to the end: no table asked.
  must(store.mirror_chunk(one, chunk_of(1, track::video, 1)));
  BOOST_TEST(must(store.holds(c.record.key, c.record.content)));
  BOOST_TEST(!must(store.holds(c.record.key, digest{99})));
  BOOST_TEST(must(store.chunk_part(c.record.key, 39'990, 100)).size() == 10u);
  must(store.mirror_manifest(one, manifest_of(1)));
  stored_anchor anchor{{manifest_of(1).entry, 5, 0, {digest{1}}}, {}};
  must(store.mirror_anchor(one, anchor));
  BOOST_TEST(must(store.anchor_of(id_of(1))).block_height == 5u);

  auto denied = [](const auto& result) { return !result && result.error().code == errc::permission_denied; };
  BOOST_TEST(denied(store.mirror_session(two, row_of(1, failed))));
  BOOST_TEST(denied(store.mirror_chunk(two, chunk_of(1, track::video, 2))));
  BOOST_TEST(denied(store.mirror_manifest(two, manifest_of(1))));
  BOOST_TEST(denied(store.mirror_anchor(two, anchor)));
  BOOST_TEST(denied(store.mirror_remove(two, id_of(1))));
  must(store.put_session(request_of(2)));
  BOOST_TEST(denied(store.mirror_session(one, row_of(2, completed))));
  BOOST_TEST(denied(store.mirror_remove(one, id_of(2))));
  BOOST_TEST(must(store.chunks(id_of(1))).size() == 2u);

  must(store.mirror_remove(one, id_of(1)));
  must(store.mirror_remove(one, id_of(1)));
  BOOST_TEST((store.session(id_of(1)).error().code == errc::not_found));
  BOOST_TEST(!std::filesystem::exists(store.chunk_path(c.record.key)));
}

BOOST_AUTO_TEST_CASE(a_lost_or_changed_copy_of_a_chunk_is_taken_again) {
  desk d;
  auto store = d.open();
  must(store.mirror_session(one, row_of(1, session_state::completed)));
  auto c = chunk_of(1, track::video, 0);
  must(store.mirror_chunk(one, c));
  must(d.fs.remove(store.chunk_path(c.record.key)));
  BOOST_TEST(!must(store.holds(c.record.key, c.record.content)));
  must(store.mirror_chunk(one, c));
  BOOST_TEST(must(store.holds(c.record.key, c.record.content)));
  auto other = chunk_of(1, track::video, 0, 50'000);
  other.record.content.fill(77);
  must(store.mirror_chunk(one, other));
  BOOST_TEST(must(store.chunk_bytes(c.record.key)).size() == 50'000u);
}

BOOST_AUTO_TEST_CASE(the_commitment_to_a_sessions_key_is_kept_and_goes_with_its_copies) {
  desk d;
  auto store = d.open();
  auto request = request_of(1);
  request.key_commitment.fill(0x5c);
  must(store.put_session(request));
  must(store.put_session(request_of(2))); // As of an earlier version.
  BOOST_TEST((must(store.session(id_of(1))).key_commitment == request.key_commitment));
  BOOST_TEST((must(store.session(id_of(2))).key_commitment == digest{}));

  auto row = row_of(3, session_state::recording);
  must(store.mirror_session(one, row));
  row.key_commitment.fill(0x5d);
  must(store.mirror_session(one, row)); // Its origin was updated meanwhile.
  BOOST_TEST((must(store.session(id_of(3))).key_commitment == row.key_commitment));
  auto told = std::exchange(row.key_commitment, {});
  must(store.mirror_session(one, row));
  BOOST_TEST((must(store.session(id_of(3))).key_commitment == told));
}

BOOST_AUTO_TEST_CASE(a_file_of_the_earlier_version_is_read_without_commitments) {
  desk d;
  {
    std::span<const std::string_view> all(store_migrations);
    must(database::open(d.temp.path() / "store.db", all.first(3)));
  }
  must(must(database::open(d.temp.path() / "store.db", std::span(store_migrations).first(3)))
         .execute("INSERT INTO sessions SELECT x'" + to_hex(id_of(1)) +
                  "',0,6,'t','o','s',1,1,1,0,0,0,0,0,0,0,'','','',0,0,0,'',0,0,0,NULL"));
  auto reader = must(recording_store::open_read_only(d.options, d.fs));
  BOOST_TEST((must(reader.session(id_of(1))).key_commitment == digest{}));
  auto store = d.open(); // Brings it up to date.
  BOOST_TEST((must(store.session(id_of(1))).key_commitment == digest{}));
}

BOOST_AUTO_TEST_CASE(a_chunk_whose_file_is_there_already_keeps_that_file) {
  temp_folder temp;
  posix_file_system files;
  auto store = must(recording_store::open({temp.path(), 0}, files));
  must(store.put_session(request_of(1)));
  auto c = chunk_of(1, track::video, 0), other = chunk_of(1, track::video, 1);
  auto kept = temp.path() / "copy";
  must(write_atomically(files, kept, c.file.view()));
  std::filesystem::create_hard_link(kept, store.chunk_path(c.record.key));
  must(store.put_chunk(c));
  BOOST_TEST(std::filesystem::hard_link_count(kept) == 2u);
  // Of the same size, but other bytes: a copy that was damaged since.
  std::filesystem::create_hard_link(kept, store.chunk_path(other.record.key));
  must(store.put_chunk(other));
  BOOST_TEST(std::filesystem::hard_link_count(kept) == 2u);
  auto bytes = must(store.chunk_bytes(other.record.key));
  BOOST_TEST(std::equal(bytes.begin(), bytes.end(), other.file.view().begin(), other.file.view().end()));
}

BOOST_AUTO_TEST_CASE(a_copy_is_taken_over_without_the_lost_nodes_anchor_and_never_with_another_manifest) {
  using enum session_state;
  desk d;
  auto store = d.open();
  auto row = row_of(1, completed);
  row.summary.block_height = 5;
  must(store.mirror_session(one, row));
  must(store.mirror_chunk(one, chunk_of(1, track::video, 0)));
  must(store.mirror_manifest(one, manifest_of(1)));
  must(store.mirror_anchor(one, {{manifest_of(1).entry, 5, 0, {}}, {}}));

  auto refused = [](const auto& result, errc code) { return !result && result.error().code == code; };
  BOOST_TEST(refused(store.mirror_take_over(two, two, id_of(1), {}), errc::permission_denied)); // Not `two`'s to give.
  BOOST_TEST(refused(store.mirror_take_over(one, two, id_of(1), {}), errc::already_exists));
  BOOST_TEST(refused(store.mirror_take_over(one, two, id_of(1), digest{9}), errc::already_exists));
  BOOST_TEST(refused(store.mirror_take_over(one, two, id_of(2), {}), errc::not_found));
  BOOST_TEST((must(store.origin_of(id_of(1))) == one));
  BOOST_TEST(must(store.anchor_of(id_of(1))).block_height == 5u);

  must(store.mirror_take_over(one, two, id_of(1), manifest_of(1).document.hash));
  BOOST_TEST((must(store.origin_of(id_of(1))) == two));
  BOOST_TEST(must(store.chunks(id_of(1))).size() == 1u);
  BOOST_TEST(must(store.has_manifest(id_of(1))));
  BOOST_TEST(refused(store.anchor_of(id_of(1)), errc::not_found));
  BOOST_TEST(must(store.session(id_of(1))).summary.block_height == 0u);
  BOOST_TEST(refused(store.mirror_session(one, row), errc::permission_denied));
  must(store.mirror_anchor(two, {{manifest_of(1).entry, 2, 0, {}}, {}}));
}

BOOST_AUTO_TEST_CASE(a_block_of_another_nodes_chain_is_kept_with_the_anchor_and_goes_with_copies) {
  desk d;
  auto store = d.open();
  must(store.put_session(request_of(1)));
  must(store.put_manifest(manifest_of(1)));
  block_header block;
  block.height = 12;
  block.slot = 3;
  block.time_us = 77;
  block.entry_count = 2;
  block.previous.fill(1);
  block.entries_root.fill(2);
  block.producer.fill(3);
  block.by.fill(4);
  stored_anchor anchor{{manifest_of(1).entry, 12, 1, {digest{1}}}, block};
  BOOST_TEST((must(store.put_anchor(anchor)).block->producer == block.producer));
  // Whatever a second says, the first place stays, with its block.
  auto again = must(store.put_anchor({{manifest_of(1).entry, 4, 0, {}}, {}}));
  BOOST_TEST(again.record.block_height == 12u);
  BOOST_REQUIRE(again.block.has_value());
  auto back = must(store.anchor_with_block(id_of(1)));
  BOOST_REQUIRE(back.block.has_value());
  BOOST_TEST((back.block->height == 12 && back.block->slot == 3 && back.block->time_us == 77 && back.block->entry_count == 2));
  BOOST_TEST((back.block->previous == block.previous && back.block->entries_root == block.entries_root));
  BOOST_TEST((back.block->producer == block.producer && back.block->by == block.by));
  BOOST_TEST((back.record.path == anchor.record.path && back.record.entry_index == 1));
  // The lists tell whose chain it is, and news of the session without it change nothing.
  BOOST_TEST((must(store.session(id_of(1))).summary.block_producer == block.producer));
  auto news = must(store.session(id_of(1))).summary;
  news.block_producer = {};
  news.state = session_state::recording;
  BOOST_TEST((must(store.update_session(news)).block_producer == block.producer));
  BOOST_TEST((must(store.sessions({})).front().block_producer == block.producer));
  BOOST_TEST((must(recording_store::open_read_only(d.options, d.fs).value().sessions({})).front().block_producer == block.producer));

  // Of one's own chain there is none.
  must(store.put_session(request_of(2)));
  must(store.put_manifest(manifest_of(2)));
  BOOST_TEST(!must(store.put_anchor({{manifest_of(2).entry, 5, 0, {}}, {}})).block.has_value());
  BOOST_TEST(!must(store.anchor_with_block(id_of(2))).block.has_value());
  BOOST_TEST((must(store.session(id_of(2))).summary.block_producer == sign_public_key{}));

  // A copy has the block too; whoever takes it over anchors it anew.
  auto row = row_of(3, session_state::completed);
  row.summary.block_height = 12;
  row.summary.block_producer = block.producer;
  must(store.mirror_session(one, row));
  BOOST_TEST((must(store.session(id_of(3))).summary.block_producer == block.producer));
  must(store.mirror_manifest(one, manifest_of(3)));
  must(store.mirror_anchor(one, {{manifest_of(3).entry, 12, 0, {}}, block}));
  BOOST_TEST(must(store.anchor_with_block(id_of(3))).block.has_value());
  must(store.mirror_take_over(one, two, id_of(3), manifest_of(3).document.hash));
  BOOST_TEST((must(store.session(id_of(3))).summary.block_producer == sign_public_key{}));

  d.execute("UPDATE anchors SET block = x'00' WHERE block IS NOT NULL");
  BOOST_TEST((store.anchor_with_block(id_of(1)).error().code == errc::corrupted));
}

BOOST_AUTO_TEST_CASE(an_anchor_of_version_4_is_of_the_nodes_own_chain) {
  desk d;
  auto before = std::span<const std::string_view>(store_migrations).first(4);
  {
    auto db = must(database::open(d.temp.path() / "store.db", before));
    auto id = "x'" + to_hex(id_of(1)) + "'", hash = "x'" + to_hex(manifest_of(1).document.hash) + "'";
    must(db.execute("INSERT INTO sessions SELECT " + id +
                    ",0,6,'t','o','s',1,1,1,0,0,0,0,0,0,9,'','','',0,0,0,'',0,0,0,NULL,NULL;"
                    "INSERT INTO manifests SELECT " + id + ",'{}'," + hash + ",zeroblob(64),zeroblob(32),5;"
                    "INSERT INTO anchors SELECT " + id + "," + hash + ",zeroblob(32),5,9,0,zeroblob(32)"));
  }
  auto check = [](recording_store& store) {
    auto anchor = must(store.anchor_with_block(id_of(1)));
    BOOST_TEST(anchor.record.block_height == 9u);
    BOOST_TEST(!anchor.block.has_value());
    auto summary = must(store.session(id_of(1))).summary;
    BOOST_TEST((summary.block_height == 9 && summary.block_producer == sign_public_key{}));
    BOOST_TEST(must(store.sessions({})).size() == 1u);
  };
  auto reader = must(recording_store::open_read_only(d.options, d.fs));
  check(reader);
  auto store = d.open(); // Brings it up to date.
  check(store);
  check(reader); // Which was open meanwhile.
}
