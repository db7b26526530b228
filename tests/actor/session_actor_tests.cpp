// tests/actor/session_actor_tests.cpp - the session's actor over a store that does as it is told.
#define BOOST_TEST_MODULE session_actor_tests
#include <boost/test/unit_test.hpp>

#include "actors/session/session_actor.hpp"
#include "fixture.hpp"
#include "messages/paths.hpp"
#include "messages/pipeline_api.hpp"
#include "messages/storage_api.hpp"

using namespace lucid;
using namespace lucid::test;

namespace {

const session_id session = [] {
  session_id id{};
  id.fill(0x33);
  return id;
}();

struct double_state {
  static inline const char* name = "double";
};

caf::behavior store_double(caf::stateful_actor<double_state>* self, actor_context ctx, std::shared_ptr<session_row> row) {
  return supervised(self, ctx,
                    {
                      [row](const session_get_request&) { return *row; },
                      [row](const session_update_request& update) {
                        row->summary = update.summary;
                        return row->summary;
                      },
                    });
}

struct session_world : world {
  std::shared_ptr<session_row> row = std::make_shared<session_row>();

  session_world() {
    row->summary.id = session;
    row->summary.state = session_state::recording;
    row->summary.created_us = row->summary.started_us = clock.wall_us();
    session_options options;
    options.session = session;
    options.limits.length_max = 10s;
    supervisor_spec storage{.id = "storage", .children = {{.id = "store", .start = child_of(store_double, row)}}};
    supervisor_spec own{.id = to_hex(session), .children = {session_child(options)}};
    supervisor_spec sessions{.id = "sessions", .children = {nested(own)}};
    start({.id = "root", .children = {nested(storage), nested(sessions)}});
    advance(1s);
  }

  void extend(std::uint32_t seconds) {
    system.spawn([this, seconds](caf::event_based_actor* self) {
      ref<session_api>(names, paths::of_session(session, "session"))
        .request(self, caf::infinite, session_extend_request{seconds})
        .then([](const session_summary&) {}, [](const caf::error& e) { BOOST_ERROR(to_string(from_caf(e))); });
    });
    advance(10ms);
  }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_session_ends_at_its_length, session_world) {
  advance(8s);
  BOOST_TEST(row->summary.reason == "");
  advance(2s);
  BOOST_TEST(row->summary.reason == "the maximum length was reached");
}

BOOST_FIXTURE_TEST_CASE(what_it_was_made_longer_by_outlives_its_actor, session_world) {
  extend(60);
  kill(paths::of_session(session, "session"));
  extend(30);
  kill(paths::of_session(session, "session"));
  advance(90s);
  BOOST_TEST(row->summary.reason == "");
  advance(10s);
  BOOST_TEST(row->summary.reason == "the maximum length was reached");
}
