// tests/integration/socks_relay_tests.cpp - links through a SOCKS proxy that is there, is not there, or says no.
#define BOOST_TEST_MODULE socks_relay_tests
#include <boost/test/unit_test.hpp>

#include <condition_variable>
#include <mutex>

#include "adapters/zmq/curve_keys.hpp"
#include "adapters/zmq/curve_socket.hpp"
#include "tests/doubles/socks_proxy.hpp"

using namespace lucid;
using namespace std::chrono_literals;

namespace {

const std::string onion = std::string(55, 'a') + "d.onion";

/// Remembers what it is told, and waits for it.
class listener : public link_events {
public:
  void up(link_id, const transport_key&, bool) override { note([&] { ++ups; }); }
  void down(link_id, const error& why) override {
    note([&] { downs.push_back(why); });
  }
  void frame(link_id, byte_view bytes) override { note([&] { received += bytes.size(); }); }
  void refused(const link_refusal&) override {}

  template <class Condition>
  bool wait(Condition is_so, std::chrono::seconds time = 10s) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, time, is_so);
  }

  int ups = 0;
  std::vector<error> downs;
  std::size_t received = 0;

private:
  template <class Change>
  void note(Change change) {
    std::lock_guard lock(mutex_);
    change();
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
};

struct end_point {
  listener heard;
  curve_key_pair keys = make_curve_keys().value();
  std::unique_ptr<curve_socket> links;

  end_point() {
    curve_settings settings;
    settings.secret = keys.secret;
    settings.queue_bytes_max = 4u << 20;
    links = curve_socket::open(std::move(settings), heard).value();
  }
};

std::uint16_t port_of(const std::string& address) {
  return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

/// A proxy that takes a connection, reads, says `reply` byte by byte as asked, and closes.
class unwilling_proxy {
public:
  explicit unwilling_proxy(std::vector<byte_buffer> answers) : answers_(std::move(answers)), fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof at;
    ::bind(fd_, reinterpret_cast<sockaddr*>(&at), length);
    ::listen(fd_, 4);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &length);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~unwilling_proxy() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

private:
  void serve() {
    for (int one; (one = ::accept(fd_, nullptr, nullptr)) >= 0; ::close(one))
      for (auto& answer : answers_) {
        std::array<char, 512> asked{};
        if (::recv(one, asked.data(), asked.size(), 0) <= 0) break;
        for (auto byte : answer) ::send(one, &byte, 1, MSG_NOSIGNAL);
      }
  }
  std::vector<byte_buffer> answers_;
  int fd_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

error first_failure(end_point& from, const std::string& socks) {
  auto count = from.heard.downs.size();
  auto peer = make_curve_keys().value().public_key;
  from.links->allow({peer});
  auto link = from.links->dial({.peer_key = peer, .address = "tor://" + onion + ":7800", .socks = socks, .timeout = 5s});
  BOOST_REQUIRE(link.has_value());
  BOOST_REQUIRE(from.heard.wait([&] { return from.heard.downs.size() > count; }));
  return from.heard.downs.back();
}

} // namespace

BOOST_AUTO_TEST_CASE(frames_pass_through_a_proxy_in_both_directions) {
  end_point a, b;
  a.links->allow({b.keys.public_key});
  b.links->allow({a.keys.public_key});
  testing::socks_proxy proxy(port_of(b.links->listen("tcp://127.0.0.1:*").value()));
  auto link = a.links->dial({.peer_key = b.keys.public_key, .address = "tor://" + onion + ":7800", .socks = proxy.address()}).value();
  BOOST_REQUIRE(a.heard.wait([&] { return a.heard.ups == 1; }));
  BOOST_TEST(proxy.asked_for() == onion);
  for (int i = 0; i < 40; ++i) BOOST_REQUIRE(a.links->send(link, byte_buffer(60'000, 1)).has_value());
  BOOST_TEST(b.heard.wait([&] { return b.heard.received == 40 * 60'000; }));
}

// libzmq's own way through a proxy ends the process here.
BOOST_AUTO_TEST_CASE(a_proxy_that_is_not_there_is_told_again_and_again) {
  end_point a;
  for (int i = 0; i < 5; ++i) {
    auto why = first_failure(a, "127.0.0.1:1");
    BOOST_TEST((why.code == errc::unreachable));
    BOOST_TEST(why.what == "the SOCKS proxy at 127.0.0.1:1: Connection refused");
  }
}

BOOST_AUTO_TEST_CASE(a_proxy_that_says_no_is_quoted) {
  end_point a;
  unwilling_proxy no({{5, 0}, {5, 4, 0, 1, 0, 0, 0, 0, 0, 0}});
  for (int i = 0; i < 5; ++i) BOOST_TEST(first_failure(a, no.address()).what == "the SOCKS proxy: the host is unreachable");
  unwilling_proxy strange({{5, 0}, {5, 0xf0, 0, 1, 0, 0, 0, 0, 0, 0}});
  BOOST_TEST(first_failure(a, strange.address()).what == "the SOCKS proxy: code 240");
}

BOOST_AUTO_TEST_CASE(a_proxy_that_is_none_is_refused) {
  end_point a;
  for (auto& greeting : std::vector<byte_buffer>{{5, 0xff}, {4, 0}, {'H', 'T', 'T', 'P'}}) {
    unwilling_proxy none(std::vector<byte_buffer>{greeting});
    BOOST_TEST(first_failure(a, none.address()).what == "the SOCKS proxy asks for a password, or is none");
  }
  unwilling_proxy half({{5, 0}, {5, 0, 0, 9, 0, 0, 0, 0, 0, 0}});
  BOOST_TEST(first_failure(a, half.address()).what == "the SOCKS proxy gives an answer that is none");
  unwilling_proxy closes(std::vector<byte_buffer>{byte_buffer{5}});
  BOOST_TEST(first_failure(a, closes.address()).what == "the SOCKS proxy closed the connection");
}

BOOST_AUTO_TEST_CASE(a_link_that_is_closed_while_the_proxy_thinks_leaves_nothing) {
  end_point a;
  auto peer = make_curve_keys().value().public_key;
  a.links->allow({peer});
  unwilling_proxy slow({{5, 0}, {}, {}}); // Waits for a third thing to be said.
  auto link = a.links->dial({.peer_key = peer, .address = "tor://" + onion + ":7800", .socks = slow.address()}).value();
  std::this_thread::sleep_for(300ms);
  a.links->close(link);
  BOOST_TEST(a.heard.wait([&] { return a.heard.downs.size() == 1; }));
}
