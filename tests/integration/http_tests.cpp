// tests/integration/http_tests.cpp - the HTTP server and client on a real Unix socket, and what they refuse.
#define BOOST_TEST_MODULE http_tests
#include <boost/test/unit_test.hpp>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "adapters/http/http_client.hpp"
#include "adapters/http/http_server.hpp"

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

/// Sends raw bytes and reads until the server closes.
std::string raw(const std::filesystem::path& socket, const std::string& bytes) {
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket.c_str(), sizeof address.sun_path - 1);
  BOOST_REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    auto n = ::send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) break;
    sent += static_cast<std::size_t>(n);
  }
  std::string answer;
  char piece[4096];
  for (ssize_t n; (n = ::read(fd, piece, sizeof piece)) > 0;) answer.append(piece, static_cast<std::size_t>(n));
  ::close(fd);
  return answer;
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
  BOOST_TEST(raw(f.socket(), "GET / HT").empty());
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
