// tests/integration/disk_faults_tests.cpp - store and journal on real disks that are full or read-only.
//
// Mounts small tmpfs in a mount namespace of its own. Without the right to do so the test is skipped, loudly.
#define BOOST_TEST_MODULE disk_faults_tests
#define BOOST_TEST_NO_MAIN
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <cstring>
#include <iostream>

#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actors/journal/journal_file.hpp"
#include "actors/ledger/ledger.hpp"
#include "actors/ledger/ledger_file.hpp"
#include "actors/store/recording_store.hpp"
#include "adapters/files/folder_lock.hpp"
#include "adapters/files/posix_file_system.hpp"
#include "adapters/sodium/system_random.hpp"
#include "messages/data_layout.hpp"
#include "tests/doubles/must.hpp"
#include "tests/doubles/own_mounts.hpp"
#include "tests/doubles/temp_folder.hpp"

using namespace lucid;
using namespace std::chrono_literals;
using lucid::testing::must;
using lucid::testing::temp_folder;

namespace {

/// A tmpfs of a given size, seen by this process only.
class small_disk {
public:
  explicit small_disk(const std::string& size) {
    BOOST_REQUIRE(::mount("tmpfs", path().c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0);
  }
  ~small_disk() { ::umount2(path().c_str(), MNT_DETACH); }
  void make_read_only() { BOOST_REQUIRE(::mount("none", path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) == 0); }
  const std::filesystem::path& path() const { return folder_.path(); }

private:
  temp_folder folder_;
};

session_put_request request_of(std::uint8_t n) {
  session_put_request r;
  r.summary.id.fill(n);
  r.policy.recipients = {box_public_key{1}};
  return r;
}

sealed_chunk sealed_of(std::uint8_t n, std::uint32_t index, std::size_t size) {
  sealed_chunk c;
  c.record.key.session.fill(n);
  c.record.key.index = index;
  c.record.sealed_size_bytes = size;
  c.file = payload(byte_buffer(size, static_cast<std::uint8_t>(index)));
  c.leaves = {digest{1}};
  return c;
}

fragment video(std::uint64_t sequence, std::size_t size) {
  fragment f;
  f.sequence = sequence;
  f.frame_count = 1;
  f.bytes = payload(byte_buffer(size, static_cast<std::uint8_t>(sequence)));
  return f;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_full_disk_refuses_chunks_and_keeps_what_it_has) {
  small_disk disk("4m");
  posix_file_system fs;
  auto store = must(recording_store::open({disk.path(), 0}, fs));
  must(store.put_session(request_of(1)));
  std::uint32_t stored = 0;
  for (;; ++stored) {
    auto put = store.put_chunk(sealed_of(1, stored, 700'000));
    if (put) continue;
    BOOST_TEST((put.error().code == errc::disk_full), to_string(put.error()));
    break;
  }
  BOOST_TEST(stored >= 2u);
  BOOST_TEST(must(store.chunks(request_of(1).summary.id)).size() == stored);
  for (auto& name : must(fs.list(session_folder(disk.path(), request_of(1).summary.id)))) {
    BOOST_TEST(chunk_of(name).has_value(), name); // No half file.
  }
  BOOST_TEST(must(recording_store::open_read_only({disk.path(), 0}, fs)).findings().empty());
  must(fs.remove(store.chunk_path(sealed_of(1, 0, 1).record.key))); // Room again.
  must(store.put_chunk(sealed_of(1, stored, 700'000)));
}

BOOST_AUTO_TEST_CASE(a_disk_without_room_for_rows_says_so_and_loses_none) {
  small_disk disk("300k");
  posix_file_system fs;
  auto store = must(recording_store::open({disk.path(), 0}, fs));
  std::uint8_t put = 0;
  std::optional<error> refused;
  while (!refused && put < 250) {
    auto done = store.put_session(request_of(static_cast<std::uint8_t>(put + 1)));
    if (done)
      ++put;
    else
      refused = done.error();
  }
  BOOST_REQUIRE(refused.has_value());
  BOOST_TEST((refused->code == errc::disk_full), to_string(*refused));
  BOOST_TEST(must(store.sessions({})).size() == put);
}

BOOST_AUTO_TEST_CASE(below_the_bound_of_free_space_no_session_begins) {
  small_disk disk("2m");
  posix_file_system fs;
  auto store = must(recording_store::open({disk.path(), 8u << 20}, fs));
  BOOST_TEST((store.put_session(request_of(1)).error().code == errc::disk_full));
}

BOOST_AUTO_TEST_CASE(a_full_disk_stops_the_journal_and_room_lets_it_go_on) {
  small_disk disk("2m");
  posix_file_system fs;
  system_random random;
  auto key = std::make_shared<const session_key>(make_session_key(random));
  journal_options options{{}, disk.path() / "s", {}};
  options.limits.segment_size_bytes = 500'000;
  std::uint64_t next = 1;
  {
    auto journal = must(journal_file::open(options, fs, key, random));
    for (;; ++next) {
      auto written = journal.write(video(next, 50'000), 0s);
      if (written) continue;
      BOOST_TEST((written.error().code == errc::disk_full), to_string(written.error()));
      break;
    }
    BOOST_TEST(next > 20u);
    must(journal.sync());
    must(journal.drop({10, 10}));
    must(journal.write(video(next, 50'000), 0s));
    must(journal.sync());
  }
  auto journal = must(journal_file::open(options, fs, key, random));
  BOOST_TEST(journal.core().durable().last_sequence == next);
  BOOST_TEST(journal.losses().empty());
}

BOOST_AUTO_TEST_CASE(a_read_only_folder_is_named_and_can_still_be_read) {
  small_disk disk("8m");
  posix_file_system fs;
  system_random random;
  auto key = std::make_shared<const session_key>(make_session_key(random));
  sign_key producer(make_session_key(random));
  {
    auto store = must(recording_store::open({disk.path(), 0}, fs));
    must(store.put_session(request_of(1)));
    must(store.put_chunk(sealed_of(1, 0, 5000)));
    auto chain = must(ledger_file::open(ledger_file_name(disk.path())));
    must(ledger::open(chain, producer));
  }
  disk.make_read_only();
  auto store = recording_store::open({disk.path(), 0}, fs);
  BOOST_TEST((store.error().code == errc::read_only), to_string(store.error()));
  auto journal = journal_file::open({{}, disk.path() / "s", {}}, fs, key, random);
  BOOST_TEST((journal.error().code == errc::read_only), to_string(journal.error()));
  BOOST_TEST((folder_lock::acquire(disk.path()).error().code == errc::read_only));

  auto reader = must(recording_store::open_read_only({disk.path(), 0}, fs));
  auto chain = must(ledger_file::open_read_only(ledger_file_name(disk.path())));
  BOOST_TEST(must(verify_chain(chain, producer.public_key())).height == 0u);
  BOOST_TEST(must(reader.chunk_bytes(sealed_of(1, 0, 1).record.key)).size() == 5000u);
  BOOST_TEST(must(reader.leaves(sealed_of(1, 0, 1).record.key)).size() == 1u);
}

// A real process, a real disk, and the end of it without a warning: what it said it had stored is there.
BOOST_AUTO_TEST_CASE(a_process_that_is_killed_leaves_everything_it_acknowledged) {
  temp_folder temp;
  posix_file_system fs;
  for (int round = 0; round < 10; ++round) {
    int told[2];
    BOOST_REQUIRE(::pipe(told) == 0);
    auto child = ::fork();
    if (child == 0) {
      auto store = must(recording_store::open({temp.path(), 0}, fs));
      (void)store.put_session(request_of(1));
      for (std::uint32_t i = 0; i < 1000; ++i)
        if (store.put_chunk(sealed_of(1, i, 20'000 + i)) && ::write(told[1], &i, sizeof i) < 0) break;
      ::_exit(0);
    }
    ::close(told[1]);
    std::uint32_t last = 0, goal = static_cast<std::uint32_t>(round * 7 % 11);
    while (::read(told[0], &last, sizeof last) == sizeof last && last < goal) {}
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(told[0], &last, sizeof last) == sizeof last) {}
    ::close(told[0]);
    auto store = must(recording_store::open({temp.path(), 0}, fs));
    BOOST_TEST(store.findings().empty());
    auto records = must(store.chunks(request_of(1).summary.id));
    BOOST_REQUIRE(records.size() > last);
    for (auto& record : records)
      BOOST_TEST((must(store.chunk_bytes(record.key)) ==
                  byte_buffer(record.sealed_size_bytes, static_cast<std::uint8_t>(record.key.index))));
  }
}

int main(int argc, char** argv) {
  if (!lucid::testing::enter_own_mounts()) {
    std::cerr << "SKIPPED: disk_faults_tests mounts small disks and needs to be root with a mount namespace: "
              << std::strerror(errno) << '\n';
    return 77;
  }
  return boost::unit_test::unit_test_main(init_unit_test, argc, argv);
}
