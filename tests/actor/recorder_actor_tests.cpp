// tests/actor/recorder_actor_tests.cpp - the recorder between a store and a supervisor of sessions that do as they are told.
#define BOOST_TEST_MODULE recorder_actor_tests
#include <boost/test/unit_test.hpp>

#include "actors/recorder/recorder_actor.hpp"
#include "fixture.hpp"
#include "messages/paths.hpp"
#include "messages/pipeline_api.hpp"
#include "messages/storage_api.hpp"

using namespace lucid;
using namespace lucid::test;

namespace {

/// What the doubles hold; outlives their incarnations.
struct surroundings {
  std::vector<session_put_request> put;
  std::vector<session_row> left_behind;
  std::vector<std::string> started; ///< Ids, in order.
  session_state state = session_state::created; ///< Of all that were put.
};
using surroundings_ptr = std::shared_ptr<surroundings>;

struct store_double_state {
  static inline const char* name = "store";
};

caf::behavior store_double(caf::stateful_actor<store_double_state>* self, actor_context ctx, surroundings_ptr around) {
  return supervised(self, ctx,
                    {
                      [around](const session_put_request& r) {
                        around->put.push_back(r);
                        return r.summary;
                      },
                      [around](const session_list_request&) {
                        std::vector<session_summary> found; // None of them ever ends.
                        for (auto& row : around->left_behind) found.push_back(row.summary);
                        for (auto& request : around->put) {
                          found.push_back(request.summary);
                          found.back().state = around->state;
                        }
                        return found;
                      },
                      [around](const session_get_request& r) -> caf::result<session_row> {
                        for (auto& row : around->left_behind)
                          if (row.summary.id == r.session) return row;
                        return to_caf({errc::not_found, "store", "there is no such session", nullptr});
                      },
                      [](const session_update_request& r) { return r.summary; },
                    });
}

struct recorder_world : world {
  surroundings_ptr around = std::make_shared<surroundings>();
  std::shared_ptr<session_vault> vault = std::make_shared<session_vault>();
  seeded_random numbers{5};
  secret_key owner = make_session_key(numbers);
  std::shared_ptr<const secret_key> node = std::make_shared<const secret_key>(make_session_key(numbers));

  void begin() {
    recorder_options options;
    options.facts.node_box = box_public_key_of(*node);
    options.facts.default_recipients = {box_public_key_of(owner)};
    options.node_box_secret = node;
    options.vault = vault;
    supervisor_spec storage{.id = "storage", .children = {{.id = "store", .start = child_of(store_double, around)}}};
    dynamic_spec sessions{.id = "sessions",
                          .make = [around = around](const std::string& id, const caf::message&) -> outcome<child_spec> {
                            around->started.push_back(id);
                            return child_spec{.id = id, .start = child_of(obedient, false)};
                          }};
    start({.id = "root", .children = {nested(storage), nested(sessions), recorder_child(options)}});
    advance(1s);
  }

  /// Not answered is an error of the test.
  outcome<session_summary> create() {
    session_create_request wish;
    wish.what.source = "generator:seed=1";
    auto got = std::make_shared<std::optional<outcome<session_summary>>>();
    system.spawn([this, wish, got](caf::event_based_actor* self) {
      ref<recorder_api>(names, paths::recorder)
        .request(self, caf::infinite, wish)
        .then([got](const session_summary& made) { got->emplace(made); },
              [got](const caf::error& e) { got->emplace(tl::unexpected(from_caf(e))); });
    });
    advance(1s);
    return got->value();
  }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_draining_node_starts_no_session_and_says_what_to_do, recorder_world) {
  begin();
  BOOST_TEST(create().has_value());
  vault->set_draining(true);
  auto refused = create();
  BOOST_REQUIRE(!refused.has_value());
  BOOST_TEST((refused.error().code == errc::wrong_state));
  BOOST_TEST(refused.error().what.find("lucid node accept") != std::string::npos, refused.error().what);
  BOOST_TEST(around->put.size() == 1u); // Nothing of it is on disk,
  BOOST_TEST(vault->count() == 1u);     // and the one that runs goes on.
  BOOST_TEST(around->started.size() == 1u);
  vault->set_draining(false);
  BOOST_TEST(create().has_value());
  BOOST_TEST(vault->count() == 2u);
}

BOOST_FIXTURE_TEST_CASE(what_an_earlier_run_left_behind_is_finished_although_the_node_drains, recorder_world) {
  vault->set_draining(true);
  session_row row;
  row.summary.id.fill(0x42);
  row.summary.state = session_state::recording;
  row.keys = wrap_session_key(make_session_key(numbers), std::vector{box_public_key_of(*node)}).value();
  around->left_behind = {row};
  begin();
  BOOST_REQUIRE(around->started.size() == 1u);
  BOOST_TEST(around->started.front() == to_hex(row.summary.id));
  BOOST_REQUIRE(vault->plan(row.summary.id).has_value());
  BOOST_TEST(vault->plan(row.summary.id)->recovered);
}

BOOST_FIXTURE_TEST_CASE(a_recorder_that_crashes_forgets_nothing_of_the_drain, recorder_world) {
  begin();
  vault->set_draining(true);
  caf::anon_send_exit(caf::actor_cast<caf::actor>(names.slot("recorder")->present().actor), caf::exit_reason::kill);
  advance(5s);
  BOOST_TEST((create().error().code == errc::wrong_state));
}

BOOST_FIXTURE_TEST_CASE(what_was_adopted_from_another_recorder_is_left_to_those_who_finish_it, recorder_world) {
  session_row row;
  row.summary.id.fill(0x43);
  row.summary.state = session_state::storing;
  row.keys = wrap_session_key(make_session_key(numbers), std::vector{box_public_key_of(owner)}).value();
  around->left_behind = {row};
  begin();
  advance(1min);
  BOOST_TEST(around->started.empty());
  BOOST_TEST(vault->count() == 0u);
}

BOOST_FIXTURE_TEST_CASE(sessions_that_wait_for_their_anchor_alone_do_not_keep_others_from_recording, recorder_world) {
  begin();
  constexpr std::size_t count_max = 8; // recorder_options::session_count_max
  for (std::size_t i = 0; i < count_max; ++i) BOOST_TEST(create().has_value());
  advance(3s);
  BOOST_TEST((create().error().code == errc::busy));
  around->state = session_state::storing;
  advance(3s);
  BOOST_TEST((create().error().code == errc::busy));
  around->state = session_state::anchoring; // As all are from now on: nobody anchors.
  advance(3s);
  std::size_t begun = count_max;
  while (begun < 1000 && create()) {
    ++begun;
    advance(3s);
  }
  BOOST_TEST(begun == 32u + count_max); // There is a bound to that, too.
  around->state = session_state::recording;
  advance(3s);
  BOOST_TEST((create().error().code == errc::busy));
}
