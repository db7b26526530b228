// tests/unit/key_file_tests.cpp - key files and the key store.
#define BOOST_TEST_MODULE key_file_tests
#include <boost/test/unit_test.hpp>

#include <filesystem>

#include <sys/stat.h>

#include "actors/format/key_store.hpp"
#include "adapters/files/posix_file_system.hpp"
#include "tests/doubles/faulty_file_system.hpp"
#include "tests/doubles/temp_folder.hpp"
#include "tests/unit/format_fixture.hpp"

using namespace lucid;
using namespace lucid::test;

namespace {

constexpr password_cost cheap{1, 1u << 20};

std::string file_of(key_kind kind, const key_protection& how, std::uint64_t seed = 1) {
  seeded_random random(seed);
  auto key = make_identity(kind, "alice", start_us, random).value();
  return encode_key_file(key, how, random).value();
}

} // namespace

BOOST_AUTO_TEST_CASE(keys_read_back_with_and_without_passphrase) {
  for (auto kind : {key_kind::node, key_kind::owner, key_kind::transport}) {
    for (bool locked : {false, true}) {
      auto text = file_of(kind, locked ? key_protection(under_passphrase{"correct horse", cheap}) : no_passphrase{});
      auto open = read_public_identity(text).value();
      BOOST_TEST((open.kind == kind && open.name == "alice" && open.has_passphrase == locked));
      auto key = open_key_file(text, "correct horse").value();
      BOOST_TEST((key.open == open));
      BOOST_TEST((box_public_key_of(key.box_secret) == open.box));
      BOOST_TEST(key.sign_seed.has_value() == (kind == key_kind::node));
      BOOST_TEST((text.find("\"protection\":\"none\"") != std::string::npos) == !locked);
      BOOST_TEST((text.find(to_hex(key.box_secret.view())) != std::string::npos) == !locked);
    }
  }
}

BOOST_AUTO_TEST_CASE(another_passphrase_is_told_from_damage) {
  auto text = file_of(key_kind::node, under_passphrase{"right", cheap});
  BOOST_TEST((open_key_file(text, "wrong").error().code == errc::wrong_key));
  for (auto how : {key_protection(under_passphrase{"right", cheap}), key_protection(no_passphrase{})}) {
    text = file_of(key_kind::node, how);
    for (std::size_t at = 0; at + 1 < text.size(); ++at) {
      auto changed = text;
      changed[at] = static_cast<char>(changed[at] ^ 1);
      auto key = open_key_file(changed, "right");
      BOOST_TEST_REQUIRE((!key && key.error().code != errc::wrong_key), "byte " << at);
    }
  }
}

BOOST_AUTO_TEST_CASE(bad_names_and_passphrases_are_refused) {
  seeded_random random(1);
  for (auto name : {"", ".hidden", "a/b", "a b", "-x"})
    BOOST_TEST((make_identity(key_kind::owner, name, 0, random).error().code == errc::invalid_input));
  BOOST_TEST(!make_identity(key_kind::owner, std::string(65, 'a'), 0, random).has_value());
  auto key = make_identity(key_kind::owner, std::string(64, 'a'), 0, random).value();
  BOOST_TEST((encode_key_file(key, under_passphrase{"", cheap}, random).error().code == errc::invalid_input));
}

BOOST_AUTO_TEST_CASE(public_keys_travel_as_one_line) {
  for (auto kind : {key_kind::node, key_kind::owner, key_kind::transport}) {
    auto open = read_public_identity(file_of(kind, no_passphrase{})).value();
    auto line = export_public(open);
    auto read = import_public(line + "\n").value();
    BOOST_TEST((read.kind == kind && read.box == open.box && read.sign == open.sign && read.name == "alice"));
    for (std::size_t size = 0; size < line.size() - 5; ++size)
      BOOST_TEST(!import_public(line.substr(0, size)).has_value());
    BOOST_TEST(!import_public("x" + line).has_value());
  }
}

BOOST_AUTO_TEST_CASE(the_store_keeps_keys_to_itself_and_never_overwrites_one) {
  testing::temp_folder folder;
  posix_file_system files;
  auto where = folder.path() / "keys";
  key_store store(files, where);
  seeded_random random(1);
  BOOST_TEST(store.list()->empty());
  auto made = store.create(key_kind::owner, "alice", under_passphrase{"pass", cheap}, start_us, random).value();
  BOOST_TEST(store.create(key_kind::node, "node", no_passphrase{}, start_us, random).has_value());
  BOOST_TEST((store.create(key_kind::owner, "alice", no_passphrase{}, start_us, random).error().code == errc::already_exists));
  BOOST_TEST((store.show("alice").value() == made));
  BOOST_TEST(store.list()->size() == 2u);
  BOOST_TEST((store.load("alice", "pass")->open == made));
  BOOST_TEST((store.load("alice", "wrong").error().code == errc::wrong_key));
  BOOST_TEST((store.load("bob", "").error().code == errc::not_found));
  BOOST_TEST((store.load("../alice", "").error().code == errc::invalid_input));
  struct ::stat info {};
  BOOST_TEST_REQUIRE(::stat((where / "alice.key").c_str(), &info) == 0);
  BOOST_TEST((info.st_mode & 0777) == 0600u);
  BOOST_TEST_REQUIRE(::stat(where.c_str(), &info) == 0);
  BOOST_TEST((info.st_mode & 0777) == 0700u);
}

BOOST_AUTO_TEST_CASE(a_key_is_rotated_and_the_old_one_kept_until_it_is_removed) {
  for (bool locked : {false, true}) {
    testing::temp_folder folder;
    posix_file_system files;
    key_store store(files, folder.path() / "keys");
    seeded_random random(1);
    key_protection how = no_passphrase{};
    if (locked) how = under_passphrase{"pass", cheap};
    BOOST_TEST((store.rotate("transport", "previous", how, start_us, random).error().code == errc::not_found));
    auto first = store.create(key_kind::transport, "transport", how, start_us, random).value();
    auto second = store.rotate("transport", "previous", how, start_us + 1, random).value();
    BOOST_TEST((second.box != first.box && second.kind == key_kind::transport && second.created_us == start_us + 1));
    BOOST_TEST((store.load("transport", "pass")->open == second));
    auto kept = store.load("previous", "pass").value();
    BOOST_TEST((kept.open.box == first.box && kept.open.name == "previous" && kept.open.has_passphrase == locked));
    auto third = store.rotate("transport", "previous", how, start_us + 2, random).value();
    BOOST_TEST((store.show("previous")->box == second.box && third.box != second.box));
    if (locked) {
      auto wrong = under_passphrase{"wrong", cheap};
      BOOST_TEST((store.rotate("transport", "previous", wrong, start_us, random).error().code == errc::wrong_key));
      BOOST_TEST((store.show("transport").value() == third));
    }
    BOOST_TEST(store.remove("previous").has_value());
    BOOST_TEST(store.remove("previous").has_value());
    BOOST_TEST((store.show("previous").error().code == errc::not_found));
    BOOST_TEST(store.list()->size() == 1u);
    BOOST_TEST((store.remove("../transport").error().code == errc::invalid_input));
  }
}

BOOST_AUTO_TEST_CASE(a_rotation_that_loses_power_loses_no_key) {
  std::mt19937_64 power(3);
  for (std::uint64_t operations = 0;; ++operations) {
    testing::faulty_file_system files;
    key_store store(files, "/keys");
    seeded_random random(operations);
    auto first = store.create(key_kind::transport, "transport", no_passphrase{}, start_us, random).value();
    files.lose_power_after(operations);
    auto rotated = store.rotate("transport", "previous", no_passphrase{}, start_us + 1, random);
    bool survived = !files.power_is_lost();
    files.restart(power);
    auto present = store.load("transport", "");
    BOOST_TEST_REQUIRE(present.has_value(), "after " << operations << " operations");
    bool is_old = present->open.box == first.box;
    auto previous = store.show("previous");
    BOOST_TEST_REQUIRE((is_old || (previous && previous->box == first.box)), "after " << operations << " operations");
    if (rotated) BOOST_TEST_REQUIRE(!is_old);
    if (survived) break;
    BOOST_TEST_REQUIRE(operations < 100u);
  }
}
