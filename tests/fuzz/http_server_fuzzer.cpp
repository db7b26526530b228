// tests/fuzz/http_server_fuzzer.cpp - any bytes at a running server: as requests, and as frames of a WebSocket.
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "adapters/http/http_server.hpp"

namespace {

using namespace lucid;
using namespace std::chrono_literals;

constexpr std::string_view upgrade = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                                     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Answers every request, makes every stream, echoes every message.
struct echo_server {
  echo_server() {
    char name[] = "/tmp/lucid-fuzz-XXXXXX";
    path = std::filesystem::path(::mkdtemp(name)) / "s";
    http_limits limits;
    limits.header_bytes_max = 1024;
    limits.request_bytes_max = 1024;
    limits.stream_message_bytes_max = 1024;
    limits.idle_max = limits.request_max = limits.answer_max = 2s;
    http_handlers handlers;
    handlers.on_request = [this](http_request r) {
      server->reply(r.id, {r.wants_stream ? 101u : 200u, "text/plain", std::move(r.body)});
    };
    handlers.on_message = [this](std::uint64_t stream, std::string text) { server->send(stream, std::move(text)); };
    auto listening = http_server::listen(http_doors{path, {}}, limits, std::move(handlers));
    if (!listening) std::abort();
    server = std::move(*listening);
  }
  ~echo_server() {
    server.reset();
    std::filesystem::remove_all(path.parent_path());
  }
  std::filesystem::path path;
  std::unique_ptr<http_server> server;
};

void say(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void hear_headers(int fd) {
  std::string heard;
  for (char c; heard.find("\r\n\r\n") == std::string::npos && ::read(fd, &c, 1) == 1;) heard.push_back(c);
}

} // namespace

/// Input that begins with 'W' is spoken on a stream, behind that letter.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static echo_server server;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, server.path.c_str(), sizeof address.sun_path - 1);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) std::abort();
  if (input.starts_with('W')) {
    input.remove_prefix(1);
    say(fd, upgrade);
    hear_headers(fd);
  }
  say(fd, input);
  ::shutdown(fd, SHUT_WR);
  char piece[4096];
  while (::read(fd, piece, sizeof piece) > 0) {}
  ::close(fd);
  return 0;
}
