// tests/unit/ledger_tests.cpp - the chain: blocks, repeats, stepped clocks, damage; and the batches of anchor.
#define BOOST_TEST_MODULE ledger_tests
#include <boost/test/unit_test.hpp>

#include <random>

#include "actors/anchor/anchor_core.hpp"
#include "actors/ledger/ledger.hpp"
#include "actors/ledger/ledger_file.hpp"
#include "tests/doubles/must.hpp"
#include "tests/doubles/temp_folder.hpp"

using namespace lucid;
using namespace std::chrono_literals;
using lucid::testing::must;
using lucid::testing::temp_folder;

namespace {

constexpr unix_time_us now = genesis_time_us + 10 * slot_length_us + 5;

sign_key key_of(std::uint8_t n) {
  secret_key seed;
  for (auto& byte : seed.span()) byte = n;
  return sign_key(seed);
}

anchor_entry entry_of(std::uint32_t n) {
  anchor_entry e;
  e.session[0] = static_cast<std::uint8_t>(n);
  e.session[1] = static_cast<std::uint8_t>(n >> 8);
  e.manifest_hash[0] = 1;
  e.root[0] = 2;
  e.sealed_us = n;
  return e;
}

std::vector<anchor_entry> entries_of(std::uint32_t from, std::uint32_t count) {
  std::vector<anchor_entry> all;
  for (std::uint32_t i = 0; i < count; ++i) all.push_back(entry_of(from + i));
  return all;
}

/// A store whose append fails: before anything is there, or after (the answer of the disk got lost).
class failing_store final : public ledger_store {
public:
  explicit failing_store(ledger_store& inner) : inner_(inner) {}
  enum class how { works, fails_before, fails_after } next = how::works;

  outcome<std::optional<block_header>> head() override { return inner_.head(); }
  outcome<std::uint64_t> entry_count() override { return inner_.entry_count(); }
  outcome<void> append(const block_header& header, std::span<const anchor_entry> entries) override {
    auto failure = std::exchange(next, how::works);
    if (failure != how::fails_before) {
      auto done = inner_.append(header, entries);
      if (!done || failure == how::works) return done;
    }
    return fail(errc::io_failed, "test", "the disk does not answer");
  }
  outcome<std::optional<ledger_place>> find(const session_id& s, const digest& h) override { return inner_.find(s, h); }
  outcome<std::vector<block_header>> headers(std::uint64_t from, std::uint32_t count) override {
    return inner_.headers(from, count);
  }
  outcome<std::vector<anchor_entry>> entries(std::uint64_t height) override { return inner_.entries(height); }

private:
  ledger_store& inner_;
};

struct desk {
  temp_folder temp;
  std::filesystem::path file = temp.path() / "ledger.db";
  sign_key key = key_of(1);
  void execute(const std::string& sql) {
    std::array<std::string_view, 2> both{"", ""};
    auto db = must(database::open(file, both));
    must(db.execute("DROP TRIGGER blocks_last; DROP TRIGGER blocks_stay; DROP TRIGGER entries_stay;"
                    "DROP TRIGGER entries_last; PRAGMA foreign_keys=OFF;" + sql));
  }
};

} // namespace

BOOST_AUTO_TEST_CASE(an_empty_store_gets_block_0_and_the_chain_grows_by_batches) {
  desk d;
  {
    auto store = must(ledger_file::open(d.file));
    BOOST_TEST((verify_chain(store, {}).error().code == errc::not_found));
    auto chain = must(ledger::open(store, d.key));
    BOOST_TEST(chain.core().status().height == 0u);
    auto records = must(chain.append(entries_of(1, 5), now));
    BOOST_REQUIRE(records.size() == 5u);
    for (std::uint32_t i = 0; i < 5; ++i) {
      BOOST_TEST((records[i].record.entry == entry_of(1 + i)));
      BOOST_TEST(records[i].record.block_height == 1u);
      BOOST_TEST(verify_anchor(records[i].record, must(store.headers(1, 1))[0]).has_value());
    }
    BOOST_TEST((chain.append({}, now).error().code == errc::limit_exceeded));
    BOOST_TEST((chain.append(entries_of(1, 1001), now).error().code == errc::limit_exceeded));
  }
  auto store = must(ledger_file::open(d.file));
  auto chain = must(ledger::open(store, d.key));
  BOOST_TEST(chain.core().status().entry_count == 5u);
  must(chain.append(entries_of(10, 1), now + 1));
  auto reader = must(ledger_file::open_read_only(d.file));
  auto status = must(verify_chain(reader, d.key.public_key()));
  BOOST_TEST(status.height == 2u);
  BOOST_TEST(status.entry_count == 6u);
  BOOST_TEST(must(store.headers(1, 10))[0].slot == 10u);
}

BOOST_AUTO_TEST_CASE(an_entry_that_is_there_keeps_its_place_also_within_one_batch) {
  desk d;
  auto store = must(ledger_file::open(d.file));
  auto chain = must(ledger::open(store, d.key));
  auto first = must(chain.append(entries_of(1, 3), now));
  auto again = must(chain.append(std::vector{entry_of(2), entry_of(9), entry_of(9), entry_of(1)}, now));
  BOOST_TEST((again[0].record.block_height == 1 && again[0].record.entry_index == 1 && again[0].record.path == first[1].record.path));
  BOOST_TEST((again[1].record.block_height == 2 && again[1].record.entry_index == 0));
  BOOST_TEST((again[2].record.block_height == 2 && again[2].record.entry_index == 0));
  BOOST_TEST(again[3].record.block_height == 1u);
  must(chain.append(entries_of(1, 3), now)); // Nothing new: no block.
  BOOST_TEST(chain.core().status().height == 2u);
  BOOST_TEST(must(verify_chain(store, {})).entry_count == 4u);
}

BOOST_AUTO_TEST_CASE(a_clock_that_steps_back_does_not_take_time_back) {
  desk d;
  auto store = must(ledger_file::open(d.file));
  auto chain = must(ledger::open(store, d.key));
  must(chain.append(entries_of(1, 1), now));
  must(chain.append(entries_of(2, 1), now - 3'600'000'000));
  BOOST_TEST(chain.core().clock_step_count() == 1u);
  must(chain.append(entries_of(3, 1), now + 1));
  BOOST_TEST(chain.core().clock_step_count() == 1u);
  auto headers = must(store.headers(0, 10));
  BOOST_TEST(headers[2].time_us == headers[1].time_us);
  BOOST_TEST(headers[2].slot == headers[1].slot);
  BOOST_TEST(verify_chain(store, {}).has_value());
}

BOOST_AUTO_TEST_CASE(after_a_failed_append_the_chain_goes_on_from_what_the_disk_has) {
  for (auto how : {failing_store::how::fails_before, failing_store::how::fails_after}) {
    desk d;
    auto file = must(ledger_file::open(d.file));
    failing_store store(file);
    auto chain = must(ledger::open(store, d.key));
    must(chain.append(entries_of(1, 1), now));
    store.next = how;
    BOOST_TEST((chain.append(entries_of(2, 1), now).error().code == errc::io_failed));
    auto again = must(chain.append(entries_of(2, 1), now));
    BOOST_TEST(again[0].record.block_height == 2u);
    must(chain.append(entries_of(3, 1), now));
    auto status = must(verify_chain(store, {}));
    BOOST_TEST((status.height == 3 && status.entry_count == 3));
  }
}

BOOST_AUTO_TEST_CASE(another_key_does_not_go_on_with_the_chain) {
  desk d;
  auto store = must(ledger_file::open(d.file));
  must(ledger::open(store, d.key));
  BOOST_TEST((ledger::open(store, key_of(2)).error().code == errc::permission_denied));
  BOOST_TEST((verify_chain(store, key_of(2).public_key()).error().code == errc::permission_denied));
}

BOOST_AUTO_TEST_CASE(a_block_or_entry_is_not_changed_by_accident) {
  desk d;
  auto store = must(ledger_file::open(d.file));
  auto chain = must(ledger::open(store, d.key));
  must(chain.append(entries_of(1, 2), now));
  std::array<std::string_view, 2> both{"", ""};
  auto db = must(database::open(d.file, both));
  for (std::string sql : {"DELETE FROM blocks", "UPDATE blocks SET height = 9", "DELETE FROM entries",
                          "UPDATE entries SET place = 9"})
    BOOST_TEST((db.execute(sql).error().code == errc::wrong_state), sql);
  BOOST_TEST((store.append(must(store.headers(1, 1))[0], {}).error().code == errc::already_exists));
}

// --- search ----------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_search_finds_what_a_walk_through_the_whole_chain_finds) {
  desk d;
  auto store = must(ledger_file::open(d.file));
  auto chain = must(ledger::open(store, d.key));
  std::mt19937 dice(20261121);
  std::vector<found_entry> all; // Newest first.
  for (std::uint64_t height = 1; height <= 40; ++height) {
    std::vector<anchor_entry> batch(1 + dice() % 12);
    for (auto& e : batch) {
      for (auto* name : {&e.session, &e.manifest_hash, &e.root}) {
        for (auto& byte : *name) byte = static_cast<std::uint8_t>(dice());
        (*name)[0] = static_cast<std::uint8_t>(dice() % 3 == 0 ? 0xff : 0xab); // So that prefixes collide.
        (*name)[1] = static_cast<std::uint8_t>(dice() % 4 * 0x11);
      }
    }
    must(chain.append(batch, now + static_cast<unix_time_us>(height)));
    for (std::uint32_t i = 0; i < batch.size(); ++i) all.insert(all.begin(), {batch[i], {height, i}});
  }
  auto begins = [](const digest& name, const std::string& with) { return to_hex(name).substr(0, with.size()) == with; };
  auto probe = [&](const std::string& digits) {
    auto found = must(store.search(digits));
    std::size_t at = 0;
    for (auto& one : all) {
      if (!begins(one.entry.session, digits) && !begins(one.entry.manifest_hash, digits) && !begins(one.entry.root, digits))
        continue;
      if (at == archive_found_max) return found.size() == at;
      if (at >= found.size() || found[at].entry != one.entry || found[at].place.height != one.place.height ||
          found[at].place.index != one.place.index)
        return false;
      ++at;
    }
    return at == found.size();
  };
  for (auto* digits : {"ab00", "ab11", "ff33", "ab223", "0000", "ffff"}) BOOST_TEST(probe(digits), digits);
  for (int i = 0; i < 200; ++i) {
    auto& e = all[dice() % all.size()].entry;
    auto& name = dice() % 3 == 0 ? e.session : dice() % 2 == 0 ? e.manifest_hash : e.root;
    auto digits = to_hex(name).substr(0, 4 + dice() % 61);
    BOOST_TEST(probe(digits), digits);
  }
}

BOOST_AUTO_TEST_CASE(a_search_goes_by_an_index_and_answers_the_newest_hundred) {
  desk d;
  auto store = must(ledger_file::open(d.file));
  auto chain = must(ledger::open(store, d.key));
  for (std::uint32_t height = 0; height < 15; ++height) {
    auto batch = entries_of(height * 10, 10);
    must(chain.append(batch, now));
  }
  auto found = must(store.search("0200")); // Root of all of them.
  BOOST_REQUIRE(found.size() == archive_found_max);
  BOOST_TEST((found.front().place.height == 15u && found.front().place.index == 9u));
  BOOST_TEST((found.back().place.height == 6u && found.back().place.index == 0u));

  std::array<std::string_view, 2> both{"", ""};
  auto db = must(database::open(d.file, both));
  for (auto [term, index] : {std::pair{"session", "entries_by_session"}, {"manifest_hash", "entries_by_manifest"},
                             {"substr(entry, 65, 32)", "entries_by_root"}}) {
    auto query = must(db.prepare(std::string("EXPLAIN QUERY PLAN SELECT height FROM entries WHERE ") + term +
                                 " BETWEEN ? AND ?"));
    std::string plan;
    query.bind(byte_view(digest{})).bind(byte_view(digest{}));
    while (auto row = must(query.step())) plan += row->text(3, 1000);
    BOOST_TEST(plan.find(index) != plan.npos, plan);
  }
}

BOOST_AUTO_TEST_CASE(a_search_takes_four_to_sixty_four_hexadecimal_digits) {
  desk d;
  auto store = must(ledger_file::open(d.file));
  for (auto& wrong : {std::string(), std::string("abc"), std::string("abcg"), std::string("ab%_"), std::string(65, 'a')})
    BOOST_TEST((store.search(wrong).error().code == errc::invalid_input), wrong);
  BOOST_TEST(must(store.search(std::string(64, 'a'))).empty());
  BOOST_TEST(must(store.search("ABCD")).empty());
}

BOOST_AUTO_TEST_CASE(a_chain_of_the_version_before_the_indexes_is_read_and_searched) {
  desk d;
  {
    auto store = must(ledger_file::open(d.file));
    auto chain = must(ledger::open(store, d.key));
    must(chain.append(entries_of(1, 3), now));
  }
  d.execute("DROP INDEX entries_by_manifest; DROP INDEX entries_by_root; PRAGMA user_version=1;");
  auto reader = must(ledger_file::open_read_only(d.file));
  BOOST_TEST(must(verify_chain(reader, {})).entry_count == 3u);
  BOOST_TEST(must(reader.search("0200")).size() == 3u);
  auto writer = must(ledger_file::open(d.file)); // Brings it up to date.
  BOOST_TEST(must(writer.search("0200")).size() == 3u);
}

BOOST_AUTO_TEST_CASE(verification_finds_and_names_each_kind_of_damage) {
  struct damage {
    std::string sql;
    errc code;
    std::string names;
  };
  auto flip = [](int byte) { // Changes one byte of block 2's header.
    auto n = std::to_string(byte);
    return "UPDATE blocks SET header = CAST(substr(header, 1, " + n + ") || x'7f' || substr(header, " + n +
           " + 2) AS BLOB) WHERE height = 2";
  };
  for (auto& [sql, code, names] : std::vector<damage>{
         {flip(0), errc::corrupted, "row 2"},
         {flip(150), errc::bad_signature, "block 2"},
         {flip(50), errc::bad_signature, "block 2"},
         {"UPDATE blocks SET header = x'00' WHERE height = 2", errc::truncated, "row 2"},
         {"UPDATE blocks SET header = (SELECT header FROM blocks WHERE height = 1) WHERE height = 2", errc::corrupted, "row 2"},
         {"DELETE FROM blocks WHERE height = 2", errc::corrupted, "block 3"},
         {"DELETE FROM blocks WHERE height = 0", errc::corrupted, "block 1"},
         {"DELETE FROM blocks WHERE height = 3", errc::corrupted, "entries at rest"},
         {"DELETE FROM entries WHERE height = 2 AND place = 1", errc::corrupted, "2/2"},
         {"DELETE FROM entries WHERE height = 2 AND place = 2", errc::corrupted, "block 2"},
         {"UPDATE entries SET place = 7 WHERE height = 2 AND place = 2", errc::corrupted, "2/7"},
         {"UPDATE entries SET session = zeroblob(32) WHERE height = 2 AND place = 1", errc::corrupted, "2/1"},
         {"UPDATE entries SET entry = CAST(substr(entry, 1, 96) || x'0102030405060708' AS BLOB) WHERE height = 2",
          errc::corrupted, "block 2"},
       }) {
    BOOST_TEST_CONTEXT(sql) {
      desk d;
      {
        auto store = must(ledger_file::open(d.file));
        auto chain = must(ledger::open(store, d.key));
        for (std::uint32_t n = 0; n < 3; ++n) must(chain.append(entries_of(1 + n * 10, 3), now));
        BOOST_TEST(verify_chain(store, {}).has_value());
      }
      d.execute(sql);
      auto store = must(ledger_file::open(d.file));
      auto found = verify_chain(store, {});
      BOOST_REQUIRE(!found.has_value());
      BOOST_TEST(to_string(found.error().code) == to_string(code));
      BOOST_TEST(found.error().what.find(names) != std::string::npos, found.error().what);
    }
  }
}

BOOST_AUTO_TEST_CASE(verification_tells_its_progress_and_can_be_stopped) {
  desk d;
  auto store = must(ledger_file::open(d.file));
  auto chain = must(ledger::open(store, d.key));
  must(chain.append(entries_of(1, 1), now));
  std::uint64_t done = 0, total = 0;
  must(verify_chain(store, {}, [&](auto a, auto b) { done = a, total = b; return true; }));
  BOOST_TEST((done == 2 && total == 2));
  BOOST_TEST((verify_chain(store, {}, [](auto, auto) { return false; }).error().code == errc::cancelled));
}

// --- anchor_core -----------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_batch_waits_for_others_and_one_is_under_way_at_a_time) {
  anchor_core core({});
  BOOST_TEST(!core.wake_at().has_value());
  must(core.add(entry_of(1), 10s));
  must(core.add(entry_of(2), 10100ms));
  must(core.add(entry_of(1), 10100ms)); // Known.
  BOOST_TEST((core.wake_at() == 10200ms));
  BOOST_TEST(core.take_batch(10199ms).empty());
  BOOST_TEST(core.take_batch(10200ms).size() == 2u);
  must(core.add(entry_of(3), 11s));
  BOOST_TEST(core.take_batch(20s).empty());
  BOOST_TEST(!core.wake_at().has_value());
  core.done(anchor_core::key_of(entry_of(1)));
  core.done(anchor_core::key_of(entry_of(2)));
  core.batch_ended(false, 12s);
  BOOST_TEST(core.take_batch(12s).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_full_batch_does_not_wait_and_is_no_larger_than_its_bound) {
  anchor_limits limits;
  limits.batch_count_max = 10;
  limits.pending_count_max = 25;
  anchor_core core(limits);
  for (std::uint32_t n = 0; n < 25; ++n) must(core.add(entry_of(n), 1s));
  BOOST_TEST((core.add(entry_of(99), 1s).error().code == errc::busy));
  must(core.add(entry_of(3), 1s)); // Known: not another one.
  auto changed = entry_of(3);
  changed.root[5] = 9;
  BOOST_TEST((core.add(changed, 1s).error().code == errc::already_exists));
  BOOST_TEST(core.take_batch(1s).size() == 10u);
}

BOOST_AUTO_TEST_CASE(what_failed_is_tried_again_with_growing_pauses_up_to_a_bound) {
  anchor_limits limits;
  limits.retry_min = 1s;
  limits.retry_max = 5s;
  anchor_core core(limits);
  must(core.add(entry_of(1), 0s));
  auto at = anchor_core::time(1s);
  for (auto pause : {1s, 2s, 4s, 5s, 5s}) {
    BOOST_REQUIRE(core.take_batch(at).size() == 1u);
    core.batch_ended(true, at);
    BOOST_TEST((core.wake_at() == at + pause));
    BOOST_TEST(core.take_batch(at).empty());
    at += pause;
  }
  BOOST_REQUIRE(core.take_batch(at).size() == 1u);
  core.done(anchor_core::key_of(entry_of(1)));
  core.batch_ended(false, at);
  BOOST_TEST(core.failures_in_row() == 0u);
  BOOST_TEST(!core.wake_at().has_value());
}

BOOST_AUTO_TEST_CASE(whatever_fails_every_entry_is_anchored_in_the_end) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::mt19937_64 random(seed);
      anchor_limits limits;
      limits.batch_count_max = 1 + random() % 7;
      anchor_core core(limits);
      std::uint32_t added = 0, anchored = 0;
      auto at = anchor_core::time(0);
      for (int step = 0; anchored < 40 && step < 5000; ++step) {
        if (added < 40 && random() % 3 == 0) must(core.add(entry_of(added++), at));
        auto batch = core.take_batch(at);
        BOOST_TEST(batch.size() <= limits.batch_count_max);
        if (!batch.empty()) {
          bool failed = random() % 3 == 0;
          for (auto& entry : batch)
            if (!failed || random() % 2 == 0) {
              core.done(anchor_core::key_of(entry));
              ++anchored;
            }
          core.batch_ended(failed, at);
        }
        at = core.wake_at() ? std::max(at + 1ms, *core.wake_at()) : at + 50ms;
      }
      BOOST_TEST(anchored == 40u);
      BOOST_TEST(core.pending_count() == 0u);
    }
  }
}
