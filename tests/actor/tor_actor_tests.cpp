// tests/actor/tor_actor_tests.cpp - the actor that looks after Tor: what it answers, when it ends, what the next one knows.
#define BOOST_TEST_MODULE tor_actor_tests
#include <boost/test/unit_test.hpp>

#include "actors/mesh/tor_actor.hpp"
#include "fixture.hpp"
#include "tests/doubles/scripted_router.hpp"

using namespace lucid;
using namespace lucid::test;
using lucid::testing::scripted_router;
using lucid::testing::tor_script;

namespace {

template <class T>
using answer = std::shared_ptr<std::optional<outcome<T>>>;

struct tor_world : world {
  std::shared_ptr<tor_script> tor = std::make_shared<tor_script>();
  std::shared_ptr<onion_wishes> wishes = std::make_shared<onion_wishes>();

  void begin() {
    tor_settings settings{scripted_router::starter(tor), {60s, 600s}, wishes};
    start({.id = "root",
           .restarts_max = 1000,
           .children = {{.id = "tor", .start = child_of(tor_actor, settings), .delay = {0ms, 0ms}}}});
  }

  template <class T, class Message>
  outcome<T> ask(Message message) {
    auto got = std::make_shared<std::optional<outcome<T>>>();
    system.spawn([this, message, got](caf::event_based_actor* self) {
      ref<tor_api>(names, "tor")
        .request(self, 10s, message)
        .then([got](const T& value) { got->emplace(value); },
              [got](const caf::error& e) { got->emplace(tl::unexpected(from_caf(e))); });
    });
    advance(11s);
    BOOST_REQUIRE(got->has_value());
    return **got;
  }

  tor_status status() { return ask<tor_status>(tor_status_request{}).value(); }
  outcome<onion_service> publish(std::vector<onion_port> ports = {{7800, 1234}}, std::vector<box_public_key> clients = {}) {
    return ask<onion_service>(onion_publish_request{std::move(ports), std::move(clients)});
  }
  void say(onion_news news) {
    BOOST_REQUIRE(tor->tell);
    tor->tell(std::move(news));
    advance(0ms);
  }
  std::string field(const std::string& key) {
    std::string value;
    system.spawn([&](caf::event_based_actor* self) {
      self->request(caf::actor_cast<caf::actor>(names.slot("tor")->present().actor), caf::infinite, inspection_request{})
        .then([&](const inspection& seen) {
          for (auto& row : seen.state)
            if (row.key == key) value = row.value;
        });
    });
    advance(0ms);
    return value;
  }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(progress_is_shown_as_it_is_told, tor_world) {
  tor->health = {{30, "Loading networkstatus consensus", ""}, false, 0, 0};
  begin();
  auto seen = status();
  BOOST_TEST(seen.percent == 30u);
  BOOST_TEST(!seen.ready);
  BOOST_TEST(seen.socks == "127.0.0.1:9050");
  BOOST_TEST(seen.version == "0.4.9");
  BOOST_TEST((seen.client_key == box_public_key{7}));
  say(onion_progress{80, "Connecting to a relay", "Connection refused (CONNECTREFUSED)"});
  BOOST_TEST(field("joined") == "80%");
  BOOST_TEST(field("summary") == "Connecting to a relay");
  BOOST_TEST(field("trouble") == "Connection refused (CONNECTREFUSED)");
  BOOST_TEST(field("process") == "4711");
  tor->health = {{100, "Done", ""}, true, 10, 20};
  say(onion_progress{100, "Done", ""});
  BOOST_TEST(status().ready);
  BOOST_TEST(field("trouble") == "");
  BOOST_TEST(field("received bytes") == "10");
  say(onion_warning{"Your clock is wrong"});
  BOOST_TEST(field("last warning") == "Your clock is wrong");
}

BOOST_FIXTURE_TEST_CASE(a_service_is_published_once_for_the_same_wish, tor_world) {
  begin();
  auto onion = publish({{7800, 1234}}, {{1}, {2}}).value().onion;
  BOOST_TEST(onion == tor_script::onion(1));
  BOOST_TEST(tor->clients.size() == 2u);
  BOOST_TEST(status().onion == onion);
  BOOST_TEST(!status().reachable);
  say(onion_upload{onion, true, ""});
  BOOST_TEST(status().reachable);
  BOOST_TEST(publish({{7800, 1234}}, {{1}, {2}}).value().onion == onion);
  BOOST_TEST(tor->publications == 1);
  BOOST_TEST(publish({{7800, 1234}}, {{1}}).value().onion == onion); // One was removed.
  BOOST_TEST(tor->publications == 2);
  BOOST_TEST(tor->clients.size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(the_next_tor_is_told_all_that_the_last_one_was, tor_world) {
  begin();
  auto onion = publish().value().onion;
  auto peer = tor_script::onion(9), other = tor_script::onion(10);
  BOOST_TEST(ask<tor_status>(onion_authorise_request{peer}).has_value());
  BOOST_TEST(ask<tor_status>(onion_authorise_request{other}).has_value());
  BOOST_TEST(ask<tor_status>(onion_forget_request{other}).has_value());
  say(onion_gone{error{errc::crashed, "tor", "tor was ended by SIGKILL", nullptr}});
  advance(1s);
  BOOST_TEST(tor->started == 2);
  BOOST_TEST(tor->alive == 1);
  BOOST_TEST(incarnation("tor") == 2u);
  BOOST_TEST((tor->services == std::set<std::string>{onion}));
  BOOST_TEST((tor->keys == std::set<std::string>{peer}));
  BOOST_TEST(status().onion == onion);
  // And one that ends by its own fault.
  kill("tor");
  BOOST_TEST(tor->alive == 1);
  BOOST_TEST((tor->services == std::set<std::string>{onion}));
  BOOST_TEST((tor->keys == std::set<std::string>{peer}));
}

BOOST_FIXTURE_TEST_CASE(what_tor_refuses_is_answered_and_after_a_restart_offered_again, tor_world) {
  begin();
  tor->refuses_services = tor->refuses_keys = true;
  auto refused = publish();
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == errc::refused));
  BOOST_TEST((ask<tor_status>(onion_authorise_request{tor_script::onion(9)}).error().code == errc::refused));
  // Refused is not wished: the next incarnation does not try.
  BOOST_TEST(wishes->read().service.ports.empty());
  BOOST_TEST(wishes->read().peers.empty());
  tor->refuses_services = tor->refuses_keys = false;
  auto onion = publish().value().onion;
  BOOST_TEST(ask<tor_status>(onion_authorise_request{tor_script::onion(9)}).has_value());
  tor->refuses_services = tor->refuses_keys = true;
  kill("tor");
  BOOST_TEST(tor->services.empty());
  BOOST_TEST(incarnation("tor") == 2u);
  tor->refuses_services = tor->refuses_keys = false;
  advance(6s);
  BOOST_TEST((tor->services == std::set<std::string>{onion}));
  BOOST_TEST(tor->keys.size() == 1u);
  BOOST_TEST(incarnation("tor") == 2u);
}

BOOST_FIXTURE_TEST_CASE(a_refused_change_leaves_the_service_as_it_was, tor_world) {
  begin();
  auto onion = publish({{7800, 1234}}).value().onion;
  tor->refuses_services = true;
  BOOST_TEST(!publish({{7800, 1234}, {7801, 1235}}));
  tor->services.clear(); // Taken away for the change.
  tor->refuses_services = false;
  advance(6s);
  BOOST_TEST((tor->services == std::set<std::string>{onion}));
  BOOST_TEST((tor->ports == std::vector<onion_port>{{7800, 1234}}));
}

BOOST_FIXTURE_TEST_CASE(a_stuck_tor_of_our_own_is_started_anew_a_given_one_is_not, tor_world) {
  tor->health = {{10, "Connecting", ""}, false, 0, 0};
  begin();
  advance(58s);
  BOOST_TEST(incarnation("tor") == 1u);
  advance(12s);
  BOOST_TEST(incarnation("tor") == 2u);
  tor->own_process = false;
  auto before = incarnation("tor");
  advance(600s);
  BOOST_TEST(incarnation("tor") == before);
  // A tor that does not answer is no use either way.
  tor->silent = true;
  advance(6s);
  BOOST_TEST(incarnation("tor") > before);
}

BOOST_FIXTURE_TEST_CASE(a_start_that_fails_is_repeated, tor_world) {
  tor->failing_starts = 3;
  begin();
  advance(1s);
  BOOST_TEST(tor->started == 4);
  BOOST_TEST(status().ready);
}

BOOST_FIXTURE_TEST_CASE(a_rotation_answers_the_new_address_and_withdraws_the_old_one_later, tor_world) {
  begin();
  BOOST_TEST((ask<onion_service>(onion_rotate_request{}).error().code == errc::wrong_state));
  auto before = publish().value().onion;
  auto after = ask<onion_service>(onion_rotate_request{}).value().onion;
  BOOST_TEST(before != after);
  BOOST_TEST((tor->services == std::set<std::string>{before, after}));
  advance(550s);
  BOOST_TEST(tor->services.size() == 2u);
  advance(60s);
  BOOST_TEST((tor->services == std::set<std::string>{after}));
  kill("tor");
  BOOST_TEST((tor->services == std::set<std::string>{after}));
}

BOOST_FIXTURE_TEST_CASE(renewed_circuits_cost_nobody_our_key_and_are_not_had_all_the_time, tor_world) {
  begin();
  std::set<std::string> peers{tor_script::onion(9), tor_script::onion(8)};
  for (auto& onion : peers) BOOST_TEST(ask<tor_status>(onion_authorise_request{onion}).has_value());
  // Eleven seconds pass with each question.
  BOOST_TEST(ask<tor_status>(tor_renew_circuits_request{}).has_value());
  BOOST_TEST(tor->renewals == 1); // It forgot the keys,
  BOOST_TEST(tor->keys == peers); // and was told them again.
  BOOST_TEST(ask<tor_status>(tor_renew_circuits_request{}).has_value());
  BOOST_TEST(tor->renewals == 1);
  BOOST_TEST(ask<tor_status>(tor_renew_circuits_request{}).has_value());
  BOOST_TEST(tor->renewals == 2);
  BOOST_TEST(tor->keys == peers);
}

BOOST_FIXTURE_TEST_CASE(client_keys_are_bounded, tor_world) {
  begin();
  for (std::size_t i = 0; i < onion_peers_max; ++i) wishes->add_peer(std::to_string(i));
  auto one_more = ask<tor_status>(onion_authorise_request{tor_script::onion(9)});
  BOOST_REQUIRE(!one_more);
  BOOST_TEST((one_more.error().code == errc::limit_exceeded));
  BOOST_TEST(ask<tor_status>(onion_authorise_request{"7"}).has_value()); // A known one.
}
