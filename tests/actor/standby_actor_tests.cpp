// tests/actor/standby_actor_tests.cpp - the standby between a store, a recorder and another node that do as they are told.
#define BOOST_TEST_MODULE standby_actor_tests
#include <boost/test/unit_test.hpp>

#include "actors/recorder/standby_actor.hpp"
#include "actors/recorder/standby_core.hpp"
#include "adapters/sodium/sign.hpp"
#include "fixture.hpp"
#include "messages/paths.hpp"
#include "messages/pipeline_api.hpp"
#include "messages/standby_api.hpp"
#include "messages/storage_api.hpp"
#include "tests/doubles/told_cluster.hpp"

using namespace lucid;
using lucid::testing::told_cluster;
using namespace lucid::test;

namespace {

node_id node_of(std::uint8_t n) {
  node_id id{};
  id.fill(n);
  return id;
}
session_id session_of(std::uint8_t n) {
  session_id id{};
  id.fill(n);
  return id;
}
const session_id own_session = session_of(0x77); ///< Of what the recorder begins.

/// What the doubles hold; outlives their incarnations.
struct surroundings {
  std::vector<session_row> rows;
  std::vector<session_create_request> created;
  std::vector<std::string> stopped; ///< Reasons.
  std::vector<standby_put_request> put;
  std::vector<standby_drop_request> dropped;
  std::vector<standby_return_request> asked_back;
  std::optional<standby_returned_plan> to_give_back; ///< None: the other node goes on with it.
  std::function<void()> on_create;
};
using surroundings_ptr = std::shared_ptr<surroundings>;

struct double_state {
  static inline const char* name = "double";
};
using double_self = caf::stateful_actor<double_state>;

caf::behavior store_double(double_self* self, actor_context ctx, surroundings_ptr around) {
  return supervised(self, ctx,
                    {
                      [around](const session_list_request&) {
                        std::vector<session_summary> found;
                        for (auto& row : around->rows) found.push_back(row.summary);
                        return found;
                      },
                      [around](const session_get_request& r) -> caf::result<session_row> {
                        for (auto& row : around->rows)
                          if (row.summary.id == r.session) return row;
                        return to_caf({errc::not_found, "store", "there is no such session", nullptr});
                      },
                    });
}

caf::behavior recorder_double(double_self* self, actor_context ctx, surroundings_ptr around) {
  return supervised(self, ctx, {[around](const session_create_request& wish) {
                      around->created.push_back(wish);
                      around->on_create();
                      session_summary made;
                      made.id = own_session;
                      return made;
                    }});
}

caf::behavior session_double(double_self* self, actor_context ctx, surroundings_ptr around) {
  return supervised(self, ctx, {[around](const session_stop_request& wish) {
                      around->stopped.push_back(wish.reason);
                      return session_summary{};
                    }});
}

caf::behavior other_node(double_self*, surroundings_ptr around) {
  return {
    [around](const standby_put_request& told) {
      around->put.push_back(told);
      return standby_status{1};
    },
    [around](const standby_drop_request& told) {
      around->dropped.push_back(told);
      return standby_status{0};
    },
    [around](const standby_return_request& wish) -> caf::result<standby_returned_plan> {
      around->asked_back.push_back(wish);
      if (around->to_give_back) return *around->to_give_back;
      return to_caf({errc::wrong_state, "standby", "this session is gone on with by another node", nullptr});
    },
  };
}

struct standby_world : world {
  surroundings_ptr around = std::make_shared<surroundings>();
  std::shared_ptr<session_vault> vault = std::make_shared<session_vault>();
  std::shared_ptr<told_cluster> cluster = std::make_shared<told_cluster>();
  caf::actor other;

  standby_world() {
    cluster->now.self = node_of(1);
    for (std::uint8_t n = 1; n <= 2; ++n) {
      member_view member;
      member.id = node_of(n);
      member.name = "pi-" + std::to_string(n);
      member.state = n == 1 ? member_state::self : member_state::up;
      cluster->now.members.push_back(member);
    }
    around->on_create = [this] { run_session(own_session[0], "generator:seed=1"); };
    other = system.spawn(other_node, around);
    names.slot(paths::of_node("pi-2", paths::standby))->place_remote(caf::actor_cast<caf::strong_actor_ptr>(other));

    standby_options options;
    options.self = node_of(1);
    options.self_name = "pi-1";
    options.box_secret = std::make_shared<const secret_key>(box_secret());
    options.cluster = cluster;
    options.vault = vault;
    options.may_record = [](const std::string&) { return true; };
    options.lost_after = 500ms;
    supervisor_spec storage{.id = "storage", .children = {{.id = "store", .start = child_of(store_double, around)}}};
    supervisor_spec own{.id = to_hex(own_session), .children = {{.id = "session", .start = child_of(session_double, around)}}};
    supervisor_spec sessions{.id = "sessions", .children = {nested(own)}};
    start({.id = "root",
           .children = {nested(storage), nested(sessions), {.id = "recorder", .start = child_of(recorder_double, around)},
                        standby_child(options)}});
    advance(1s);
  }
  ~standby_world() {
    names.slot(paths::of_node("pi-2", paths::standby))->place_remote(nullptr);
    caf::anon_send_exit(other, caf::exit_reason::user_shutdown);
  }

  void run_session(std::uint8_t n, const std::string& source, bool recovered = false) {
    session_row row;
    row.summary.id = session_of(n);
    row.summary.state = session_state::recording;
    row.summary.created_us = clock.wall_us();
    row.what.source = source;
    row.policy.title = "desk";
    row.policy.recipients = {box_public_key{7}};
    around->rows.push_back(row);
    vault->put({row.summary.id, nullptr, recovered, 0}, "secret");
  }

  void lose_other() {
    cluster->now.members[1].state = member_state::down;
    names.slot(paths::of_node("pi-2", paths::standby))->place_remote(nullptr);
  }
  void find_other_again() {
    cluster->now.members[1].state = member_state::up;
    names.slot(paths::of_node("pi-2", paths::standby))->place_remote(caf::actor_cast<caf::strong_actor_ptr>(other));
  }

  void be_told(std::uint8_t n) {
    standby_plan plan{node_of(2), session_of(n), {}, clock.wall_us()};
    plan.wish.what.source = "generator:seed=1";
    plan.wish.what.password = "theirs";
    plan.wish.policy.title = "desk";
    plan.wish.policy.recipients = {box_public_key{7}};
    auto answered = std::make_shared<bool>(false);
    system.spawn([this, plan, answered](caf::event_based_actor* self) {
      ref<standby_api>(names, paths::standby)
        .request(self, caf::infinite, standby_put_request{plan})
        .then([answered](const standby_status& status) { *answered = status.plan_count == 1; }, [](const caf::error&) {});
    });
    advance(10ms);
    BOOST_TEST(*answered);
  }

  static secret_key box_secret() {
    std::array<std::uint8_t, 32> bytes{};
    bytes.fill(0x42);
    return secret_key(bytes);
  }
  /// What node 2 knows of a session that node 1 recorded before.
  standby_returned_plan returned(std::uint8_t n, const std::string& password) {
    standby_returned_plan back{{node_of(1), session_of(n), {}, clock.wall_us()}, {}};
    back.plan.wish.what.source = "rdp://admin@10.0.0.5";
    back.plan.wish.policy.title = "desk";
    back.plan.wish.policy.recipients = {box_public_key{7}};
    back.sealed_password.resize(password.size() + box_overhead_size_bytes);
    BOOST_REQUIRE(box_seal(back.sealed_password, as_bytes(password), box_public_key_of(box_secret())).has_value());
    return back;
  }

  void hold_lease() { cluster->now.leases.push_back({std::string(capture_role), 0, node_of(1), 5, 1000}); }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_running_session_is_told_with_its_password_and_its_end_too, standby_world) {
  run_session(3, "rdp://admin@10.0.0.5");
  run_session(4, "x11://:0");                     // Nobody else sees it,
  run_session(5, "rdp://admin@10.0.0.6", true);   // and this one is recorded no more.
  advance(2s);
  BOOST_REQUIRE(around->put.size() == 1u);
  auto& plan = around->put[0].plan;
  BOOST_TEST((plan.recorder == node_of(1)));
  BOOST_TEST((plan.session == session_of(3)));
  BOOST_TEST(plan.wish.what.password == "secret");
  BOOST_TEST(plan.wish.what.source == "rdp://admin@10.0.0.5");
  BOOST_TEST(plan.wish.policy.title == "desk");
  BOOST_TEST(around->dropped.empty());

  around->rows[0].summary.state = session_state::sealing; // Still in the vault, and recorded no more.
  advance(2s);
  BOOST_TEST(around->put.size() == 1u);
  BOOST_REQUIRE(around->dropped.size() == 1u);
  BOOST_TEST((around->dropped[0].session == session_of(3)));
  BOOST_TEST((around->dropped[0].recorder == node_of(1)));
}

BOOST_FIXTURE_TEST_CASE(a_session_that_is_being_stopped_is_told_no_more_and_one_made_longer_again, standby_world) {
  run_session(3, "rdp://admin@10.0.0.5");
  run_session(4, "rdp://admin@10.0.0.6");
  vault->put({session_of(4), nullptr, false, 600}, "secret");
  advance(2s);
  BOOST_REQUIRE(around->put.size() == 2u);
  around->rows[0].summary.reason = "enough"; // The wish to stop, while it still records.
  vault->plan(session_of(4))->extended_seconds->fetch_add(300);
  advance(2s);
  BOOST_REQUIRE(around->dropped.size() == 1u);
  BOOST_TEST((around->dropped[0].session == session_of(3)));
  BOOST_REQUIRE(around->put.size() == 3u);
  BOOST_TEST((around->put[2].plan.session == session_of(4)));
  BOOST_TEST(around->put[2].plan.wish.policy.length_seconds_max == 900u);
}

BOOST_FIXTURE_TEST_CASE(whoever_comes_back_is_told_again, standby_world) {
  run_session(3, "rdp://admin@10.0.0.5");
  advance(2s);
  lose_other();
  advance(2s);
  BOOST_TEST(around->put.size() == 1u);
  find_other_again();
  advance(1s);
  BOOST_TEST(around->put.size() == 2u);
}

BOOST_FIXTURE_TEST_CASE(a_lost_recorder_is_stood_in_for_under_the_lease_until_it_is_back, standby_world) {
  be_told(9);
  lose_other();
  advance(5s);
  BOOST_TEST(around->created.empty()); // Without the lease.
  hold_lease();
  advance(500ms);
  BOOST_REQUIRE(around->created.size() == 1u);
  BOOST_TEST(around->created[0].what.password == "theirs");
  BOOST_TEST(around->created[0].policy.title == continued_title("desk", session_of(9), "pi-2"));
  advance(60s);
  BOOST_TEST(around->created.size() == 1u);
  BOOST_TEST(around->stopped.empty());

  find_other_again();
  be_told(9);
  advance(1s);
  BOOST_REQUIRE(around->stopped.size() == 1u);
  BOOST_TEST(around->stopped[0] == "pi-2 records again");
}

BOOST_FIXTURE_TEST_CASE(a_restarted_standby_tells_again_and_begins_nothing_that_it_forgot, standby_world) {
  hold_lease();
  run_session(3, "rdp://admin@10.0.0.5");
  be_told(9);
  advance(2s);
  kill(std::string(paths::standby));
  advance(5s);
  BOOST_TEST(around->put.size() == 2u);
  lose_other();
  advance(5s);
  BOOST_TEST(around->created.empty());
}

BOOST_FIXTURE_TEST_CASE(what_an_earlier_process_left_behind_is_gone_on_with_by_the_plan_that_another_kept, standby_world) {
  around->to_give_back = returned(3, "secret");
  vault->put_interrupted(session_of(3));
  advance(2s);
  BOOST_REQUIRE(around->asked_back.size() == 1u);
  BOOST_TEST((around->asked_back[0].recorder == node_of(1)));
  BOOST_TEST((around->asked_back[0].session == session_of(3)));
  BOOST_REQUIRE(around->created.size() == 1u);
  BOOST_TEST(around->created[0].what.password == "secret");
  BOOST_TEST(around->created[0].policy.title == continued_title("desk", session_of(3), "pi-1"));
  advance(60s);
  BOOST_TEST(around->created.size() == 1u);
  BOOST_REQUIRE(!around->put.empty()); // Others know of the new one, and from which it goes on.
  BOOST_TEST((around->put[0].plan.session == own_session));
  BOOST_TEST((around->put.back().plan.goes_on_from == session_of(3)));
}

BOOST_FIXTURE_TEST_CASE(what_another_records_on_or_gives_back_wrongly_is_left_to_it, standby_world) {
  vault->put_interrupted(session_of(3));
  advance(5s);
  BOOST_TEST(around->asked_back.size() == 1u); // It goes on with it: that is that.
  around->to_give_back = returned(4, "secret");
  around->to_give_back->sealed_password[40] ^= 1;
  vault->put_interrupted(session_of(4));
  advance(5s);
  around->to_give_back = returned(6, "secret");
  vault->put_interrupted(session_of(5)); // The plan of another session.
  advance(5s);
  BOOST_TEST(around->asked_back.size() == 3u);
  BOOST_TEST(around->created.empty());
}

BOOST_FIXTURE_TEST_CASE(a_plan_goes_back_to_its_recorder_alone, standby_world) {
  cluster->now.members[1].box_key = box_public_key_of(box_secret());
  be_told(9);
  auto back = std::make_shared<std::optional<standby_returned_plan>>();
  auto refused = std::make_shared<errc>(errc{});
  system.spawn([this, back, refused](caf::event_based_actor* self) {
    ref<standby_api> standby(names, paths::standby);
    standby.request(self, caf::infinite, standby_return_request{node_of(2), session_of(9)})
      .then([back](const standby_returned_plan& plan) { *back = plan; }, [](const caf::error&) {});
    standby.request(self, caf::infinite, standby_return_request{node_of(2), session_of(8)})
      .then([](const standby_returned_plan&) {}, [refused](const caf::error& e) { *refused = from_caf(e).code; });
  });
  advance(10ms);
  BOOST_REQUIRE(back->has_value());
  BOOST_TEST((*back)->plan.wish.what.password == "");
  std::string password((*back)->sealed_password.size() - box_overhead_size_bytes, ' ');
  BOOST_REQUIRE(box_open({reinterpret_cast<std::uint8_t*>(password.data()), password.size()}, (*back)->sealed_password, box_secret()));
  BOOST_TEST(password == "theirs");
  BOOST_TEST((*refused == errc::not_found));
}
