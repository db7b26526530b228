// tests/actor/chunk_actor_tests.cpp - chunk between a journal and a store that are told what to say.
#define BOOST_TEST_MODULE chunk_actor_tests
#include <boost/test/unit_test.hpp>

#include "actors/chunk/chunk_actor.hpp"
#include "fixture.hpp"
#include "messages/paths.hpp"
#include "messages/pipeline_api.hpp"
#include "messages/storage_api.hpp"

using namespace lucid;
using namespace lucid::test;

namespace {

const session_id some_session{7};

fragment piece(std::uint64_t sequence) {
  fragment f;
  f.sequence = sequence;
  f.frame_count = 1;
  f.start_us = static_cast<std::int64_t>(sequence * 10);
  f.end_us = f.start_us + 10;
  f.bytes = payload(byte_buffer(100, 1));
  return f;
}

/// What the doubles around chunk hold; outlives their incarnations.
struct surroundings {
  std::vector<fragment> written;
  std::uint64_t synced_up_to = 0;
  std::optional<error> journal_fails;
  std::vector<pipeline_trouble> troubles;
};
using surroundings_ptr = std::shared_ptr<surroundings>;

struct double_state {
  static inline const char* name = "double";
};

/// Store, journal and session in one behaviour: each asks only for its own messages.
caf::behavior neighbour(caf::stateful_actor<double_state>* self, actor_context ctx, surroundings_ptr around) {
  return supervised(self, ctx,
                    {
                      [](const chunk_list_request&) { return std::vector<chunk_record>{}; },
                      [around](const journal_sync_request&) {
                        around->synced_up_to = around->written.size();
                        return capture_position{around->synced_up_to, {}};
                      },
                      [around](const journal_read_request& r) {
                        journal_page page;
                        for (auto& f : around->written)
                          if (f.sequence > r.after_sequence && f.sequence <= around->synced_up_to) page.fragments.push_back(f);
                        return page;
                      },
                      [around](const fragment& f) -> caf::result<std::uint64_t> {
                        if (around->journal_fails) return to_caf(*around->journal_fails);
                        if (f.sequence == around->written.size() + 1) around->written.push_back(f);
                        around->synced_up_to = around->written.size();
                        return f.sequence;
                      },
                      [](const session_progress&) {},
                      [around](const pipeline_trouble& seen) { around->troubles.push_back(seen); },
                    });
}

struct chunk_world : world {
  surroundings_ptr around = std::make_shared<surroundings>();

  child_spec double_child(const std::string& id) const {
    return {.id = id, .start = child_of(neighbour, around), .shutdown_timeout = 100ms, .delay = {0ms, 0ms}};
  }

  void begin() {
    auto chunk = chunk_child({some_session, chunk_size_bytes_default, 2});
    chunk.delay = {0ms, 0ms};
    supervisor_spec storage{.id = "storage", .restarts_max = 1000, .children = {double_child("store")}};
    supervisor_spec session{.id = to_hex(some_session), .restarts_max = 1000,
                            .children = {double_child("journal"), chunk, double_child("session")}};
    supervisor_spec sessions{.id = "sessions", .restarts_max = 1000, .children = {nested(session)}};
    start({.id = "root", .restarts_max = 1000, .children = {nested(storage), nested(sessions)}});
  }

  std::optional<outcome<std::uint64_t>> send(std::uint64_t sequence) {
    auto got = std::make_shared<std::optional<outcome<std::uint64_t>>>();
    system.spawn([this, sequence, got](caf::event_based_actor* self) {
      ref<chunk_api>(names, paths::of_session(some_session, "chunk"))
        .request(self, caf::infinite, piece(sequence))
        .then([got](std::uint64_t answer) { got->emplace(answer); },
              [got](const caf::error& e) { got->emplace(tl::unexpected(from_caf(e))); });
    });
    advance(1s);
    return *got;
  }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(what_was_written_but_not_yet_synced_when_it_started_is_known_to_it, chunk_world) {
  around->written = {piece(1), piece(2), piece(3)};
  around->synced_up_to = 1;
  begin();
  advance(1s);
  auto answered = send(4); // Capture has heard from the journal that 3 is on disk, and goes on behind it.
  BOOST_REQUIRE(answered);
  BOOST_TEST(answered->has_value(), (*answered ? "" : to_string(answered->error())));
}

BOOST_FIXTURE_TEST_CASE(a_journal_that_is_being_restarted_is_no_trouble_but_a_full_disk_is, chunk_world) {
  begin();
  for (auto code : {errc::unreachable, errc::crashed, errc::cancelled, errc::wrong_state}) {
    around->journal_fails = error{code, "journal", "told to", nullptr};
    auto answered = send(1);
    BOOST_REQUIRE(answered);
    BOOST_TEST(!answered->has_value());
    BOOST_TEST(around->troubles.empty());
  }
  around->journal_fails = error{errc::disk_full, "journal", "told to", nullptr};
  send(1);
  BOOST_REQUIRE(around->troubles.size() == 1u);
  BOOST_TEST((around->troubles[0].code == errc::disk_full));
  around->journal_fails.reset();
  BOOST_TEST(send(1)->has_value());
}
