// tests/integration/echo_listener.hpp - a TCP listener that answers what it hears, and a SOCKS 5 client to ask it with.
#pragma once

#include <arpa/inet.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace lucid::testing {

namespace detail {
inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(port);
  return to;
}
} // namespace detail

/// Echoes on a free port of 127.0.0.1, one connection after the other.
class echo_listener {
public:
  echo_listener() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    auto at = detail::loopback(0);
    socklen_t size_bytes = sizeof at;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || ::listen(listener_, 8) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size_bytes) != 0)
      throw std::runtime_error("no listener");
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  echo_listener(const echo_listener&) = delete;
  echo_listener& operator=(const echo_listener&) = delete;
  ~echo_listener() {
    ending_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  std::uint16_t port() const noexcept { return port_; }
  unsigned accepted() const noexcept { return accepted_; }

private:
  void serve() {
    while (!ending_) {
      auto peer = ::accept(listener_, nullptr, nullptr);
      if (peer < 0) return;
      ++accepted_;
      std::array<char, 1000> bytes;
      for (ssize_t got = 0; !ending_ && (got = ::recv(peer, bytes.data(), bytes.size(), 0)) > 0;)
        (void)!::send(peer, bytes.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL);
      ::close(peer);
    }
  }
  int listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> ending_ = false;
  std::atomic<unsigned> accepted_ = 0;
  std::thread thread_;
};

/// What `host:port` echoes of `text` through the SOCKS 5 port `socks` ("127.0.0.1:9050"); empty if there is no way.
/// Asks anew while Tor says that it finds no way, or says nothing for 20 s, until `within` has passed: descriptors take a
/// moment to spread, and one stream may hang on a circuit whose end is gone.
inline std::string echoed_through(const std::string& socks, const std::string& host, std::uint16_t port, const std::string& text,
                                  std::chrono::seconds within) {
  auto until = std::chrono::steady_clock::now() + within;
  auto to = detail::loopback(static_cast<std::uint16_t>(std::stoi(socks.substr(socks.rfind(':') + 1))));
  while (std::chrono::steady_clock::now() < until) {
    auto fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto left = std::chrono::duration_cast<std::chrono::seconds>(until - std::chrono::steady_clock::now()).count() + 1;
    timeval patience{std::min<long>(left, 20), 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    auto exchange = [&](const std::string& say, std::size_t size_bytes) {
      std::string heard(size_bytes, '\0');
      if (::send(fd, say.data(), say.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(say.size()) ||
          ::recv(fd, heard.data(), size_bytes, MSG_WAITALL) != static_cast<ssize_t>(size_bytes))
        heard.clear();
      return heard;
    };
    std::string answer;
    using namespace std::string_literals;
    auto request = "\x05\x01\x00\x03"s + static_cast<char>(host.size()) + host + static_cast<char>(port >> 8);
    request += static_cast<char>(port & 255);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0 && exchange("\x05\x01\x00"s, 2) == "\x05\x00"s) {
      auto granted = exchange(request, 10);
      if (granted.size() == 10 && granted[1] == 0) answer = exchange(text, text.size());
    }
    ::close(fd);
    if (!answer.empty()) return answer;
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
  return {};
}

} // namespace lucid::testing
