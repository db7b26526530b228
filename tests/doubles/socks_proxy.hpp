// tests/doubles/socks_proxy.hpp - a SOCKS5 proxy (RFC 1928) that leads every name to one port of this machine.
//
// What it leaves out: authentication, everything but CONNECT by name, more than one connection.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace lucid::testing {

class socks_proxy {
public:
  explicit socks_proxy(std::uint16_t leads_to) : leads_to_(leads_to), listening_(::socket(AF_INET, SOCK_STREAM, 0)) {
    auto address = loopback(0);
    ::bind(listening_, reinterpret_cast<sockaddr*>(&address), sizeof(address));
    ::listen(listening_, 1);
    socklen_t length = sizeof(address);
    ::getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~socks_proxy() {
    stop_ = true;
    thread_.join();
    ::close(listening_);
  }
  socks_proxy(const socks_proxy&) = delete;
  socks_proxy& operator=(const socks_proxy&) = delete;

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  /// The name that was asked for. After the link is up.
  std::string asked_for() const { return name_; }

private:
  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
  }
  bool readable(int fd) const {
    pollfd one{fd, POLLIN, 0};
    while (!stop_)
      if (::poll(&one, 1, 20) > 0) return true;
    return false;
  }
  bool read_all(int fd, std::uint8_t* into, std::size_t count) const {
    for (std::size_t got = 0; got < count;) {
      if (!readable(fd)) return false;
      auto n = ::recv(fd, into + got, count - got, 0);
      if (n <= 0) return false;
      got += static_cast<std::size_t>(n);
    }
    return true;
  }
  void serve() {
    if (!readable(listening_)) return;
    int client = ::accept(listening_, nullptr, nullptr), server = ::socket(AF_INET, SOCK_STREAM, 0);
    auto address = loopback(leads_to_);
    if (shake_hands(client) && ::connect(server, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
      constexpr std::array<std::uint8_t, 10> granted{5, 0, 0, 1};
      ::send(client, granted.data(), granted.size(), MSG_NOSIGNAL);
      relay(client, server);
    }
    ::close(client);
    ::close(server);
  }
  bool shake_hands(int client) {
    std::array<std::uint8_t, 256> bytes{};
    if (!read_all(client, bytes.data(), 2) || bytes[0] != 5 || !read_all(client, bytes.data() + 2, bytes[1])) return false;
    constexpr std::array<std::uint8_t, 2> open{5, 0};
    ::send(client, open.data(), open.size(), MSG_NOSIGNAL);
    constexpr std::uint8_t connect = 1, by_name = 3;
    if (!read_all(client, bytes.data(), 5) || bytes[1] != connect || bytes[3] != by_name) return false;
    std::size_t length = bytes[4];
    if (!read_all(client, bytes.data(), length)) return false;
    name_.assign(bytes.begin(), bytes.begin() + static_cast<long>(length));
    return read_all(client, bytes.data(), 2);
  }
  void relay(int client, int server) const {
    std::array<std::uint8_t, 4096> bytes{};
    pollfd both[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    while (!stop_) {
      if (::poll(both, 2, 20) <= 0) continue;
      for (int i = 0; i < 2; ++i) {
        if (!both[i].revents) continue;
        auto n = ::recv(both[i].fd, bytes.data(), bytes.size(), 0);
        if (n <= 0 || ::send(both[1 - i].fd, bytes.data(), static_cast<std::size_t>(n), MSG_NOSIGNAL) != n) return;
      }
    }
  }

  std::uint16_t leads_to_, port_ = 0;
  int listening_;
  std::string name_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

} // namespace lucid::testing
