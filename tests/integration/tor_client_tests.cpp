// tests/integration/tor_client_tests.cpp - a control port that is silent, lies, talks too much or hangs up.
#define BOOST_TEST_MODULE tor_client_tests
#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <fstream>
#include <functional>
#include <mutex>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include "adapters/tor/control_client.hpp"
#include "tests/doubles/must.hpp"
#include "tests/doubles/temp_folder.hpp"

using namespace lucid;
using namespace std::chrono_literals;
using lucid::testing::must;
using lucid::testing::temp_folder;

namespace {

/// Answers each line by what `answer` makes of it; an empty answer is silence, "hang up" closes the connection.
class scripted_control {
public:
  using script = std::function<std::string(const std::string&)>;

  explicit scripted_control(script answer) : answer_(std::move(answer)), listener_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    path().copy(at.sun_path, sizeof at.sun_path - 1);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || ::listen(listener_, 1) != 0)
      throw std::runtime_error("no listener");
    thread_ = std::thread([this] { serve(); });
  }
  scripted_control(const scripted_control&) = delete;
  scripted_control& operator=(const scripted_control&) = delete;
  ~scripted_control() {
    ::shutdown(listener_, SHUT_RDWR);
    if (peer_ >= 0) ::shutdown(peer_, SHUT_RDWR);
    thread_.join();
    if (peer_ >= 0) ::close(peer_);
    ::close(listener_);
  }
  control_options options(std::chrono::milliseconds answer_max = 2s) const {
    return {"unix:" + path(), cookie_file(), answer_max};
  }
  std::string path() const { return (folder_.path() / "control").string(); }
  std::filesystem::path cookie_file() const { return folder_.path() / "cookie"; }
  void say(const std::string& text) const { (void)!::send(peer_, text.data(), text.size(), MSG_NOSIGNAL); }
  std::vector<std::string> heard() const {
    std::lock_guard lock(mutex_);
    return heard_;
  }

private:
  void serve() {
    peer_ = ::accept(listener_, nullptr, nullptr);
    std::string line;
    for (char c; peer_ >= 0 && ::recv(peer_, &c, 1, 0) == 1;) {
      if (c != '\n') {
        if (c != '\r') line.push_back(c);
        continue;
      }
      {
        std::lock_guard lock(mutex_);
        heard_.push_back(line);
      }
      auto text = answer_(std::exchange(line, {}));
      if (text == "hang up") break;
      say(text);
    }
    ::shutdown(peer_, SHUT_RDWR);
  }
  temp_folder folder_;
  script answer_;
  int listener_;
  std::atomic<int> peer_ = -1;
  mutable std::mutex mutex_;
  std::vector<std::string> heard_;
  std::thread thread_;
};

const std::string open_door = "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL\r\n250-VERSION Tor=\"0.4.9.11\"\r\n250 OK\r\n";

/// A Tor that asks for nothing, and answers questions by `answer`.
scripted_control::script welcoming(scripted_control::script answer) {
  return [answer = std::move(answer)](const std::string& line) {
    if (line.starts_with("PROTOCOLINFO")) return open_door;
    if (line == "AUTHENTICATE") return std::string("250 OK\r\n");
    return answer(line);
  };
}

errc refusal(const scripted_control& port) {
  auto began = std::chrono::steady_clock::now();
  auto client = control_client::connect(port.options(500ms), {}, {});
  BOOST_TEST((std::chrono::steady_clock::now() - began < 5s));
  BOOST_REQUIRE(!client);
  BOOST_TEST_MESSAGE(to_string(client.error()));
  return client.error().code;
}

/// Keeps what the client hears beside answers.
struct side_news {
  std::mutex mutex;
  std::vector<std::string> events;
  std::vector<error> ends;
  control_client::event_sink event_sink() {
    return [this](const control_reply& event) {
      std::lock_guard lock(mutex);
      events.push_back(event.lines[0].text);
    };
  }
  control_client::end_sink end_sink() {
    return [this](const error& why) {
      std::lock_guard lock(mutex);
      ends.push_back(why);
    };
  }
  template <class F>
  bool wait_for(F wanted) {
    for (int i = 0; i < 500; ++i) {
      {
        std::lock_guard lock(mutex);
        if (wanted()) return true;
      }
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }
};

} // namespace

BOOST_AUTO_TEST_CASE(answers_and_events_are_told_apart) {
  scripted_control port(welcoming([](const std::string& line) -> std::string {
    if (line == "GETINFO version")
      return "650 STATUS_CLIENT NOTICE CIRCUIT_ESTABLISHED\r\n250-version=0.4.9.11\r\n250 OK\r\n650 HS_DESC UPLOADED a b c\r\n";
    return "510 Unrecognized command \"" + line + "\"\r\n";
  }));
  side_news news;
  auto client = must(control_client::connect(port.options(), news.event_sink(), news.end_sink()));
  BOOST_TEST(client->version() == "0.4.9.11");
  BOOST_TEST(must(client->get_info("version")) == "0.4.9.11");
  BOOST_TEST(news.wait_for([&] { return news.events.size() == 2; }));
  auto refused = client->signal("NONSENSE");
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == errc::refused));
  BOOST_TEST(refused.error().what == "to SIGNAL Tor said: 510 Unrecognized command \"SIGNAL NONSENSE\"");
  BOOST_TEST((client->ask("GETINFO version\r\nSIGNAL HALT").error().code == errc::invalid_input));
  for (auto& line : port.heard()) BOOST_TEST(line != "SIGNAL HALT");
  client.reset();
  BOOST_TEST(news.ends.empty()); // Ended on purpose.
}

BOOST_AUTO_TEST_CASE(a_silent_port_costs_the_stated_time_and_the_connection) {
  scripted_control port(welcoming([](const std::string&) { return std::string(); }));
  side_news news;
  auto client = must(control_client::connect(port.options(300ms), news.event_sink(), news.end_sink()));
  BOOST_TEST((client->get_info("version").error().code == errc::timeout));
  BOOST_TEST(news.wait_for([&] { return news.ends.size() == 1; }));
  port.say("250-version=late\r\n250 OK\r\n");
  BOOST_TEST((client->get_info("version").error().code == errc::unreachable)); // Never the late answer.
}

BOOST_AUTO_TEST_CASE(a_port_that_hangs_up_is_told_to_who_waits_and_to_the_sink) {
  scripted_control port(welcoming([](const std::string&) { return std::string("hang up"); }));
  side_news news;
  auto client = must(control_client::connect(port.options(30s), news.event_sink(), news.end_sink()));
  BOOST_TEST((client->get_info("version").error().code == errc::unreachable));
  BOOST_TEST(news.wait_for([&] { return news.ends.size() == 1; }));
}

BOOST_AUTO_TEST_CASE(a_port_that_breaks_the_protocol_or_its_bounds_is_left) {
  for (auto [text, code] : {std::pair(std::string("250 no carriage return\n"), errc::protocol_violation),
                            std::pair(std::string("hello\r\n"), errc::protocol_violation),
                            std::pair(std::string(control_line_bytes_max + 10, 'x'), errc::limit_exceeded)}) {
    scripted_control port(welcoming([text = text](const std::string&) { return text; }));
    side_news news;
    auto client = must(control_client::connect(port.options(30s), news.event_sink(), news.end_sink()));
    BOOST_TEST((client->get_info("version").error().code == code));
    BOOST_TEST(news.wait_for([&] { return news.ends.size() == 1; }));
  }
}

BOOST_AUTO_TEST_CASE(an_answer_without_what_was_asked_is_refused) {
  scripted_control port(welcoming([](const std::string&) { return std::string("250 OK\r\n"); }));
  auto client = must(control_client::connect(port.options(), {}, {}));
  BOOST_TEST((client->get_info("version").error().code == errc::protocol_violation));
  BOOST_TEST((client->add_onion({}, {{80, 80}}, {}).error().code == errc::protocol_violation));
}

BOOST_AUTO_TEST_CASE(a_port_that_wants_a_password_says_nothing_or_lies_about_the_cookie_is_not_used) {
  scripted_control silent([](const std::string&) { return std::string(); });
  BOOST_TEST((refusal(silent) == errc::timeout));
  scripted_control password([](const std::string&) {
    return std::string("250-PROTOCOLINFO 1\r\n250-AUTH METHODS=HASHEDPASSWORD\r\n250 OK\r\n");
  });
  BOOST_TEST((refusal(password) == errc::unsupported));

  // One that claims to know the cookie: it is not given our proof.
  auto liar = [](const std::string& line) -> std::string {
    if (line.starts_with("PROTOCOLINFO"))
      return "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=COOKIE,SAFECOOKIE COOKIEFILE=\"/x\"\r\n250 OK\r\n";
    if (line.starts_with("AUTHCHALLENGE"))
      return "250 AUTHCHALLENGE SERVERHASH=" + std::string(64, 'A') + " SERVERNONCE=" + std::string(64, 'B') + "\r\n";
    return "250 OK\r\n";
  };
  scripted_control lying(liar);
  std::ofstream(lying.cookie_file()) << std::string(32, 'c');
  BOOST_TEST((refusal(lying) == errc::wrong_key));
  for (auto& line : lying.heard()) BOOST_TEST(!line.starts_with("AUTHENTICATE"), line);
}

/// That a right cookie is taken is shown by a real tor, in tor_tests.
BOOST_AUTO_TEST_CASE(a_safe_cookie_is_never_sent) {
  std::string cookie_hex;
  for (int i = 0; i < 32; ++i) cookie_hex += "63";
  scripted_control port([](const std::string& line) -> std::string {
    if (line.starts_with("PROTOCOLINFO"))
      return "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=SAFECOOKIE COOKIEFILE=\"/x\"\r\n250 OK\r\n";
    return "513 Invalid base16 client nonce\r\n";
  });
  std::ofstream(port.cookie_file()) << std::string(32, 'c');
  BOOST_TEST((refusal(port) == errc::refused));
  for (auto& line : port.heard()) BOOST_TEST(line.find(cookie_hex) == std::string::npos, line);
}
