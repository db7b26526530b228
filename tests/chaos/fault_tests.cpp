// tests/chaos/fault_tests.cpp - damaged files, wrong keys, and desktops that vanish, refuse, change or talk nonsense.
#define BOOST_TEST_MODULE fault_tests
#include <boost/test/unit_test.hpp>

#include <atomic>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "actors/node/cli/exit_code.hpp"
#include "messages/data_layout.hpp"
#include "tests/chaos/chaos.hpp"
#include "tests/integration/x11_desktop.hpp"

#include <nlohmann/json.hpp>

using namespace lucid;
using namespace lucid::chaos;

namespace {

struct scene {
  scene() {
    make_owner_key(settings);
    log_to(folder.path() / "log");
    running = must(node::start(settings, {LUCID_PROGRAM}));
  }
  ~scene() {
    running.reset();
    must(log::start({}));
  }
  std::string log_tail() const { return tail_of(folder.path() / "log"); }

  session_summary record(const capture_request& what) const { return must(node_client(settings).create(what, {})); }

  /// Follows the session until `done` says so.
  bool follow(session_summary& session, clock::duration patience, const std::function<bool(const session_summary&)>& done) const {
    return wait_until(patience, [&] {
      if (auto seen = ask(node_client(settings), session.id)) session = *seen;
      return done(session);
    });
  }
  session_summary until_final(session_summary session, clock::duration patience = 60s) const {
    auto ended = follow(session, patience, [](auto& s) { return is_final(s.state); });
    BOOST_REQUIRE_MESSAGE(ended, "not ended, in state " << to_string(session.state) << "\n" << log_tail());
    return session;
  }

  temp_folder folder;
  configuration settings = settings_for(folder.path() / "data", quick_settings({"capture.reconnect_attempts_max=6",
                                                                                "capture.reconnect_backoff_min=200 ms",
                                                                                "capture.reconnect_backoff_max=1 s",
                                                                                "capture.connect_timeout=5 s"}));
  std::unique_ptr<node> running;
};

capture_request of_desktop(const test::desktop& desktop) {
  capture_request what;
  what.source = "rdp://" + desktop.value("user") + "@127.0.0.1:" + desktop.value("port");
  what.password = desktop.value("password");
  what.width = 640;
  what.height = 480;
  return what;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// The command line and display of the desktop's RDP server, so that the very same can be started again.
struct server_command {
  explicit server_command(const test::desktop& desktop) {
    std::ifstream pids(desktop.folder() / "pids");
    for (std::string pid, started, name; pids >> pid >> started >> name;)
      if (name == "shadow") {
        words = strings_of("/proc/" + pid + "/cmdline");
        surroundings = strings_of("/proc/" + pid + "/environ"); // Where its certificate lies.
        program = std::filesystem::read_symlink("/proc/" + pid + "/exe");
      }
    BOOST_REQUIRE(!words.empty());
    words.front() = program;
  }
  std::unique_ptr<child_process> start(const std::filesystem::path& log) const {
    return std::make_unique<child_process>(words, log, surroundings);
  }
  static std::vector<std::string> strings_of(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    std::vector<std::string> found;
    for (std::string word; std::getline(in, word, '\0');) found.push_back(word);
    return found;
  }
  std::string program;
  std::vector<std::string> words, surroundings;
};

/// Takes every connection on a port of its own and answers with random bytes.
class babbler {
public:
  babbler() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&at), size) != 0 || ::listen(listener_, 8) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size) != 0)
      throw std::runtime_error("no port");
    port = ntohs(at.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~babbler() {
    stop_ = true;
    thread_.join();
    ::close(listener_);
  }
  std::uint16_t port = 0;

private:
  void serve() {
    chance dice(5);
    while (!stop_) {
      pollfd ready{listener_, POLLIN, 0};
      if (::poll(&ready, 1, 50) <= 0) continue;
      auto peer = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      std::array<unsigned char, 4096> noise{};
      for (auto& byte : noise) byte = static_cast<unsigned char>(dice.below(256));
      (void)::send(peer, noise.data(), noise.size(), MSG_NOSIGNAL);
      ::shutdown(peer, SHUT_WR);
      pollfd gone{peer, POLLIN, 0};
      (void)::poll(&gone, 1, 200);
      ::close(peer);
    }
  }
  int listener_ = -1;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(files)

BOOST_AUTO_TEST_CASE(a_damaged_chunk_is_named_with_its_block_by_the_program) {
  scene s;
  auto session = s.until_final(s.record(of_source("generator:seed=9&frames=40&size=320x240&noise=1")));
  BOOST_REQUIRE((session.state == session_state::completed));
  auto verify = [&] {
    std::filesystem::remove(s.folder.path() / "said");
    child_process run({LUCID_PROGRAM, "--data-dir", s.settings.node.data_dir.string(), "--json", "verify", to_hex(session.id)}, s.folder.path() / "said");
    return run.wait();
  };
  BOOST_TEST(verify() == 0, tail_of(s.folder.path() / "said"));
  auto file = chunk_file(s.settings.node.data_dir, {session.id, track::video, 0});
  std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekg(50'000);
  auto was = static_cast<char>(bytes.get());
  bytes.seekp(50'000);
  bytes.put(static_cast<char>(was ^ 0x10));
  bytes.close();
  BOOST_TEST(verify() == static_cast<int>(exit_code::damaged));
  auto said = tail_of(s.folder.path() / "said");
  auto report = nlohmann::json::parse(said, nullptr, false);
  BOOST_REQUIRE_MESSAGE(report.is_object() && report["findings"].size() == 1u, said);
  BOOST_TEST(report["findings"][0]["track"].get<std::string>() == "video");
  BOOST_TEST(report["findings"][0]["chunk"].get<int>() == 0);
  BOOST_TEST(report["findings"][0]["block"].get<int>() == 3); // 50,000 / 16,384.
}

BOOST_AUTO_TEST_CASE(the_wrong_passphrase_of_the_nodes_key_is_said_to_be_wrong) {
  temp_folder folder;
  auto settings = settings_for(folder.path() / "data", quick_settings());
  settings.keys.passphrase = secret_text("right");
  must(node::start(settings, {LUCID_PROGRAM}));
  auto wrong = settings;
  wrong.keys.passphrase = secret_text("wrong");
  auto refused = node::start(wrong, {LUCID_PROGRAM});
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == errc::wrong_key), to_string(refused.error()));
  must(node::start(settings, {LUCID_PROGRAM}));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(desktops)

BOOST_AUTO_TEST_CASE(a_server_that_vanishes_and_comes_back_leaves_a_gap_in_one_recording) {
  test::desktop desktop("--server shadow --security nla --size 640x480");
  server_command command(desktop);
  scene s;
  auto session = s.record(of_desktop(desktop));
  BOOST_REQUIRE_MESSAGE(s.follow(session, 30s, [](auto& now) { return now.frame_count > 5 || is_final(now.state); }), s.log_tail());
  desktop.kill_process("shadow");
  auto before = session.frame_count;
  auto again = command.start(s.folder.path() / "server");
  BOOST_REQUIRE_MESSAGE(s.follow(session, 40s, [&](auto& now) { return now.gap_count > 0 || is_final(now.state); }), s.log_tail());
  BOOST_TEST((session.state == session_state::recording), session.reason << "\n" << s.log_tail());
  s.follow(session, 20s, [&](auto& now) { return now.frame_count > before + 5 || is_final(now.state); });
  (void)node_client(s.settings).stop(session.id, "enough");
  session = s.until_final(session);
  BOOST_TEST((session.state == session_state::completed), session.reason);
  auto seen = judge(s.settings, session.id);
  BOOST_TEST(seen.intact, seen.findings);
  BOOST_TEST(seen.gap_count >= 1u);
  BOOST_TEST(seen.frame_count > before);
  BOOST_TEST(has(seen.events, "\"kind\":\"gap\""), seen.events);
}

BOOST_AUTO_TEST_CASE(a_wrong_password_is_a_login_that_failed) {
  test::desktop desktop("--idle --server shadow --security nla --size 640x480");
  scene s;
  auto what = of_desktop(desktop);
  what.password = "wrong";
  auto session = s.until_final(s.record(what), 90s);
  BOOST_TEST((session.state == session_state::failed));
  BOOST_TEST((has(session.reason, "login") || has(session.reason, "credentials") || has(session.reason, "password")), session.reason);
}

BOOST_AUTO_TEST_CASE(a_changed_certificate_is_refused_with_both_fingerprints) {
  scene s;
  std::string port;
  {
    test::desktop first("--idle --server shadow --security nla --size 640x480");
    port = first.value("port");
    auto session = s.record(of_desktop(first));
    BOOST_REQUIRE_MESSAGE(s.follow(session, 30s, [](auto& now) { return now.frame_count > 0 || is_final(now.state); }), s.log_tail());
    (void)node_client(s.settings).stop(session.id, "enough");
    session = s.until_final(session);
    BOOST_REQUIRE_MESSAGE(session.state == session_state::completed, session.reason);
  }
  test::desktop second("--idle --server shadow --security nla --size 640x480 --port " + port);
  auto session = s.until_final(s.record(of_desktop(second)), 90s);
  BOOST_TEST((session.state == session_state::failed));
  BOOST_TEST(has(session.reason, "has changed: pinned is "), session.reason);
  BOOST_TEST(has(session.reason, ", shown was "), session.reason);
  BOOST_TEST(session.frame_count == 0u);
}

BOOST_AUTO_TEST_CASE(a_server_that_talks_nonsense_ends_in_a_named_error) {
  babbler server;
  scene s;
  capture_request what;
  what.source = "rdp://nobody@127.0.0.1:" + std::to_string(server.port);
  what.password = "x";
  auto session = s.until_final(s.record(what), 90s);
  BOOST_TEST((session.state == session_state::failed));
  BOOST_TEST(!session.reason.empty());
  BOOST_TEST_MESSAGE("reason: " << session.reason);
}

BOOST_AUTO_TEST_SUITE_END()
