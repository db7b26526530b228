// tests/unit/tor_core_tests.cpp - when Tor counts as ready, as stuck, as found; how long an old address stays.
#define BOOST_TEST_MODULE tor_core_tests
#include <boost/test/unit_test.hpp>

#include "actors/mesh/tor_core.hpp"

using namespace lucid;
using namespace std::chrono_literals;

namespace {

const std::string first = std::string(55, 'a') + "d.onion", second = std::string(55, 'b') + "d.onion";

tor_core fresh() { return tor_core({60s, 600s}, 0s); }

tor_core joined(tor_core::time at) {
  auto core = fresh();
  core.heard(onion_progress{100, "Done", ""}, at);
  return core;
}

} // namespace

BOOST_AUTO_TEST_CASE(names_of_onion_services_are_told_by_their_form) {
  BOOST_TEST(is_onion_host(first));
  BOOST_TEST(!is_onion_host(std::string(56, 'a') + ".onion"));     // Version 3 ends with 'd'.
  BOOST_TEST(!is_onion_host(std::string(55, 'A') + "d.onion"));
  BOOST_TEST(!is_onion_host(std::string(54, 'a') + "1d.onion"));
  BOOST_TEST(!is_onion_host("x" + first));
  BOOST_TEST(!is_onion_host(first.substr(0, 56)));
  BOOST_TEST(!is_onion_host(""));
}

BOOST_AUTO_TEST_CASE(it_is_ready_when_joined_and_circuits_stand) {
  auto core = fresh();
  BOOST_TEST(!core.ready());
  core.heard(onion_progress{75, "Loaded enough directory info", ""}, 1s);
  BOOST_TEST(core.percent() == 75u);
  BOOST_TEST(!core.ready());
  core.heard(onion_progress{100, "Done", ""}, 2s);
  BOOST_TEST(core.ready());
  core.heard(onion_circuits{false, "CLOCK_JUMPED"}, 3s);
  BOOST_TEST(!core.ready());
  BOOST_TEST(core.trouble() == "CLOCK_JUMPED");
  BOOST_TEST(core.loss_count() == 1u);
  core.heard(onion_circuits{true, ""}, 4s);
  BOOST_TEST(core.ready());
  BOOST_TEST(core.trouble() == "");
  core.looked({{100, "Done", ""}, false, 0, 0}, 5s);
  BOOST_TEST(!core.ready());
  BOOST_TEST(core.loss_count() == 2u);
}

BOOST_AUTO_TEST_CASE(it_is_stuck_when_nothing_moves_for_the_timeout) {
  auto core = fresh();
  BOOST_TEST(!core.stuck(60s - 1ns));
  BOOST_TEST(core.stuck(60s).has_value());
  core.heard(onion_progress{10, "Connecting", ""}, 50s);
  BOOST_TEST(!core.stuck(100s));
  core.heard(onion_progress{10, "Connecting", "Connection refused (CONNECTREFUSED)"}, 100s); // Said again: no progress.
  auto why = core.stuck(110s);
  BOOST_REQUIRE(why);
  BOOST_TEST((why->code == errc::timeout));
  BOOST_TEST(why->what == "no way through Tor for 60 s: 10%, Connecting (Connection refused (CONNECTREFUSED))");
}

BOOST_AUTO_TEST_CASE(what_is_ready_is_never_stuck_and_a_loss_has_the_whole_timeout) {
  auto core = joined(10s);
  BOOST_TEST(!core.stuck(100'000s));
  core.looked({{100, "Done", ""}, true, 0, 0}, 200s);
  core.looked({{100, "Done", ""}, false, 0, 0}, 210s);
  BOOST_TEST(!core.stuck(269s));
  BOOST_TEST(core.stuck(270s).has_value());
  core.looked({{100, "Done", ""}, true, 0, 0}, 271s);
  BOOST_TEST(!core.stuck(1000s));
}

BOOST_AUTO_TEST_CASE(a_service_can_be_found_once_its_own_descriptor_is_stored) {
  auto core = joined(0s);
  core.heard(onion_upload{first, true, ""});
  BOOST_TEST(!core.reachable()); // Nothing of ours is published.
  core.published(first);
  core.heard(onion_upload{second, true, ""});
  core.heard(onion_upload{first, false, "UPLOAD_REJECTED"});
  BOOST_TEST(!core.reachable());
  BOOST_TEST(core.refused_count() == 1u);
  core.heard(onion_upload{first, true, ""});
  BOOST_TEST(core.reachable());
  core.published(first); // With other clients: it is still where it was.
  BOOST_TEST(core.reachable());
  core.rotated(second, 1s);
  BOOST_TEST(!core.reachable());
}

BOOST_AUTO_TEST_CASE(an_old_address_stays_for_the_overlap_and_is_withdrawn_once) {
  auto core = joined(0s);
  core.published(first);
  core.rotated(second, 100s);
  BOOST_TEST(core.onion() == second);
  BOOST_TEST(core.expired(699s).empty());
  auto over = core.expired(700s);
  BOOST_REQUIRE(over.size() == 1u);
  BOOST_TEST(over[0] == first);
  BOOST_TEST(core.expired(10'000s).empty());
}

BOOST_AUTO_TEST_CASE(old_addresses_are_bounded) {
  auto core = joined(0s);
  core.published("0");
  for (std::size_t i = 1; i <= old_onions_max + 2; ++i) core.rotated(std::to_string(i), 1s);
  auto over = core.expired(1s);
  BOOST_REQUIRE(over.size() == 2u);
  BOOST_TEST(over[0] == "0");
  BOOST_TEST(over[1] == "1");
  BOOST_TEST(core.old_onion_count() == old_onions_max);
}
