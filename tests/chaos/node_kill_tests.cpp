// tests/chaos/node_kill_tests.cpp - the whole node is killed at random moments; the next one finishes what it began.
#define BOOST_TEST_MODULE node_kill_tests
#include <boost/test/unit_test.hpp>

#include <iterator>

#include "tests/chaos/chaos.hpp"

using namespace lucid;
using namespace lucid::chaos;

namespace {

/// What the kill may cost beyond the sync interval and a fragment: frames on their way through a loaded machine.
constexpr auto slack = 2s;

/// A data folder that nodes are killed over.
struct scene {
  scene() { make_owner_key(settings); }

  std::vector<std::string> command(const std::vector<std::string>& words) const {
    std::vector<std::string> all{LUCID_PROGRAM, "--data-dir", settings.node.data_dir.string()};
    for (auto& text : flags) all.insert(all.end(), {"--set", text});
    all.insert(all.end(), words.begin(), words.end());
    return all;
  }
  std::string log_tail() const { return tail_of(folder.path() / "log"); }

  temp_folder folder;
  std::vector<std::string> flags = quick_settings();
  configuration settings = settings_for(folder.path() / "data", flags);
};

unix_time_us wall_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// Starts `lucid record`, or `lucid node` and asks it to record.
std::unique_ptr<child_process> start_recording(const scene& at, const std::string& source, bool as_service) {
  if (!as_service)
    return std::make_unique<child_process>(at.command({"record", source, "--frame-rate", "30"}), at.folder.path() / "log");
  auto node = std::make_unique<child_process>(at.command({"node"}), at.folder.path() / "log");
  node_client client(at.settings);
  BOOST_REQUIRE_MESSAGE(wait_until(20s, [&] { return client.reachable(); }), "no node\n" << at.log_tail());
  must(client.create(of_source(source, 30), {}));
  return node;
}

/// The first session that the node knows, once it does.
session_summary only_session(const scene& at) {
  node_client client(at.settings);
  std::vector<session_summary> found;
  BOOST_REQUIRE_MESSAGE(wait_until(20s,
                                   [&] {
                                     if (auto seen = client.sessions()) found = *seen;
                                     return !found.empty();
                                   }),
                        "no session\n" << at.log_tail());
  return found.front();
}

void kill_and_recover(std::uint64_t seed) {
  chance dice(seed);
  scene at;
  auto real_time = dice.below(4) != 0;
  auto early = dice.below(5) == 0; // Before or just after the first frame.
  auto source = "generator:seed=" + std::to_string(seed) + "&size=320x240&frames=100000&rate=30" + (real_time ? "&realtime=1" : "&noise=1");
  auto victim = start_recording(at, source, dice.below(2) == 0);
  node_client client(at.settings);
  auto session = only_session(at);
  if (!early)
    BOOST_REQUIRE_MESSAGE(wait_until(20s,
                                     [&] {
                                       auto seen = ask(client, session.id);
                                       return seen && seen->frame_count > 0;
                                     }),
                          "seed " << seed << ": no frame\n" << at.log_tail());
  auto moment = clock::now() + dice.between(0ms, early ? 400ms : 1800ms);
  while (clock::now() < moment) { // The last word is the newest that a client could have seen.
    if (auto seen = ask(client, session.id)) session = *seen;
    std::this_thread::sleep_for(20ms);
  }
  auto killed_us = wall_us();
  victim->kill();

  // Some are killed again while they recover.
  for (auto again = dice.below(3); again > 0; --again) {
    child_process recovering(at.command({"node"}), at.folder.path() / "log");
    std::this_thread::sleep_for(dice.between(20ms, 350ms));
    recovering.kill();
  }

  child_process next(at.command({"node"}), at.folder.path() / "log");
  std::optional<session_summary> last;
  auto ended = wait_until(60s, [&] {
    last = ask(client, session.id);
    return last && is_final(last->state);
  });
  BOOST_TEST_CONTEXT("seed " << seed << (real_time ? " in real time" : " as fast as can be") << ", last seen with "
                             << session.frame_count << " frames, now " << (last ? to_string(last->state) : "gone")) {
    BOOST_REQUIRE_MESSAGE(ended, "not finished by itself\n" << at.log_tail());
    if (session.frame_count == 0 && last->state == session_state::failed) return; // Nothing was recorded.
    BOOST_TEST((last->state == session_state::interrupted), at.log_tail());
    auto seen = judge(at.settings, session.id);
    BOOST_TEST(seen.intact, seen.findings);
    BOOST_TEST(seen.decrypted);
    BOOST_TEST(seen.interrupted);
    BOOST_TEST(seen.frame_count >= session.frame_count);
    BOOST_TEST(seen.frame_count == last->frame_count);
    if (!real_time) return;
    std::chrono::microseconds missing(killed_us - (last->created_us + seen.last_us));
    auto bound = at.settings.journal.sync_interval + at.settings.encode.fragment_interval + slack;
    std::cout << "seed " << seed << ": " << seen.frame_count << " frames, " << missing.count() / 1000 << " ms missing\n";
    BOOST_TEST((missing <= bound), missing.count() / 1000 << " ms are missing");
  }
}

} // namespace

BOOST_AUTO_TEST_CASE(the_next_start_finishes_what_a_killed_node_recorded) {
  for (auto seed = first_seed(); seed < first_seed() + seed_count(20); ++seed) kill_and_recover(seed);
}
