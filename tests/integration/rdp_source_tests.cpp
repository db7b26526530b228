// tests/integration/rdp_source_tests.cpp - the RDP frame source against a real RDP server, and against bad ones.
#define BOOST_TEST_MODULE rdp_source_tests
#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <cstring>
#include <optional>
#include <random>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adapters/freerdp/rdp_source.hpp"
#include "messages/picture.hpp"
#include "tests/integration/x11_desktop.hpp"
#include "tests/integration/x11_painter.hpp"

using namespace lucid;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 10s; // How long a test waits for what must come; it goes on as soon as it has.
constexpr unsigned width = 640, height = 480;

bool anybody(const certificate_info&) { return true; }

/// An idle desktop behind each kind of security, the same for all cases but those that end it.
test::desktop& nla_desktop() {
  static test::desktop one("--idle --server shadow --security nla --size 640x480");
  return one;
}
test::desktop& tls_desktop() {
  static test::desktop one("--idle --server shadow --security tls --size 640x480");
  return one;
}

rdp_options options_for(const test::desktop& desktop) {
  rdp_options options;
  options.host = desktop.value("host");
  options.port = desktop.port();
  options.username = desktop.value("user");
  options.password = desktop.value("password");
  options.width = width;
  options.height = height;
  options.trusted = anybody;
  return options;
}

rdp_options options_for_port(std::uint16_t port) {
  rdp_options options;
  options.host = "127.0.0.1";
  options.port = port;
  options.trusted = anybody;
  options.connect_time_max = 3s;
  return options;
}

/// The events of `source` until its first frame, and that frame.
source_poll first_frame(rdp_source& source) {
  source_poll all;
  for (auto deadline = std::chrono::steady_clock::now() + patience; std::chrono::steady_clock::now() < deadline;) {
    auto polled = source.next(1s);
    BOOST_REQUIRE_MESSAGE(polled, (polled ? "" : to_string(polled.error())));
    all.events.insert(all.events.end(), polled->events.begin(), polled->events.end());
    all.frame = polled->frame;
    if (all.frame) return all;
  }
  BOOST_FAIL("no frame came");
  return all;
}

void settle(rdp_source& source) {
  for (int i = 0; i < 100; ++i) {
    auto polled = source.next(500ms);
    BOOST_REQUIRE_MESSAGE(polled, (polled ? "" : to_string(polled.error())));
    if (!polled->frame) return;
  }
  BOOST_FAIL("the idle desktop does not come to rest");
}

/// How far a pixel is from 0xRRGGBB, at most 255: what comes may have been through a lossy codec.
int distance(const frame_view& frame, std::uint32_t x, std::uint32_t y, std::uint32_t colour) {
  const auto* pixel = frame.pixels + std::size_t{y} * frame.stride_bytes + std::size_t{x} * 4;
  int far = 0;
  for (int part = 0; part < 3; ++part) far = std::max(far, std::abs(pixel[part] - static_cast<int>((colour >> (8 * part)) & 255u)));
  return far;
}

/// Pixels that are not black within 24 of a place: a pointer's edge is white, whatever its shape.
int lit_count(const frame_view& frame, std::uint32_t x, std::uint32_t y) {
  int count = 0;
  for (auto row = y - 24; row < y + 24; ++row)
    for (auto column = x - 24; column < x + 24; ++column) count += distance(frame, column, row, 0) > 64;
  return count;
}

bool has_event(const std::vector<source_event>& events, std::string_view kind, std::string_view part = "") {
  return std::any_of(events.begin(), events.end(),
                     [&](const auto& e) { return e.kind == kind && e.detail.find(part) != std::string::npos; });
}

bool inside_bounds(const frame_view& frame) {
  return !frame.damage.empty() && std::all_of(frame.damage.begin(), frame.damage.end(), [&](const auto& r) {
    return r.width > 0 && r.height > 0 && r.x + r.width <= frame.width && r.y + r.height <= frame.height;
  });
}

/// A TCP server that answers the first message of a connection with what it was given, whatever that message was.
class bad_server {
public:
  enum class then { stays_silent, hangs_up };

  bad_server(std::string answer, then what) : answer_(std::move(answer)), then_(what) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 4) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0 || ::pipe(stop_) != 0)
      throw std::runtime_error("bad_server: no socket");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~bad_server() {
    ::close(stop_[1]);
    thread_.join();
    ::close(stop_[0]);
    ::close(listener_);
  }
  std::uint16_t port() const { return port_; }

private:
  void run() {
    std::vector<pollfd> waiting{{stop_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    while (::poll(waiting.data(), waiting.size(), -1) >= 0 && !waiting[0].revents) {
      if (waiting[1].revents)
        if (auto client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC); client >= 0) waiting.push_back({client, POLLIN, 0});
      for (std::size_t i = 2; i < waiting.size(); ++i) {
        if (!waiting[i].revents) continue;
        char ignored[4096];
        bool ended = ::recv(waiting[i].fd, ignored, sizeof ignored, 0) <= 0;
        if (!ended && waiting[i].events == POLLIN) ::send(waiting[i].fd, answer_.data(), answer_.size(), MSG_NOSIGNAL);
        if (!ended && then_ == then::stays_silent) {
          waiting[i].events = POLLIN | POLLPRI; // Has had its answer.
          continue;
        }
        ::close(waiting[i].fd);
        waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(i--));
      }
    }
    for (std::size_t i = 2; i < waiting.size(); ++i) ::close(waiting[i].fd);
  }

  std::string answer_;
  then then_;
  int listener_ = -1, stop_[2] = {-1, -1};
  std::uint16_t port_ = 0;
  std::thread thread_;
};

error open_fails(rdp_options options) {
  rdp_source source(std::move(options));
  auto opened = source.open();
  BOOST_REQUIRE(!opened);
  BOOST_TEST_MESSAGE(to_string(opened.error()));
  BOOST_TEST(!source.next(0ms));
  return opened.error();
}

} // namespace

BOOST_AUTO_TEST_SUITE(rdp_source_tests)

BOOST_AUTO_TEST_CASE(a_source_names_host_port_and_user) {
  auto plain = rdp_options_from("rdp://server");
  BOOST_REQUIRE(plain);
  BOOST_TEST(plain->host == "server");
  BOOST_TEST(plain->port == 3389);
  BOOST_TEST(plain->username == "");
  auto full = rdp_options_from("rdp://OFFICE%5Canna%40x@10.0.0.1:4000/");
  BOOST_REQUIRE(full);
  BOOST_TEST(full->host == "10.0.0.1");
  BOOST_TEST(full->port == 4000);
  BOOST_TEST(full->domain == "OFFICE");
  BOOST_TEST(full->username == "anna@x");
  auto address6 = rdp_options_from("rdp://[::1]:3390");
  BOOST_REQUIRE(address6);
  BOOST_TEST(address6->host == "::1");
  BOOST_TEST(address6->port == 3390);
  for (auto wrong : {"", "rdp:", "rdp://", "rdp:///", "rdp://:1", "rdp://a b", "rdp://h:", "rdp://h:0", "rdp://h:65536",
                     "rdp://h:1x", "rdp://h:-1", "rdp://@h", "rdp://%@h", "rdp://%0@h", "rdp://%00@h", "rdp://D\\@h",
                     "rdp://[::1", "rdp://[x]", "rdp://[::1]1", "rdp://h/x", "x11://h"}) {
    auto refused = rdp_options_from(wrong);
    BOOST_REQUIRE_MESSAGE(!refused, wrong);
    BOOST_TEST((refused.error().code == errc::invalid_input));
  }
}

BOOST_AUTO_TEST_CASE(a_password_in_the_source_is_refused_and_not_repeated) {
  auto refused = rdp_options_from("rdp://anna:s3cret@server");
  BOOST_REQUIRE(!refused);
  BOOST_TEST(to_string(refused.error()).find("s3cret") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(nla_connects_shows_the_certificate_and_delivers_the_picture) {
  auto& desktop = nla_desktop();
  test::painter painter(desktop.display());
  painter.fill(0, 0, width, height, 0x204080);
  auto options = options_for(desktop);
  std::vector<certificate_info> shown;
  options.trusted = [&](const certificate_info& info) {
    shown.push_back(info);
    return true;
  };
  rdp_source source(options);
  auto opened = source.open();
  BOOST_REQUIRE_MESSAGE(opened, (opened ? "" : to_string(opened.error())));

  BOOST_REQUIRE(shown.size() == 1u);
  auto expected = test::run_command("openssl x509 -noout -fingerprint -sha256 -in " +
                                    (desktop.folder() / "config/freerdp/shadow/shadow.crt").string() +
                                    " | sed 's/.*=//; s/://g' | tr 'A-F' 'a-f' | tr -d '\\n'");
  BOOST_TEST(shown[0].sha256_fingerprint == expected.output);
  BOOST_TEST(shown[0].host == "127.0.0.1");
  BOOST_TEST(shown[0].port == desktop.port());
  BOOST_TEST(shown[0].subject.find("CN") != std::string::npos);
  BOOST_TEST(shown[0].issuer.find("CN") != std::string::npos);

  auto first = first_frame(source);
  BOOST_TEST(has_event(first.events, "certificate", shown[0].sha256_fingerprint));
  BOOST_TEST(has_event(first.events, "connected", "\"security\":\"nla\""));
  BOOST_TEST(first.frame->width == width);
  BOOST_TEST(first.frame->height == height);
  BOOST_TEST(inside_bounds(*first.frame));
  BOOST_REQUIRE(first.frame->damage.size() == 1u);
  BOOST_TEST(area_pixels(first.frame->damage[0]) == std::int64_t{width} * height);
  settle(source);
  painter.fill(0, 0, width, height, 0x804020);
  auto next = first_frame(source);
  BOOST_TEST(distance(*next.frame, 600, 30, 0x804020) < 16);
  BOOST_TEST(distance(*next.frame, 30, 450, 0x804020) < 16);
}

BOOST_AUTO_TEST_CASE(tls_connects_without_a_user) {
  auto options = options_for(tls_desktop());
  options.username.clear();
  options.password.clear();
  rdp_source source(options);
  auto opened = source.open();
  BOOST_REQUIRE_MESSAGE(opened, (opened ? "" : to_string(opened.error())));
  auto first = first_frame(source);
  BOOST_TEST(has_event(first.events, "connected", "\"security\":\"tls\""));
}

BOOST_AUTO_TEST_CASE(a_wrong_password_is_login_failed) {
  auto options = options_for(nla_desktop());
  options.password = "wrong-" + options.password;
  auto failed = open_fails(options);
  BOOST_TEST((failed.code == errc::login_failed));
  BOOST_TEST(failed.what.find(options.password) == std::string::npos);
}

BOOST_AUTO_TEST_CASE(no_user_where_one_is_wanted_is_login_failed) {
  auto options = options_for(nla_desktop());
  options.username.clear();
  options.password.clear();
  BOOST_TEST((open_fails(options).code == errc::login_failed));
}

BOOST_AUTO_TEST_CASE(a_certificate_that_is_not_trusted_ends_it_by_name) {
  for (auto* desktop : {&nla_desktop(), &tls_desktop()}) {
    auto options = options_for(*desktop);
    std::string fingerprint;
    options.trusted = [&](const certificate_info& info) {
      fingerprint = info.sha256_fingerprint;
      return false;
    };
    auto failed = open_fails(options);
    BOOST_TEST((failed.code == errc::certificate_changed));
    BOOST_REQUIRE(fingerprint.size() == 64u);
    BOOST_TEST(failed.what.find(fingerprint) != std::string::npos);
    options.trusted = nullptr; // Nobody to ask is nobody trusted.
    BOOST_TEST((open_fails(options).code == errc::certificate_changed));
    options.trusted = [](const certificate_info&) -> bool { throw std::runtime_error("no"); };
    BOOST_TEST(!rdp_source(options).open());
  }
}

BOOST_AUTO_TEST_CASE(nobody_listening_is_unreachable) {
  std::uint16_t port = 0;
  { port = bad_server("", bad_server::then::hangs_up).port(); } // Free again.
  BOOST_TEST((open_fails(options_for_port(port)).code == errc::unreachable));
  auto nowhere = options_for_port(3389);
  nowhere.host = "host.invalid"; // Reserved by RFC 6761: never has an address.
  BOOST_TEST((open_fails(nowhere).code == errc::unreachable));
}

BOOST_AUTO_TEST_CASE(a_server_that_speaks_nonsense_ends_in_a_named_error) {
  auto seed = std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  std::vector<std::string> answers{"", "HTTP/1.1 400 Bad Request\r\n\r\n", std::string("\x03\x00\x00\x07\x02\xf0\x80", 7),
                                   // Confirms a connection by TLS, then says things that are not TLS.
                                   std::string("\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x02\x1f\x08\x00\x01\x00\x00\x00", 19),
                                   std::string("\x03\x00\xff\xff", 4)};
  for (int i = 0; i < 12; ++i) {
    // Behind a header that is right every second time, so that it is read on.
    std::string noise = i % 2 ? "" : std::string("\x03\x00\x01\x00", 4);
    while (noise.size() < 256) noise += static_cast<char>(random());
    answers.push_back(noise);
  }
  for (const auto& answer : answers) {
    bad_server server(answer, bad_server::then::hangs_up);
    auto code = open_fails(options_for_port(server.port())).code;
    BOOST_TEST((code == errc::protocol_violation || code == errc::unreachable || code == errc::refused ||
                code == errc::timeout));
  }
}

BOOST_AUTO_TEST_CASE(a_server_that_falls_silent_is_a_timeout) {
  for (const auto& answer :
       {std::string(), std::string("\x03\x00\x00\x13", 4),
        std::string("\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x02\x1f\x08\x00\x01\x00\x00\x00", 19)}) {
    bad_server server(answer, bad_server::then::stays_silent);
    auto options = options_for_port(server.port());
    options.connect_time_max = 500ms;
    BOOST_TEST((open_fails(options).code == errc::timeout));
  }
}

BOOST_AUTO_TEST_CASE(an_idle_desktop_yields_no_frames) {
  rdp_source source(options_for(tls_desktop()));
  BOOST_REQUIRE(source.open());
  first_frame(source);
  settle(source);
  auto polled = source.next(2s);
  BOOST_REQUIRE(polled);
  BOOST_TEST(!polled->frame);
  BOOST_TEST(polled->events.empty());
}

BOOST_AUTO_TEST_CASE(what_moves_yields_frames_with_damage_inside) {
  auto& desktop = tls_desktop();
  test::painter painter(desktop.display());
  painter.fill(0, 0, width, height, 0);
  rdp_source source(options_for(desktop));
  BOOST_REQUIRE(source.open());
  first_frame(source);
  settle(source);
  constexpr std::array<std::uint32_t, 4> colours{0xff0000, 0x00ff00, 0x0000ff, 0xffffff};
  for (int i = 0; i < 8; ++i) {
    auto x = 32 + 64 * i;
    auto colour = colours[static_cast<std::size_t>(i) % colours.size()];
    painter.fill(x, 200, 48, 48, colour);
    bool arrived = false, covered = false;
    for (int tries = 0; tries < 50 && !arrived; ++tries) {
      auto polled = source.next(patience);
      BOOST_REQUIRE_MESSAGE(polled, (polled ? "" : to_string(polled.error())));
      BOOST_REQUIRE(polled->frame);
      BOOST_REQUIRE(inside_bounds(*polled->frame));
      BOOST_REQUIRE(polled->frame->damage.size() <= damage_count_max);
      auto at_x = static_cast<std::uint32_t>(x + 24), at_y = 224u;
      covered = covered || std::any_of(polled->frame->damage.begin(), polled->frame->damage.end(), [&](const auto& r) {
        return at_x >= r.x && at_x < r.x + r.width && at_y >= r.y && at_y < r.y + r.height;
      });
      arrived = distance(*polled->frame, at_x, at_y, colour) < 48;
    }
    BOOST_TEST(arrived);
    BOOST_TEST(covered);
  }
}

BOOST_AUTO_TEST_CASE(the_mouse_is_drawn_where_the_server_says_it_is) {
  auto& desktop = tls_desktop();
  test::painter painter(desktop.display());
  painter.fill(0, 0, width, height, 0x000000);
  rdp_source source(options_for(desktop));
  BOOST_REQUIRE(source.open());
  first_frame(source);
  settle(source);
  for (auto [x, y] : {std::pair{400u, 300u}, {100u, 400u}}) {
    painter.move_mouse(static_cast<int>(x), static_cast<int>(y));
    bool arrived = false;
    std::uint32_t colour = 0;
    for (auto end = std::chrono::steady_clock::now() + 2 * patience; !arrived && std::chrono::steady_clock::now() < end;) {
      // This server looks where the mouse is only when it also has something to draw.
      painter.fill(620, 10, 8, 8, colour += 0x040404);
      auto polled = source.next(200ms);
      BOOST_REQUIRE(polled);
      if (!polled->frame) continue;
      arrived = lit_count(*polled->frame, x, y) > 10;
      if (arrived && x == 100u) BOOST_TEST(lit_count(*polled->frame, 400, 300) == 0); // Where it was before.
    }
    BOOST_TEST(arrived);
  }
}

BOOST_AUTO_TEST_CASE(a_desktop_that_changes_its_size_in_mid_session_is_shown_whole_in_its_new_size) {
  test::desktop own("--idle --server shadow --security tls --size 800x600");
  test::painter painter(own.display());
  auto options = options_for(own);
  options.width = 800;
  options.height = 600;
  rdp_source source(options);
  BOOST_REQUIRE(source.open());
  BOOST_TEST(first_frame(source).frame->width == 800u);
  settle(source);
  struct size {
    std::uint16_t width, height;
  };
  for (auto [w, h] : {size{640, 480}, {800, 600}}) {
    BOOST_REQUIRE(painter.set_size(w, h));
    painter.fill(0, 0, w, h, 0x335577);
    bool resized = false, shown = false;
    for (int i = 0; i < 50 && !shown; ++i) {
      auto polled = source.next(patience);
      BOOST_REQUIRE_MESSAGE(polled, (polled ? "" : to_string(polled.error())));
      resized = resized || has_event(polled->events, "resized", "\"width\":" + std::to_string(w));
      if (!resized || !polled->frame) continue;
      BOOST_REQUIRE(polled->frame->width == w);
      BOOST_REQUIRE(polled->frame->height == h);
      BOOST_REQUIRE(inside_bounds(*polled->frame));
      shown = distance(*polled->frame, w - 20u, h - 20u, 0x335577) < 48;
    }
    BOOST_TEST(resized);
    BOOST_TEST(shown);
  }
}

BOOST_AUTO_TEST_CASE(a_server_that_is_killed_is_unreachable_and_one_that_is_back_can_be_opened_again) {
  test::desktop own("--idle --server shadow --security tls --size 640x480");
  rdp_source source(options_for(own));
  BOOST_REQUIRE(source.open());
  first_frame(source);
  own.kill_process("shadow");
  std::optional<error> ended;
  for (int i = 0; i < 50 && !ended; ++i)
    if (auto polled = source.next(patience); !polled) ended = polled.error();
  BOOST_REQUIRE(ended);
  BOOST_TEST_MESSAGE(to_string(*ended));
  BOOST_TEST((ended->code == errc::unreachable));
  BOOST_TEST((source.next(0ms).error().code == errc::wrong_state));
  auto again = source.open();
  BOOST_REQUIRE(!again);
  BOOST_TEST((again.error().code == errc::unreachable));
}

BOOST_AUTO_TEST_CASE(a_source_can_be_closed_and_opened_again) {
  rdp_source source(options_for(nla_desktop()));
  for (int i = 0; i < 3; ++i) {
    auto opened = source.open();
    BOOST_REQUIRE_MESSAGE(opened, (opened ? "" : to_string(opened.error())));
    auto first = first_frame(source);
    BOOST_TEST(area_pixels(first.frame->damage[0]) == std::int64_t{width} * height);
    source.close();
    source.close();
  }
}

BOOST_AUTO_TEST_CASE(no_file_is_written) {
  auto folder = nla_desktop().folder() / "client-home";
  std::filesystem::create_directory(folder);
  auto old_home = std::getenv("HOME") ? std::optional<std::string>(std::getenv("HOME")) : std::nullopt;
  ::setenv("HOME", folder.c_str(), 1);
  ::setenv("XDG_CONFIG_HOME", (folder / "config").c_str(), 1);
  {
    rdp_source source(options_for(nla_desktop()));
    BOOST_REQUIRE(source.open());
    first_frame(source);
  }
  ::unsetenv("XDG_CONFIG_HOME");
  if (old_home) ::setenv("HOME", old_home->c_str(), 1);
  BOOST_TEST(std::filesystem::is_empty(folder));
}

BOOST_AUTO_TEST_SUITE_END()
