// tests/unit/node_identity_tests.cpp - transport keys: made once, kept under the node's passphrase, rotated.
#define BOOST_TEST_MODULE node_identity_tests
#include <boost/test/unit_test.hpp>

#include "actors/mesh/node_identity.hpp"
#include "adapters/files/posix_file_system.hpp"
#include "tests/doubles/faulty_file_system.hpp"
#include "tests/doubles/temp_folder.hpp"
#include "tests/unit/mesh_fixture.hpp"

using namespace lucid;
using namespace lucid::test;

namespace {

constexpr password_cost cheap{1, 1u << 20};

} // namespace

BOOST_AUTO_TEST_CASE(a_transport_key_is_made_once_and_rotated) {
  lucid::testing::temp_folder folder;
  posix_file_system files;
  key_store store(files, folder.path() / "keys");
  mesh_random random(1);
  key_protection how = under_passphrase{"pass", cheap};
  auto first = must(load_transport_keys(store, how, mesh_time_us, random));
  BOOST_TEST((box_public_key_of(*first.present.secret) == first.present.open));
  BOOST_TEST(!first.previous.has_value());
  auto again = must(load_transport_keys(store, how, mesh_time_us + 1, random));
  BOOST_TEST((again.present.open == first.present.open));
  key_protection wrong = under_passphrase{"wrong", cheap};
  BOOST_TEST((load_transport_keys(store, wrong, mesh_time_us, random).error().code == errc::wrong_key));
  BOOST_TEST((rotate_transport_keys(store, wrong, mesh_time_us, random).error().code == errc::wrong_key));
  auto rotated = must(rotate_transport_keys(store, how, mesh_time_us + 2, random));
  BOOST_TEST((rotated.present.open != first.present.open));
  BOOST_TEST_REQUIRE(rotated.previous.has_value());
  BOOST_TEST((rotated.previous->open == first.present.open));
  BOOST_TEST((box_public_key_of(*rotated.previous->secret) == first.present.open));
  must(forget_previous_transport_key(store));
  must(forget_previous_transport_key(store));
  auto left = must(load_transport_keys(store, how, mesh_time_us, random));
  BOOST_TEST((left.present.open == rotated.present.open && !left.previous));
}

BOOST_AUTO_TEST_CASE(a_key_of_another_kind_under_that_name_is_not_taken) {
  lucid::testing::faulty_file_system files;
  key_store store(files, "/keys");
  mesh_random random(1);
  must(store.create(key_kind::owner, transport_key_name, no_passphrase{}, mesh_time_us, random));
  auto refused = load_transport_keys(store, no_passphrase{}, mesh_time_us, random);
  BOOST_TEST((refused.error().code == errc::wrong_state));
}

BOOST_AUTO_TEST_CASE(a_rotation_that_loses_power_leaves_a_key_that_works) {
  std::mt19937_64 power(5);
  for (std::uint64_t operations = 0;; ++operations) {
    BOOST_TEST_REQUIRE(operations < 100u);
    lucid::testing::faulty_file_system files;
    key_store store(files, "/keys");
    mesh_random random(operations);
    auto before = must(load_transport_keys(store, no_passphrase{}, mesh_time_us, random));
    files.lose_power_after(operations);
    auto rotated = rotate_transport_keys(store, no_passphrase{}, mesh_time_us + 1, random);
    bool survived = !files.power_is_lost();
    files.restart(power);
    auto after = must(load_transport_keys(store, no_passphrase{}, mesh_time_us + 2, random));
    bool is_old = after.present.open == before.present.open;
    BOOST_TEST_REQUIRE((is_old ? !after.previous : after.previous && after.previous->open == before.present.open),
                       "after " << operations << " operations");
    if (rotated) BOOST_TEST_REQUIRE(!is_old);
    if (survived) break;
  }
}
