// tests/integration/lan_tests.cpp - beacons on the loopback of this machine's own network stack.
#define BOOST_TEST_MODULE lan
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "adapters/lan/lan_beacon.hpp"
#include "adapters/lan/local_addresses.hpp"

using namespace lucid;
using namespace std::chrono_literals;

namespace {

byte_buffer bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

struct listener {
  std::mutex mutex;
  std::set<std::string> heard;
  void take(byte_view bytes) {
    std::lock_guard lock(mutex);
    heard.emplace(bytes.begin(), bytes.end());
  }
  bool has(const std::string& text) {
    std::lock_guard lock(mutex);
    return heard.contains(text);
  }
};

} // namespace

BOOST_AUTO_TEST_CASE(two_nodes_of_a_network_hear_each_other) {
  beacon_settings settings;
  settings.port = 27867; // Not the one of a node that may run here.
  settings.interval = 50ms;
  listener a, b;
  auto one = lan_beacon::open(settings, [] { return bytes_of("a is here"); }, [&](byte_view x) { a.take(x); });
  if (!one) {
    BOOST_TEST_MESSAGE("SKIPPED: no multicast on this machine: " << to_string(one.error()));
    return;
  }
  auto two = lan_beacon::open(settings, [] { return bytes_of("b is here"); }, [&](byte_view x) { b.take(x); });
  BOOST_REQUIRE(two.has_value());
  for (int i = 0; i < 100 && !(a.has("b is here") && b.has("a is here")); ++i) std::this_thread::sleep_for(50ms);
  if (a.heard.empty() && b.heard.empty()) {
    BOOST_TEST_MESSAGE("SKIPPED: this machine has no way for multicast");
    return;
  }
  BOOST_TEST(a.has("b is here"));
  BOOST_TEST(b.has("a is here"));
}

BOOST_AUTO_TEST_CASE(what_is_empty_or_too_long_is_not_said_and_a_wrong_group_is_told) {
  beacon_settings settings;
  settings.group = "no group";
  auto none = lan_beacon::open(settings, [] { return byte_buffer(); }, [](byte_view) {});
  BOOST_REQUIRE(!none.has_value());
  BOOST_TEST((none.error().code == errc::invalid_input));
}

BOOST_AUTO_TEST_CASE(addresses_are_those_that_others_can_reach) {
  for (auto& address : local_addresses(8)) {
    BOOST_TEST(!address.starts_with("127."));
    BOOST_TEST(!address.starts_with("169.254."));
  }
  BOOST_TEST(local_addresses(1).size() <= 1u);
}
