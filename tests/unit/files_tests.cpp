// tests/unit/files_tests.cpp - the file system port: the real one, atomic writes, the lock of a folder.
#define BOOST_TEST_MODULE files_tests
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <random>

#include <sys/wait.h>
#include <unistd.h>

#include "adapters/files/atomic_write.hpp"
#include "adapters/files/direct_write.hpp"
#include "adapters/files/folder_lock.hpp"
#include "adapters/files/posix_file_system.hpp"
#include "tests/doubles/faulty_file_system.hpp"
#include "tests/doubles/must.hpp"
#include "tests/doubles/temp_folder.hpp"

using namespace lucid;
using lucid::testing::faulty_file_system;
using lucid::testing::must;
using lucid::testing::temp_folder;

namespace {

byte_buffer some_bytes(std::size_t size, std::uint8_t first) {
  byte_buffer bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(first + i * 7);
  return bytes;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_file_is_appended_to_cut_and_read_back) {
  temp_folder temp;
  posix_file_system fs;
  auto file = fs.open(temp.path() / "a", open_mode::fresh).value();
  BOOST_TEST(file->append(as_bytes("hello ")).has_value());
  BOOST_TEST(file->append(as_bytes("world")).has_value());
  BOOST_TEST(file->size_bytes() == 11u);
  BOOST_TEST(file->cut(6).has_value());
  BOOST_TEST(file->append(as_bytes("moon")).has_value());
  BOOST_TEST(file->sync().has_value());
  BOOST_TEST(as_text(fs.read(temp.path() / "a", 0, 100).value()) == "hello moon");
  BOOST_TEST(as_text(fs.read(temp.path() / "a", 6, 2).value()) == "mo");
  BOOST_TEST(fs.read(temp.path() / "a", 11, 2).value().empty());
  auto again = fs.open(temp.path() / "a", open_mode::extend).value();
  BOOST_TEST(again->size_bytes() == 10u);
}

// Direct writes take whole blocks from a block boundary: sizes and offsets here miss them in every way.
BOOST_AUTO_TEST_CASE(large_appends_of_every_alignment_read_back_as_they_were_written) {
  temp_folder temp;
  posix_file_system fs;
  constexpr std::size_t large = direct_write_size_bytes_min;
  for (auto sizes : std::vector<std::vector<std::size_t>>{
         {large}, {large - 1}, {large + 1}, {3 * large + 4095}, {large, large}, {7, large}, {large + 1, 2 * large}}) {
    auto file = fs.open(temp.path() / "a", open_mode::fresh).value();
    byte_buffer written;
    for (auto size : sizes) {
      auto bytes = some_bytes(size, static_cast<std::uint8_t>(written.size() + 3));
      BOOST_TEST(file->append(bytes).has_value());
      written.insert(written.end(), bytes.begin(), bytes.end());
    }
    BOOST_TEST(file->append(as_bytes("end")).has_value());
    BOOST_TEST(file->sync().has_value());
    BOOST_TEST(file->size_bytes() == written.size() + 3);
    auto read = fs.read(temp.path() / "a", 0, written.size() + 10).value();
    BOOST_REQUIRE(read.size() == written.size() + 3);
    BOOST_TEST(std::equal(written.begin(), written.end(), read.begin()));
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_there_is_not_found_and_a_list_is_sorted) {
  temp_folder temp;
  posix_file_system fs;
  BOOST_TEST((fs.open(temp.path() / "none", open_mode::extend).error().code == errc::not_found));
  BOOST_TEST((fs.read(temp.path() / "none", 0, 1).error().code == errc::not_found));
  BOOST_TEST((fs.size_of(temp.path() / "none").error().code == errc::not_found));
  BOOST_TEST(fs.remove(temp.path() / "none").has_value());
  BOOST_TEST(fs.list(temp.path() / "none").value().empty());
  BOOST_TEST(fs.make_folder(temp.path() / "x" / "y").has_value());
  BOOST_TEST(write_atomically(fs, temp.path() / "x" / "b", as_bytes("1")).has_value());
  BOOST_TEST(write_atomically(fs, temp.path() / "x" / "a", as_bytes("1")).has_value());
  auto names = fs.list(temp.path() / "x").value();
  BOOST_TEST(names == (std::vector<std::string>{"a", "b", "y"}), boost::test_tools::per_element());
  auto refused = fs.read(temp.path() / "x", 0, 1).error();
  BOOST_TEST((refused.code == errc::invalid_input));
  BOOST_TEST(refused.what.find((temp.path() / "x").string()) != std::string::npos);
  BOOST_TEST((fs.make_folder(temp.path() / "x" / "a").error().code == errc::already_exists));
}

BOOST_AUTO_TEST_CASE(system_errors_become_codes_a_caller_can_act_on) {
  BOOST_TEST((errc_of_errno(ENOSPC) == errc::disk_full));
  BOOST_TEST((errc_of_errno(EDQUOT) == errc::disk_full));
  BOOST_TEST((errc_of_errno(EROFS) == errc::read_only));
  BOOST_TEST((errc_of_errno(EACCES) == errc::permission_denied));
  BOOST_TEST((errc_of_errno(ENOENT) == errc::not_found));
  BOOST_TEST((errc_of_errno(EIO) == errc::io_failed));
  posix_file_system fs;
  auto full = fs.open("/dev/full", open_mode::extend);
  BOOST_TEST((full.error().code == errc::invalid_input)); // A device is no place for evidence.
}

BOOST_AUTO_TEST_CASE(a_file_over_the_bound_is_refused_whole) {
  temp_folder temp;
  posix_file_system fs;
  BOOST_TEST(write_atomically(fs, temp.path() / "f", as_bytes("12345")).has_value());
  BOOST_TEST(read_whole(fs, temp.path() / "f", 5).value().size() == 5u);
  BOOST_TEST((read_whole(fs, temp.path() / "f", 4).error().code == errc::limit_exceeded));
}

BOOST_AUTO_TEST_CASE(an_atomic_write_survives_loss_of_power_at_each_of_its_steps) {
  auto before = some_bytes(5000, 1), after = some_bytes(7000, 9);
  int lost = 0, acknowledged = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    std::mt19937_64 random(seed);
    faulty_file_system fs;
    must(fs.make_folder("/d"));
    must(write_atomically(fs, "/d/f", before));
    fs.lose_power_after(random() % 7); // A write takes five operations: from before the first to after the last.
    bool done = write_atomically(fs, "/d/f", after).has_value();
    fs.restart(random);
    auto found = fs.read("/d/f", 0, 1 << 20).value();
    BOOST_TEST_CONTEXT("seed " << seed) {
      BOOST_TEST((found == after || (!done && found == before)));
    }
    lost += found == before;
    acknowledged += done;
  }
  BOOST_TEST(lost > 50);
  BOOST_TEST(acknowledged > 50);
}

BOOST_AUTO_TEST_CASE(an_atomic_write_that_fails_leaves_the_old_file_and_no_part) {
  for (std::string kind : {"open", "append", "sync", "rename"}) {
    faulty_file_system fs;
    must(fs.make_folder("/d"));
    must(write_atomically(fs, "/d/f", as_bytes("old")));
    fs.fail_next(kind, errc::io_failed);
    BOOST_TEST((write_atomically(fs, "/d/f", as_bytes("new")).error().code == errc::io_failed));
    BOOST_TEST(as_text(fs.read("/d/f", 0, 10).value()) == "old");
    BOOST_TEST(!fs.has("/d/f.part"));
  }
  faulty_file_system fs;
  must(fs.make_folder("/d"));
  fs.set_capacity(100);
  BOOST_TEST((write_atomically(fs, "/d/f", some_bytes(101, 0)).error().code == errc::disk_full));
  BOOST_TEST(!fs.has("/d/f.part"));
  BOOST_TEST(write_atomically(fs, "/d/f", some_bytes(100, 0)).has_value());
}

BOOST_AUTO_TEST_CASE(the_second_process_is_refused_and_told_who_holds_the_folder) {
  temp_folder temp;
  BOOST_TEST(!folder_lock::holder(temp.path()).value().has_value());
  int ready[2], done[2];
  BOOST_REQUIRE(::pipe(ready) == 0 && ::pipe(done) == 0);
  auto child = ::fork();
  if (child == 0) { // Holds the lock until told to go, then ends without any clean-up.
    auto held = folder_lock::acquire(temp.path());
    char c = held ? 'y' : 'n';
    (void)!::write(ready[1], &c, 1);
    ::close(done[1]);
    (void)!::read(done[0], &c, 1);
    ::_exit(0);
  }
  ::close(done[0]);
  char c = 0;
  BOOST_REQUIRE(::read(ready[0], &c, 1) == 1);
  BOOST_TEST(c == 'y');
  auto refused = folder_lock::acquire(temp.path());
  BOOST_REQUIRE(!refused.has_value());
  BOOST_TEST((refused.error().code == errc::busy));
  BOOST_TEST(refused.error().what.find("process " + std::to_string(child)) != std::string::npos);
  BOOST_TEST(folder_lock::holder(temp.path()).value().value() == child);
  ::close(done[1]);
  ::waitpid(child, nullptr, 0);
  BOOST_TEST(folder_lock::acquire(temp.path()).has_value());
  BOOST_TEST((folder_lock::acquire(temp.path() / "none").error().code == errc::not_found));
}
