// tests/integration/http_tests.cpp - the HTTP server and client on real sockets, and what they refuse.
#define BOOST_TEST_MODULE http_tests
#include <boost/test/unit_test.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>

#include <curl/curl.h>

#include "adapters/http/http_client.hpp"
#include "adapters/http/http_server.hpp"
#include "adapters/http/stream_client.hpp"

using namespace lucid;
using namespace std::chrono_literals;

namespace {

struct folder {
  folder() {
    char name[] = "/tmp/lucid-http-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~folder() { std::filesystem::remove_all(path); }
  std::filesystem::path socket() const { return path / "s"; }
  std::filesystem::path path;
};

/// A server that answers with what it was asked.
struct echo_server {
  explicit echo_server(const std::filesystem::path& socket, http_limits limits = {}) {
    auto listening = http_server::listen(socket, limits, [this](http_request r) {
      server->reply(r.id, {r.method == "GET" ? 200u : 201u, "text/plain", r.method + " " + r.target + " " + r.body});
    });
    BOOST_REQUIRE(listening.has_value());
    server = std::move(*listening);
  }
  std::unique_ptr<http_server> server;
};

/// A socket that says what it is told to, byte for byte.
class raw_client {
public:
  explicit raw_client(const std::filesystem::path& socket) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket.c_str(), sizeof address.sun_path - 1);
    BOOST_REQUIRE(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  explicit raw_client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    BOOST_REQUIRE(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  ~raw_client() { ::close(fd_); }
  raw_client(const raw_client&) = delete;
  raw_client& operator=(const raw_client&) = delete;

  void say(std::string_view bytes) const {
    for (std::size_t sent = 0; sent < bytes.size();) {
      auto n = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return;
      sent += static_cast<std::size_t>(n);
    }
  }

  /// At least `size` bytes; fewer when the server closes or 10 s have passed. What is behind them stays.
  std::string hear(std::size_t size) {
    while (heard_.size() < size && hear_more()) {}
    auto text = heard_.substr(0, size);
    heard_.erase(0, text.size());
    return text;
  }
  /// Up to and with the blank line behind a response's headers.
  std::string hear_headers() {
    while (heard_.find("\r\n\r\n") == std::string::npos && hear_more()) {}
    return hear(heard_.find("\r\n\r\n") + 4);
  }
  std::string hear_all() {
    while (hear_more()) {}
    return heard_;
  }
  void leave() const { ::shutdown(fd_, SHUT_RDWR); }
  void hear_little() const {
    int bytes = 4096;
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  }

private:
  bool hear_more() {
    pollfd ready{fd_, POLLIN, 0};
    if (::poll(&ready, 1, 10'000) <= 0) return false;
    char piece[4096];
    auto n = ::read(fd_, piece, sizeof piece);
    if (n > 0) heard_.append(piece, static_cast<std::size_t>(n));
    return n > 0;
  }

  int fd_;
  std::string heard_;
};

/// Sends raw bytes and reads until the server closes.
template <class Where>
std::string raw(const Where& where, const std::string& bytes) {
  raw_client client(where);
  client.say(bytes);
  return client.hear_all();
}

/// A frame of RFC 6455 as a client sends it: masked, by zeros.
std::string frame(std::uint8_t opcode, const std::string& text, bool masked = true) {
  std::string bytes{static_cast<char>(0x80 | opcode)};
  auto mask_bit = masked ? 0x80 : 0;
  if (text.size() < 126) {
    bytes.push_back(static_cast<char>(mask_bit | static_cast<int>(text.size())));
  } else {
    bool wide = text.size() > 0xffff;
    bytes.push_back(static_cast<char>(mask_bit | (wide ? 127 : 126)));
    for (int shift = wide ? 56 : 8; shift >= 0; shift -= 8)
      bytes.push_back(static_cast<char>(static_cast<std::uint64_t>(text.size()) >> shift));
  }
  if (masked) bytes.append(4, '\0');
  return bytes + text;
}
constexpr std::uint8_t text_frame = 1, binary_frame = 2, close_frame = 8;

/// The payload of the next frame from the server, behind its opcode: "1hello".
std::string next_frame(raw_client& client) {
  auto head = client.hear(2);
  if (head.size() < 2) return "closed";
  std::size_t size = static_cast<std::uint8_t>(head[1]);
  if (size >= 126) {
    auto wide = client.hear(size == 126 ? 2 : 8);
    size = 0;
    for (auto c : wide) size = size << 8 | static_cast<std::uint8_t>(c);
  }
  auto received = std::to_string(head[0] & 15);
  return received.append(client.hear(size));
}

/// The code in a close frame; 0 for another frame.
int close_code(const std::string& received) {
  if (received.size() < 3 || received[0] != '8') return 0;
  return static_cast<std::uint8_t>(received[1]) << 8 | static_cast<std::uint8_t>(received[2]);
}

const std::string upgrade_request = "GET /v1/stream HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
                                    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Serves TCP and the Unix socket: echoes requests, lets everybody have a stream, echoes on it.
struct stream_server {
  explicit stream_server(const folder& f, http_limits limits = {}) {
    http_doors doors;
    doors.socket = f.socket();
    doors.tcp.emplace();
    http_handlers handlers;
    handlers.on_request = [this](http_request r) {
      if (r.wants_stream) {
        last_stream = r.id;
        return server->reply(r.id, {101, "", ""});
      }
      auto from = r.peer == http_peer::network ? "network " : "same user ";
      server->reply(r.id, {200, "text/plain", from + std::string(r.header("x-test")), {{"x-frame-options", "DENY"}}});
    };
    handlers.on_message = [this](std::uint64_t id, std::string text) { server->send(id, std::move(text)); };
    handlers.on_skipped = [this](std::uint64_t) { ++skipped; };
    handlers.on_closed = [this](std::uint64_t) { ++closed; };
    handlers.on_refused = [this](http_peer, const std::string& what) {
      std::lock_guard guard(mutex);
      refusals += what + "\n";
    };
    auto listening = http_server::listen(doors, limits, std::move(handlers));
    BOOST_REQUIRE(listening.has_value());
    server = std::move(*listening);
  }

  std::string told() {
    std::lock_guard guard(mutex);
    return refusals;
  }

  std::atomic<std::uint64_t> last_stream = 0;
  std::atomic<int> skipped = 0, closed = 0;
  std::mutex mutex;
  std::string refusals;
  std::unique_ptr<http_server> server; // Destroyed first: its thread uses what is above.
};

/// Whether `what` becomes true within five seconds.
template <class What>
bool soon(What what) {
  for (int i = 0; i < 500; ++i, std::this_thread::sleep_for(10ms))
    if (what()) return true;
  return false;
}

raw_client& shake_hands(raw_client& client) {
  client.say(upgrade_request);
  auto answer = client.hear_headers();
  BOOST_TEST(answer.substr(0, 12) == "HTTP/1.1 101");
  BOOST_TEST(answer.find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") != std::string::npos); // RFC 6455, section 1.3.
  return client;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_request_reaches_the_handler_and_its_answer_comes_back) {
  folder f;
  echo_server echo(f.socket());
  auto answer = http_call(f.socket(), "POST", "/v1/a?b=c", "body", 5s);
  BOOST_REQUIRE(answer.has_value());
  BOOST_TEST(answer->status == 201u);
  BOOST_TEST(answer->body == "POST /v1/a?b=c body");
}

BOOST_AUTO_TEST_CASE(an_answer_given_before_the_end_arrives) {
  folder f;
  for (int i = 0; i < 200; ++i) {
    std::atomic<std::uint64_t> asked = 0;
    auto server = http_server::listen(f.socket(), {}, [&](http_request r) { asked = r.id; });
    BOOST_REQUIRE(server.has_value());
    outcome<http_response> answer = fail(errc::internal, "test", "not asked");
    std::thread client([&] { answer = http_call(f.socket(), "POST", "/v1/node/stop", "", 5s); });
    while (asked == 0) std::this_thread::yield();
    (*server)->reply(asked, {202, "text/plain", "it stops"});
    server->reset();
    client.join();
    BOOST_REQUIRE_MESSAGE(answer.has_value(), "in round " << i << ": " << (answer ? "" : answer.error().what));
    BOOST_REQUIRE(answer->status == 202);
  }
}

BOOST_AUTO_TEST_CASE(the_socket_is_for_its_owner_alone_and_goes_with_the_server) {
  folder f;
  {
    echo_server echo(f.socket());
    struct stat info {};
    BOOST_REQUIRE(::stat(f.socket().c_str(), &info) == 0);
    BOOST_TEST((info.st_mode & 0777) == 0600);
  }
  BOOST_TEST(!std::filesystem::exists(f.socket()));
}

BOOST_AUTO_TEST_CASE(nobody_there_is_unreachable) {
  folder f;
  BOOST_TEST((http_call(f.socket(), "GET", "/", "", 1s).error().code == errc::unreachable));
}

BOOST_AUTO_TEST_CASE(a_second_server_is_refused_and_a_dead_ones_socket_is_taken_over) {
  folder f;
  {
    echo_server echo(f.socket());
    auto second = http_server::listen(f.socket(), {}, [](http_request) {});
    BOOST_TEST((second.error().code == errc::already_exists));
  }
  int fd = ::socket(AF_UNIX, SOCK_STREAM, 0); // What a killed process leaves: a file that nobody serves.
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, f.socket().c_str(), sizeof address.sun_path - 1);
  BOOST_REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  ::close(fd);
  echo_server echo(f.socket());
  BOOST_TEST(http_call(f.socket(), "GET", "/", "", 5s).has_value());
}

BOOST_AUTO_TEST_CASE(what_is_too_large_or_no_http_is_refused) {
  folder f;
  http_limits limits;
  limits.request_bytes_max = 1000;
  limits.header_bytes_max = 2000;
  echo_server echo(f.socket(), limits);
  auto large = http_call(f.socket(), "POST", "/", std::string(1001, 'x'), 5s);
  BOOST_REQUIRE(large.has_value());
  BOOST_TEST(large->status == 413u);
  BOOST_TEST(raw(f.socket(), "GET / HTTP/1.1\r\nA: " + std::string(3000, 'a') + "\r\n\r\n").substr(0, 12) ==
             "HTTP/1.1 413");
  BOOST_TEST(raw(f.socket(), "complete nonsense\r\n\r\n").substr(0, 12) == "HTTP/1.1 400");
  BOOST_TEST(raw(f.socket(), std::string("\0\1\2\3\r\n\r\n", 8)).substr(0, 12) == "HTTP/1.1 400");
  BOOST_TEST(http_call(f.socket(), "GET", "/still", "", 5s)->body == "GET /still ");
}

BOOST_AUTO_TEST_CASE(a_client_that_says_nothing_is_closed) {
  folder f;
  http_limits limits;
  limits.idle_max = 1s;
  echo_server echo(f.socket(), limits);
  BOOST_TEST(raw(f.socket(), "").empty());
  BOOST_TEST(raw(f.socket(), "GET / HT").empty());
}

BOOST_AUTO_TEST_CASE(a_client_that_drips_its_request_is_closed_in_time) {
  folder f;
  http_limits limits;
  limits.request_max = 1s;
  stream_server s(f, limits);
  raw_client slow(s.server->port());
  slow.say("GET / HTTP/1.1\r\n");
  auto began = std::chrono::steady_clock::now();
  std::thread dripping([&] {
    for (int i = 0; i < 30; ++i, std::this_thread::sleep_for(100ms)) slow.say("A: b\r\n");
  });
  BOOST_TEST(slow.hear_all().empty());
  auto took = std::chrono::steady_clock::now() - began;
  dripping.join();
  BOOST_TEST((took < 2500ms));
  BOOST_TEST(s.told() == "a request did not come to its end in time\n");
}

BOOST_AUTO_TEST_CASE(a_request_that_nobody_answers_gets_504) {
  folder f;
  http_limits limits;
  limits.answer_max = 1s;
  auto server = http_server::listen(f.socket(), limits, [](http_request) {});
  BOOST_REQUIRE(server.has_value());
  BOOST_TEST(http_call(f.socket(), "GET", "/", "", 5s)->status == 504u);
}

BOOST_AUTO_TEST_CASE(a_path_that_is_too_long_is_named) {
  auto long_path = std::filesystem::path("/tmp") / std::string(120, 'x');
  auto refused = http_server::listen(long_path, {}, [](http_request) {});
  BOOST_TEST((refused.error().code == errc::limit_exceeded));
}

BOOST_AUTO_TEST_CASE(one_handler_serves_both_doors_and_knows_them_apart) {
  folder f;
  stream_server s(f);
  auto ask = std::string("GET / HTTP/1.1\r\nHost: a\r\nX-Test: yes\r\nConnection: close\r\n\r\n");
  auto over_tcp = raw(s.server->port(), ask);
  BOOST_TEST(over_tcp.find("network yes") != std::string::npos);
  BOOST_TEST(over_tcp.find("x-frame-options: DENY") != std::string::npos);
  BOOST_TEST(raw(f.socket(), ask).find("same user yes") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(methods_and_headers_that_could_be_read_in_two_ways_are_refused) {
  folder f;
  stream_server s(f);
  auto status_of = [&](const std::string& request) { return raw(s.server->port(), request).substr(9, 3); };
  auto end = std::string(" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n");
  for (auto method : {"HEAD", "PUT", "TRACE", "OPTIONS", "PATCH", "get", "CONNECT"})
    BOOST_TEST(status_of(std::string(method) + " /" + end + "\r\n") == "405", method);
  BOOST_TEST(status_of("GET /" + end + "Host: b\r\n\r\n") == "400");
  BOOST_TEST(status_of("GET /" + end + "Cookie: a=1\r\nCookie: a=2\r\n\r\n") == "400");
  BOOST_TEST(status_of("GET /" + end + "Origin: http://a\r\nOrigin: http://b\r\n\r\n") == "400");
  BOOST_TEST(status_of("POST /" + end + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == "400");
  BOOST_TEST(status_of("POST /" + end + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab") == "400");
  BOOST_TEST(status_of("POST /" + end + "Content-Length: -1\r\n\r\n") == "400");
  BOOST_TEST(status_of("GET /" + end + "\r\n") == "200");
}

BOOST_AUTO_TEST_CASE(what_is_oversized_is_told_and_read_to_its_end) {
  folder f;
  stream_server s(f);
  auto head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n";
  BOOST_TEST(raw(s.server->port(), head + std::string(2'000'000, 'x')).substr(9, 3) == "413");
  BOOST_TEST(s.told() == "the request is larger than this server allows\n");
}

BOOST_AUTO_TEST_CASE(beyond_their_bound_connections_are_closed_and_the_other_door_stays_open) {
  folder f;
  http_limits limits;
  limits.connections_max = 2;
  stream_server s(f, limits);
  raw_client first(s.server->port()), second(s.server->port());
  BOOST_TEST(raw(s.server->port(), "").empty());
  BOOST_TEST(http_call(f.socket(), "GET", "/", "", 5s)->status == 200u);
}

BOOST_AUTO_TEST_CASE(a_stream_echoes_over_both_doors) {
  folder f;
  stream_server s(f);
  raw_client over_tcp(s.server->port()), over_socket(f.socket());
  for (auto* client : {&over_tcp, &over_socket}) {
    shake_hands(*client).say(frame(text_frame, "hello"));
    BOOST_TEST(next_frame(*client) == "1hello");
    auto large = std::string(60'000, 'x');
    client->say(frame(text_frame, large));
    BOOST_TEST((next_frame(*client).substr(1) == large));
    client->say(frame(close_frame, ""));
    BOOST_TEST(next_frame(*client).substr(0, 1) == "8");
    client->leave();
  }
  BOOST_TEST(soon([&] { return s.closed == 2; }));
}

BOOST_AUTO_TEST_CASE(a_stream_that_the_server_closes_says_so) {
  folder f;
  stream_server s(f);
  raw_client client(f.socket());
  shake_hands(client);
  s.server->close(s.last_stream);
  BOOST_TEST(close_code(next_frame(client)) == 1000);
  client.say(frame(close_frame, "\x03\xe8"));
  client.leave();
  BOOST_TEST(soon([&] { return s.closed == 1; }));
}

BOOST_AUTO_TEST_CASE(messages_that_break_a_rule_end_their_stream) {
  folder f;
  http_limits limits;
  limits.stream_messages_per_s_max = 10;
  stream_server s(f, limits);
  auto code_after = [&](const std::string& bytes) {
    raw_client client(s.server->port());
    shake_hands(client).say(bytes);
    for (;;)
      if (auto received = next_frame(client); received[0] != '1') return close_code(received);
  };
  BOOST_TEST(code_after(frame(text_frame, std::string(70'000, 'x'))) == 1009);
  BOOST_TEST(code_after(frame(text_frame, "not masked", false)) == 1002);
  BOOST_TEST(code_after(frame(3, "no such opcode")) == 1002);
  BOOST_TEST(code_after(frame(text_frame, "\xff\xfe")) == 1007);
  BOOST_TEST(code_after(frame(binary_frame, "bytes")) == 1003);
  std::string flood;
  for (int i = 0; i < 11; ++i) flood += frame(text_frame, "again");
  BOOST_TEST(code_after(flood) == 1008);
  BOOST_TEST(s.told().find("larger than") != std::string::npos);
  BOOST_TEST(s.told().find("more messages than") != std::string::npos);
  BOOST_TEST(soon([&] { return s.closed == 6; }));
}

BOOST_AUTO_TEST_CASE(a_bad_upgrade_is_refused_by_name) {
  folder f;
  stream_server s(f);
  auto status_of = [&](std::string_view from, std::string_view to) {
    auto request = upgrade_request;
    request.replace(request.find(from), from.size(), to);
    return raw(s.server->port(), request).substr(9, 3);
  };
  BOOST_TEST(status_of("GET", "POST") == "400");
  BOOST_TEST(status_of("HTTP/1.1", "HTTP/1.0") == "400");
  BOOST_TEST(status_of("Connection: Upgrade", "Connection: close") == "400");
  BOOST_TEST(status_of("Upgrade: websocket", "Upgrade: h2c") == "400");
  BOOST_TEST(status_of("Version: 13", "Version: 8") == "426");
  BOOST_TEST(status_of("dGhlIHNhbXBsZSBub25jZQ==", "short") == "400");
  BOOST_TEST(status_of("\r\n\r\n", "\r\n\r\n" + frame(text_frame, "too early")) == "400");
}

BOOST_AUTO_TEST_CASE(streams_are_bounded) {
  folder f;
  http_limits limits;
  limits.streams_max = 1;
  stream_server s(f, limits);
  raw_client first(s.server->port()), second(s.server->port());
  shake_hands(first);
  second.say(upgrade_request);
  BOOST_TEST(second.hear_headers().substr(9, 3) == "503");
}

BOOST_AUTO_TEST_CASE(a_slow_client_skips_and_is_told_again_later) {
  folder f;
  http_limits limits;
  limits.stream_queue_bytes_max = 4u << 20;
  stream_server s(f, limits);
  raw_client slow(f.socket());
  slow.hear_little();
  shake_hands(slow);
  auto message = std::string(1u << 20, 'x');
  for (int i = 0; i < 10; ++i) s.server->send(s.last_stream, message);
  BOOST_TEST(soon([&] { return s.skipped >= 6; }));
  BOOST_TEST(s.skipped < 10);
  for (int i = 0; i < 10 - s.skipped; ++i) BOOST_TEST(next_frame(slow).size() == 1 + message.size());
  s.server->send(s.last_stream, "whole again");
  BOOST_TEST(next_frame(slow) == "1whole again");
}

BOOST_AUTO_TEST_CASE(a_stream_without_a_sign_of_life_is_closed) {
  folder f;
  http_limits limits;
  limits.idle_max = 1s;
  stream_server s(f, limits);
  raw_client silent(f.socket());
  shake_hands(silent);
  BOOST_TEST(soon([&] { return s.closed == 1; })); // It never answered the ping.
}

/// What a stream client hears within five seconds, until there are `count` messages or it ends.
std::vector<std::string> hear(stream_client& client, std::size_t count) {
  std::vector<std::string> heard;
  soon([&] {
    auto news = client.poll();
    if (!news) return true;
    heard.insert(heard.end(), news->begin(), news->end());
    return heard.size() >= count;
  });
  return heard;
}

BOOST_AUTO_TEST_CASE(our_client_speaks_and_hears_on_a_stream_and_says_goodbye) {
  folder f;
  stream_server s(f);
  {
    auto client = stream_client::open(f.socket(), "/v1/stream", 5s);
    BOOST_REQUIRE(client.has_value());
    BOOST_TEST((*client)->poll()->empty());
    auto large = std::string(60'000, 'x');
    for (auto& text : {std::string("hello"), large, std::string("again")}) BOOST_TEST((*client)->send(text).has_value());
    auto heard = hear(**client, 3);
    BOOST_REQUIRE(heard.size() == 3u);
    BOOST_TEST(heard[0] == "hello");
    BOOST_TEST((heard[1] == large));
    BOOST_TEST(heard[2] == "again");
  }
  BOOST_TEST(soon([&] { return s.closed == 1; }));
  BOOST_TEST(s.told() == "");
}

BOOST_AUTO_TEST_CASE(our_client_takes_no_more_than_it_has_room_for) {
  folder f;
  http_limits limits;
  limits.stream_queue_messages_max = 1000;
  stream_server s(f, limits);
  auto client = stream_client::open(f.socket(), "/v1/stream", 5s);
  BOOST_REQUIRE(client.has_value());
  constexpr std::size_t count = stream_client::waiting_messages_max + 20;
  for (std::size_t i = 0; i < count; ++i) s.server->send(s.last_stream, std::to_string(i));
  std::this_thread::sleep_for(200ms);
  std::vector<std::string> heard;
  std::size_t most = 0;
  soon([&] {
    auto news = (*client)->poll();
    BOOST_REQUIRE(news.has_value());
    most = std::max(most, news->size());
    heard.insert(heard.end(), news->begin(), news->end());
    return heard.size() >= count;
  });
  BOOST_TEST(most == stream_client::waiting_messages_max);
  BOOST_REQUIRE(heard.size() == count); // The rest waited where it was.
  for (std::size_t i = 0; i < count; ++i) BOOST_REQUIRE(heard[i] == std::to_string(i));
  std::size_t unsent = 0;
  while ((*client)->send("x").has_value()) BOOST_REQUIRE_LE(++unsent, stream_client::unsent_messages_max);
  BOOST_TEST(unsent == stream_client::unsent_messages_max);
}

BOOST_AUTO_TEST_CASE(our_client_tells_how_a_stream_ended_or_why_there_is_none) {
  folder f;
  BOOST_TEST((stream_client::open(f.socket(), "/v1/stream", 1s).error().code == errc::unreachable));
  http_limits limits;
  limits.streams_max = 1;
  auto s = std::make_unique<stream_server>(f, limits);
  auto client = stream_client::open(f.socket(), "/v1/stream", 5s);
  BOOST_REQUIRE(client.has_value());
  auto first = s->last_stream.load();
  auto second = stream_client::open(f.socket(), "/v1/stream", 5s);
  BOOST_REQUIRE(!second.has_value());
  BOOST_TEST((second.error().code == errc::refused));
  BOOST_TEST(second.error().what.find("503") != std::string::npos);
  s->server->send(first, "last words");
  s->server->close(first);
  auto heard = hear(**client, 1);
  BOOST_REQUIRE(heard.size() == 1u); // What came before the end is not lost with it.
  BOOST_TEST(soon([&] { return !(*client)->poll().has_value(); }));
  BOOST_TEST(((*client)->poll().error().code == errc::unreachable));
  s.reset();
  BOOST_TEST((stream_client::open(f.socket(), "/v1/stream", 1s).error().code == errc::unreachable));
}

BOOST_AUTO_TEST_CASE(beyond_loopback_only_with_tls) {
  auto refused_at = [](const std::string& address) {
    http_doors doors;
    doors.tcp.emplace();
    doors.tcp->address = address;
    auto listening = http_server::listen(doors, {}, {[](http_request) {}});
    BOOST_REQUIRE(!listening.has_value());
    return listening.error();
  };
  for (auto address : {"0.0.0.0", "::", "192.0.2.1", "::ffff:127.0.0.1"}) {
    BOOST_TEST((refused_at(address).code == errc::permission_denied), address);
    BOOST_TEST(refused_at(address).what.find("TLS") != std::string::npos);
  }
  BOOST_TEST((refused_at("localhost").code == errc::invalid_input));
}

BOOST_AUTO_TEST_CASE(a_port_that_is_taken_is_named) {
  folder f;
  stream_server s(f);
  http_doors doors;
  doors.tcp.emplace();
  doors.tcp->port = s.server->port();
  auto second = http_server::listen(doors, {}, {[](http_request) {}});
  BOOST_REQUIRE(!second.has_value());
  BOOST_TEST((second.error().code == errc::already_exists));
  BOOST_TEST(second.error().what.find(std::to_string(s.server->port())) != std::string::npos);
}

namespace {

/// A certificate for localhost that signs itself.
bool make_certificate(const folder& f) {
  auto command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost "
                 "-addext subjectAltName=IP:127.0.0.1 -keyout " + (f.path / "key.pem").string() + " -out " +
                 (f.path / "certificate.pem").string() + " 2>/dev/null";
  return std::system(command.c_str()) == 0;
}

std::size_t append_to(char* bytes, std::size_t, std::size_t size, void* text) {
  static_cast<std::string*>(text)->append(bytes, size);
  return size;
}

} // namespace

BOOST_AUTO_TEST_CASE(with_a_certificate_tls_is_spoken_and_nothing_else) {
  folder f;
  BOOST_REQUIRE(make_certificate(f));
  http_doors doors;
  doors.tcp.emplace();
  doors.tcp->tls = http_tls_files{f.path / "certificate.pem", f.path / "key.pem"};
  std::unique_ptr<http_server> server;
  auto listening = http_server::listen(doors, {}, {[&](http_request r) { server->reply(r.id, {200, "text/plain", "sealed"}); }});
  BOOST_REQUIRE(listening.has_value());
  server = std::move(*listening);

  std::string answer;
  auto* curl = curl_easy_init();
  curl_easy_setopt(curl, CURLOPT_URL, ("https://127.0.0.1:" + std::to_string(server->port()) + "/").c_str());
  curl_easy_setopt(curl, CURLOPT_CAINFO, (f.path / "certificate.pem").c_str());
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append_to);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
  BOOST_TEST(curl_easy_perform(curl) == CURLE_OK);
  curl_easy_cleanup(curl);
  BOOST_TEST(answer == "sealed");
  BOOST_TEST(raw(server->port(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n").find("HTTP") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_certificate_that_cannot_be_used_is_named) {
  folder f;
  BOOST_REQUIRE(make_certificate(f));
  auto refused_with = [&](const char* certificate, const char* key) {
    http_doors doors;
    doors.tcp.emplace();
    doors.tcp->tls = http_tls_files{f.path / certificate, f.path / key};
    auto listening = http_server::listen(doors, {}, {[](http_request) {}});
    return listening ? std::string() : listening.error().what;
  };
  BOOST_TEST(refused_with("certificate.pem", "key.pem") == "");
  BOOST_TEST(refused_with("gone.pem", "key.pem").find("gone.pem") != std::string::npos);
  BOOST_TEST(refused_with("certificate.pem", "certificate.pem").find("is not the private key") != std::string::npos);
}
