// tests/chaos/full_disk_tests.cpp - the disk fills up under a recording, or cannot be written at all.
#define BOOST_TEST_MODULE full_disk_tests
#include <boost/test/unit_test.hpp>

#include <sys/mount.h>

#include "tests/chaos/chaos.hpp"
#include "tests/doubles/own_mounts.hpp"

using namespace lucid;
using namespace lucid::chaos;

namespace {

struct own_mounts {
  own_mounts() {
    if (lucid::testing::enter_own_mounts()) return;
    std::cerr << "SKIPPED: full disks need the right to mount (root)" << std::endl;
    std::_Exit(77);
  }
};

/// A small disk in memory.
class small_disk {
public:
  explicit small_disk(unsigned size_mib) {
    if (::mount("tmpfs", where_.path().c_str(), "tmpfs", 0, size(size_mib).c_str()) != 0)
      throw std::runtime_error("cannot mount a tmpfs");
  }
  ~small_disk() { ::umount2(where_.path().c_str(), MNT_DETACH); }
  void resize(unsigned size_mib) { BOOST_REQUIRE(::mount("tmpfs", path().c_str(), "tmpfs", MS_REMOUNT, size(size_mib).c_str()) == 0); }
  void make_read_only() { BOOST_REQUIRE(::mount("tmpfs", path().c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr) == 0); }
  const std::filesystem::path& path() const { return where_.path(); }

private:
  static std::string size(unsigned mib) { return "size=" + std::to_string(mib) + "m"; }
  temp_folder where_;
};

} // namespace

BOOST_TEST_GLOBAL_FIXTURE(own_mounts);

BOOST_AUTO_TEST_CASE(a_full_disk_ends_the_recording_and_keeps_all_that_was_acknowledged) {
  temp_folder outside;
  log_to(outside.path() / "log");
  for (unsigned size_mib : {12, 19, 27}) { // Full before the first chunk is cut, while it is stored, and after it.
    small_disk disk(size_mib);
    auto settings = settings_for(disk.path() / "data", quick_settings());
    make_owner_key(settings);
    auto running = must(node::start(settings, {LUCID_PROGRAM}));
    node_client client(settings);
    auto session = must(client.create(of_source("generator:seed=3&size=320x240&noise=1&frames=100000"), {}));
    auto left_recording = wait_until(60s, [&] {
      if (auto seen = ask(client, session.id)) session = *seen;
      return session.state > session_state::recording;
    });
    BOOST_TEST_CONTEXT(size_mib << " MiB, in state " << to_string(session.state) << ": " << session.reason << "\n") {
      BOOST_REQUIRE_MESSAGE(left_recording, "the recording goes on without a disk\n" << tail_of(outside.path() / "log"));
      BOOST_TEST((session.state != session_state::failed));
      BOOST_TEST((session.reason.find("(disk_full)") != std::string::npos), session.reason);
      BOOST_TEST(session.frame_count > 0u);
      auto acknowledged = session.frame_count;
      disk.resize(200);
      auto ended = wait_until(60s, [&] {
        if (auto seen = ask(client, session.id)) session = *seen;
        return is_final(session.state);
      });
      BOOST_REQUIRE_MESSAGE(ended, "space is free, but the session is not finished\n" << tail_of(outside.path() / "log"));
      BOOST_TEST((session.state == session_state::completed));
      auto seen = judge(settings, session.id);
      BOOST_TEST(seen.intact, seen.findings);
      BOOST_TEST(seen.decrypted);
      BOOST_TEST(seen.frame_count >= acknowledged);
      BOOST_TEST(seen.frame_count == session.frame_count);
    }
  }
  must(log::start({}));
}

BOOST_AUTO_TEST_CASE(too_little_space_to_begin_with_is_refused_by_name) {
  small_disk disk(8);
  auto settings = settings_for(disk.path() / "data", quick_settings({"store.free_bytes_min=16 MiB"}));
  make_owner_key(settings);
  auto running = must(node::start(settings, {LUCID_PROGRAM}));
  auto refused = node_client(settings).create(of_source("generator:frames=10"), {});
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == errc::disk_full), to_string(refused.error()));
}

BOOST_AUTO_TEST_CASE(a_folder_that_cannot_be_written_is_refused_by_name) {
  small_disk disk(8);
  auto settings = settings_for(disk.path() / "data", quick_settings());
  make_owner_key(settings);
  must(node::start(settings, {LUCID_PROGRAM}));
  disk.make_read_only();
  auto refused = node::start(settings, {LUCID_PROGRAM});
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == errc::read_only), to_string(refused.error()));
}
