// tests/actor/storage_actor_tests.cpp - journal, store, ledger and anchor as actors: what is answered when, and kills.
#define BOOST_TEST_MODULE storage_actor_tests
#include <boost/test/unit_test.hpp>

#include "actors/anchor/anchor_actor.hpp"
#include "actors/journal/journal_actor.hpp"
#include "actors/ledger/ledger_actor.hpp"
#include "actors/ledger/ledger_file.hpp"
#include "actors/store/store_actor.hpp"
#include "fixture.hpp"
#include "messages/data_layout.hpp"
#include "messages/paths.hpp"
#include "tests/doubles/faulty_file_system.hpp"
#include "tests/doubles/must.hpp"
#include "tests/doubles/temp_folder.hpp"

using namespace lucid;
using namespace lucid::test;
using lucid::testing::faulty_file_system;
using lucid::testing::must;
using lucid::testing::temp_folder;

namespace {

/// The answer to one request, once there is one.
template <class T>
using answer = std::shared_ptr<std::optional<outcome<T>>>;

/// Asks without waiting; the test lets time pass and looks at the answer.
template <class T, class Interface, class Message>
answer<T> ask(world& w, const std::string& path, Message message) {
  auto got = std::make_shared<std::optional<outcome<T>>>();
  w.system.spawn([&w, path, message, got](caf::event_based_actor* self) {
    ref<Interface>(w.names, path)
      .request(self, caf::infinite, message)
      .then([got](const T& value) { got->emplace(value); },
            [got](const caf::error& e) { got->emplace(tl::unexpected(from_caf(e))); });
  });
  w.advance(0ms);
  return got;
}

bool answered(const auto& a) { return a->has_value() && (*a)->has_value(); }
bool refused(const auto& a, errc code) { return a->has_value() && !(*a)->has_value() && (*a)->error().code == code; }

fragment video(std::uint64_t sequence, std::size_t size = 100) {
  fragment f;
  f.sequence = sequence;
  f.frame_count = 1;
  f.end_us = static_cast<std::int64_t>(sequence);
  f.bytes = payload(byte_buffer(size, static_cast<std::uint8_t>(sequence)));
  return f;
}

struct journal_world : world {
  std::shared_ptr<faulty_file_system> files = std::make_shared<faulty_file_system>();
  std::shared_ptr<const session_key> key = std::make_shared<const session_key>(make_session_key(random));
  std::vector<error> losses;

  void begin() {
    journal_settings settings{{session_id{1}, "/data/s", {}}, files, key, [this](const error& e) { losses.push_back(e); }};
    start({.id = "root",
           .restarts_max = 1000,
           .children = {{.id = "journal", .start = child_of(journal_actor, settings), .delay = {0ms, 0ms}}}});
  }
  auto write(std::uint64_t sequence, std::size_t size = 100) {
    return ask<std::uint64_t, journal_api>(*this, "journal", video(sequence, size));
  }
  auto position() { return ask<capture_position, journal_api>(*this, "journal", journal_sync_request{}); }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(fragments_are_answered_by_one_sync_when_the_interval_has_passed, journal_world) {
  begin();
  auto first = write(1);
  advance(500ms);
  auto second = write(2);
  auto syncs_before = files->operations();
  advance(499ms);
  BOOST_TEST(!answered(first));
  BOOST_TEST(files->operations() == syncs_before);
  advance(1ms);
  BOOST_TEST(answered(first));
  BOOST_TEST(answered(second));
  BOOST_TEST(files->operations() == syncs_before + 1);
  auto again = write(2);
  BOOST_TEST(answered(again)); // On disk: at once.
  BOOST_TEST(refused(write(4), errc::wrong_state));
}

BOOST_FIXTURE_TEST_CASE(four_mebibytes_are_synced_at_once_and_a_sync_request_answers_all, journal_world) {
  begin();
  auto small = write(1);
  auto large = write(2, 4u << 20);
  BOOST_TEST(answered(small));
  BOOST_TEST(answered(large));
  auto third = write(3);
  BOOST_TEST(!answered(third));
  auto at = position();
  BOOST_TEST(answered(third));
  BOOST_REQUIRE(answered(at));
  BOOST_TEST((*at)->value().last_sequence == 3u);
  BOOST_TEST((*at)->value().source.frame_count == 3u);
  auto page = ask<journal_page, journal_api>(*this, "journal", journal_read_request{1});
  BOOST_REQUIRE(answered(page));
  BOOST_TEST((*page)->value().fragments.size() == 1u); // A page is 4 MiB; one fragment fills it.
  auto held = ask<std::uint64_t, journal_api>(*this, "journal", journal_drop_request{3, 3});
  BOOST_TEST(answered(held));
}

BOOST_FIXTURE_TEST_CASE(a_failed_sync_refuses_and_restarts_and_what_is_sent_again_is_kept, journal_world) {
  begin();
  auto one = write(1);
  advance(1s);
  BOOST_TEST(answered(one));
  auto two = write(2);
  files->fail_next("sync", errc::io_failed);
  advance(1s);
  BOOST_TEST(refused(two, errc::io_failed));
  advance(1s);
  BOOST_TEST(incarnation("journal") == 2u);
  two = write(2);
  advance(1s);
  BOOST_TEST(answered(two));
  BOOST_TEST(losses.empty());
}

BOOST_AUTO_TEST_CASE(killing_the_journal_at_any_time_loses_nothing_acknowledged) {
  int kills = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      journal_world w;
      std::mt19937_64 random(seed);
      w.begin();
      std::uint64_t acknowledged = 0;
      std::map<std::uint64_t, answer<std::uint64_t>> sent;
      std::uint64_t next = 1;
      for (int step = 0; step < 60; ++step) {
        if (random() % 8 == 0) {
          w.kill("journal");
          w.advance(1s);
          ++kills;
          auto at = w.position();
          BOOST_REQUIRE(answered(at));
          BOOST_TEST((*at)->value().last_sequence >= acknowledged);
          next = (*at)->value().last_sequence + 1; // Whatever was not acknowledged is sent again.
          sent.clear();
        }
        sent[next] = w.write(next, 1 + random() % 5000);
        ++next;
        w.advance(std::chrono::milliseconds(random() % 300));
        for (auto& [sequence, a] : sent)
          if (answered(a)) acknowledged = std::max(acknowledged, sequence);
      }
      BOOST_TEST(acknowledged > 0u);
      BOOST_TEST(w.losses.empty());
    }
  }
  BOOST_TEST(kills > 200);
}

namespace {

/// Store, ledger and anchor over a real folder, without threads.
struct storage_world : world {
  temp_folder temp;
  std::shared_ptr<faulty_file_system> files = std::make_shared<faulty_file_system>();
  std::shared_ptr<const sign_key> producer = [] {
    secret_key seed;
    for (auto& byte : seed.span()) byte = 5;
    return std::make_shared<const sign_key>(seed);
  }();
  std::vector<error> findings;

  explicit storage_world(std::uint64_t seed = 1) : world(seed) {}

  void begin() {
    auto opener = recording_store_opener({temp.path(), 0}, files, [this](const error& e) { findings.push_back(e); });
    auto anchor = anchor_child({});
    anchor.delay = {0ms, 0ms};
    start({.id = "root",
           .restarts_max = 1000,
           .children = {nested(supervisor_spec{
             .id = "storage",
             .how = strategy::rest_for_one,
             .restarts_max = 1000,
             .children = {{.id = "store", .start = child_of(store_actor, opener), .delay = {0ms, 0ms}},
                          {.id = "ledger",
                           .start = child_of(ledger_actor, ledger_settings{ledger_file_opener(temp.path()), producer}),
                           .delay = {0ms, 0ms}},
                          anchor}})}});
  }

  static session_id id_of(std::uint8_t n) {
    session_id id{};
    id.fill(n);
    return id;
  }
  static anchor_entry entry_of(std::uint8_t n) {
    digest hash;
    hash.fill(n);
    return {id_of(n), hash, digest{3}, n};
  }
  /// A session with a stored manifest.
  void put(std::uint8_t n) {
    session_put_request s;
    s.summary.id = id_of(n);
    s.summary.created_us = n;
    BOOST_REQUIRE(answered(ask<session_summary, store_api>(*this, std::string(paths::store), s)));
    manifest_put_request m{id_of(n), {"{}", entry_of(n).manifest_hash, {}}, entry_of(n)};
    BOOST_REQUIRE(answered(ask<signed_manifest, store_api>(*this, std::string(paths::store), m)));
  }
  auto anchor(std::uint8_t n) { return ask<stored_anchor, anchor_api>(*this, std::string(paths::anchor), entry_of(n)); }
  ledger_status verify() {
    auto file = must(ledger_file::open_read_only(ledger_file_name(temp.path())));
    return must(verify_chain(file, producer->public_key()));
  }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(manifests_of_one_window_share_a_block_and_repeats_get_the_same_answer, storage_world) {
  begin();
  put(1);
  put(2);
  auto one = anchor(1), two = anchor(2), again = anchor(1);
  advance(199ms);
  BOOST_TEST(!answered(one));
  advance(2ms);
  BOOST_REQUIRE((answered(one) && answered(two) && answered(again)));
  BOOST_TEST((*one)->value().record.block_height == 1u);
  BOOST_TEST((*two)->value().record.block_height == 1u);
  BOOST_TEST((*again)->value().record.entry_index == (*one)->value().record.entry_index);
  auto later = anchor(1);
  advance(201ms);
  BOOST_REQUIRE(answered(later));
  BOOST_TEST((*later)->value().record.block_height == 1u);
  auto row = ask<session_row, store_api>(*this, std::string(paths::store), session_get_request{id_of(1)});
  BOOST_TEST((*row)->value().summary.block_height == 1u);
  BOOST_TEST(verify().entry_count == 2u);
  auto status = ask<ledger_status, ledger_api>(*this, std::string(paths::ledger), ledger_status_request{});
  BOOST_TEST((*status)->value().height == 1u);
}

BOOST_FIXTURE_TEST_CASE(an_entry_without_a_manifest_is_refused_for_good_and_the_others_go_on, storage_world) {
  begin();
  put(1);
  auto wrong = anchor(9), right = anchor(1);
  advance(300ms);
  BOOST_TEST(refused(wrong, errc::not_found));
  BOOST_TEST(answered(right));
}

BOOST_FIXTURE_TEST_CASE(what_an_earlier_incarnation_left_is_anchored_without_being_asked, storage_world) {
  begin();
  for (std::uint8_t n = 1; n <= 3; ++n) put(n);
  kill(std::string(paths::anchor));
  advance(5s);
  auto left = ask<std::vector<anchor_entry>, store_api>(*this, std::string(paths::store), unanchored_list_request{});
  BOOST_REQUIRE(answered(left));
  BOOST_TEST((*left)->value().empty());
  BOOST_TEST(verify().entry_count == 3u);
}

BOOST_FIXTURE_TEST_CASE(a_store_that_cannot_be_opened_ends_its_start_with_the_reason, world) {
  int attempts = 0;
  store_opener opener = [&attempts]() -> outcome<std::unique_ptr<store_port>> {
    ++attempts;
    return fail(errc::read_only, "test", "the folder may not be written");
  };
  start({.id = "root", .restarts_max = 2, .children = {{.id = "store", .start = child_of(store_actor, opener), .delay = {0ms, 0ms}}}});
  advance(10s);
  BOOST_TEST(attempts == 3);
  BOOST_REQUIRE(last_word.has_value());
  BOOST_TEST(to_string(*last_word).find("the folder may not be written") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(whichever_storage_actor_is_killed_every_manifest_is_anchored_exactly_once) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      storage_world w(seed);
      std::mt19937_64 random(seed);
      w.begin();
      constexpr std::uint8_t count = 12;
      std::vector<answer<stored_anchor>> answers(count + 1);
      for (std::uint8_t n = 1; n <= count; ++n) {
        w.put(n);
        answers[n] = w.anchor(n);
        w.advance(std::chrono::milliseconds(random() % 250));
        if (random() % 2) continue;
        constexpr std::string_view all[] = {paths::store, paths::ledger, paths::anchor};
        w.kill(std::string(all[random() % 3]));
      }
      w.advance(120s);
      for (std::uint8_t n = 1; n <= count; ++n) {
        auto again = w.anchor(n); // Whoever lost its answer asks again.
        w.advance(1s);
        BOOST_REQUIRE(answered(again));
        if (answered(answers[n])) BOOST_TEST((*again)->value().record.block_height == (*answers[n])->value().record.block_height);
      }
      BOOST_TEST(w.verify().entry_count == count);
      BOOST_TEST(w.findings.empty());
    }
  }
}
