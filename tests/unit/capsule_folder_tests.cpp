// tests/unit/capsule_folder_tests.cpp - capsules come back as they were, the oldest give way, and a bad file is named.
#define BOOST_TEST_MODULE capsule_folder_tests
#include <boost/test/unit_test.hpp>

#include "adapters/files/atomic_write.hpp"
#include "adapters/files/capsule_folder.hpp"
#include "tests/doubles/faulty_file_system.hpp"

using namespace lucid;

namespace {

struct store {
  testing::faulty_file_system files;
  capsule_folder capsules{files, "capsules"};

  std::size_t file_count() { return files.list("capsules")->size(); }
};

crash_capsule capsule(unix_time_us at_us) {
  crash_capsule made;
  made.path = "sessions/aa/chunk";
  made.kind = "chunk";
  made.incarnation = 3;
  made.at_us = at_us;
  made.reason = "a handler threw: \"no\nluck\"";
  made.messages = {{at_us - 5, "lucid::fragment", 4096, "sessions/aa/capture", ""},
                   {at_us - 1, "reply", 8, "", "sequence=1"}};
  made.failing = true;
  made.state = {{"chunks", "12"}};
  made.spec = {.parent = "sessions/aa", .position = 2, .restart = "permanent", .shutdown_timeout_ms = 5000};
  made.restart_count = 2;
  return made;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_capsule_comes_back_as_it_was) {
  store s;
  auto id = s.capsules.put(capsule(1'700'000'000'000'000));
  BOOST_REQUIRE(id.has_value());
  auto found = s.capsules.get(*id);
  BOOST_REQUIRE(found.has_value());
  auto wanted = capsule(1'700'000'000'000'000);
  BOOST_TEST(found->id == *id);
  BOOST_TEST(found->path == wanted.path);
  BOOST_TEST(found->kind == wanted.kind);
  BOOST_TEST(found->incarnation == 3u);
  BOOST_TEST(found->at_us == wanted.at_us);
  BOOST_TEST(found->reason == wanted.reason);
  BOOST_TEST((found->messages == wanted.messages));
  BOOST_TEST(found->failing);
  BOOST_TEST((found->state == wanted.state));
  BOOST_TEST((found->spec == wanted.spec));
  BOOST_TEST(found->restart_count == 2u);
}

BOOST_AUTO_TEST_CASE(the_newest_are_kept_and_come_first) {
  store s;
  std::vector<std::string> ids;
  for (int i = 0; i < 70; ++i) ids.push_back(s.capsules.put(capsule(1000 + i / 2)).value());
  BOOST_TEST(s.file_count() == capsules_max);
  auto listed = s.capsules.list().value();
  BOOST_REQUIRE(listed.size() == capsules_max);
  BOOST_TEST(listed.front().id == ids.back());
  BOOST_TEST(listed.back().id == ids[6]);
  BOOST_TEST((s.capsules.get(ids[5]).error().code == errc::not_found));
}

BOOST_AUTO_TEST_CASE(what_is_no_id_never_becomes_a_path) {
  store s;
  for (const char* bad : {"", "../store", "0000000000000000-0000000G", "0000000000000000/00000000",
                          "0000000000000000-00000000.json"})
    BOOST_TEST((s.capsules.get(bad).error().code == errc::invalid_input));
}

BOOST_AUTO_TEST_CASE(a_damaged_file_is_named_and_does_not_hide_the_others) {
  store s;
  auto good = s.capsules.put(capsule(1)).value(), bad = s.capsules.put(capsule(2)).value();
  for (const char* text : {"", "{", "[]", "{\"id\":7}"}) {
    BOOST_REQUIRE(write_atomically(s.files, "capsules/" + bad + ".json", as_bytes(std::string_view(text))).has_value());
    auto found = s.capsules.get(bad);
    BOOST_REQUIRE(!found.has_value());
    BOOST_TEST((found.error().code == errc::corrupted));
    BOOST_TEST((found.error().what.find(bad) != std::string::npos));
    BOOST_TEST(s.capsules.list()->size() == 1u);
  }
  BOOST_TEST(s.capsules.get(good).has_value());
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_told_and_leaves_nothing_half_written) {
  store s;
  BOOST_REQUIRE(s.capsules.put(capsule(1)).has_value());
  s.files.fail_next("append", errc::disk_full);
  BOOST_TEST((s.capsules.put(capsule(2)).error().code == errc::disk_full));
  BOOST_TEST(s.file_count() == 1u);
  BOOST_TEST(s.capsules.put(capsule(3)).has_value());
  BOOST_TEST(s.file_count() == 2u);
}

BOOST_AUTO_TEST_CASE(a_capsule_that_is_too_large_is_refused) {
  store s;
  auto huge = capsule(1);
  huge.reason.assign(capsule_folder::file_size_bytes_max, 'x');
  BOOST_TEST((s.capsules.put(huge).error().code == errc::limit_exceeded));
}
