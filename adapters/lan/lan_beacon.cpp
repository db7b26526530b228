// adapters/lan/lan_beacon.cpp - one UDP socket, one thread.
#include "adapters/lan/lan_beacon.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

namespace lucid {

struct lan_beacon::parts {
  beacon_settings settings;
  std::function<byte_buffer()> say;
  std::function<void(byte_view)> heard;
  sockaddr_in to{};
  int socket = -1;
  int stop = -1;
  std::thread thread;

  ~parts() {
    if (thread.joinable()) {
      std::uint64_t one = 1;
      [[maybe_unused]] auto written = ::write(stop, &one, sizeof one);
      thread.join();
    }
    if (socket >= 0) ::close(socket);
    if (stop >= 0) ::close(stop);
  }

  outcome<void> begin() {
    to.sin_family = AF_INET;
    to.sin_port = htons(settings.port);
    if (::inet_pton(AF_INET, settings.group.c_str(), &to.sin_addr) != 1)
      return fail(errc::invalid_input, "lan", settings.group + " is no IPv4 address");
    socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    stop = ::eventfd(0, EFD_CLOEXEC);
    int on = 1, once = 1;
    sockaddr_in here = to;
    ip_mreq group{to.sin_addr, {htonl(INADDR_ANY)}};
    bool good = socket >= 0 && stop >= 0 && ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                ::bind(socket, reinterpret_cast<sockaddr*>(&here), sizeof here) == 0 &&
                ::setsockopt(socket, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group) == 0 &&
                ::setsockopt(socket, IPPROTO_IP, IP_MULTICAST_TTL, &once, sizeof once) == 0;
    if (!good) return fail(errc::io_failed, "lan", std::string("cannot listen for beacons: ") + std::strerror(errno));
    thread = std::thread([this] { run(); });
    return {};
  }

  void run() {
    using clock = std::chrono::steady_clock;
    auto next = clock::now();
    auto second = clock::now();
    unsigned heard_count = 0;
    while (true) {
      auto now = clock::now();
      if (now >= next) {
        send();
        next = now + settings.interval;
      }
      std::array<pollfd, 2> watched{{{socket, POLLIN, 0}, {stop, POLLIN, 0}}};
      auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(next - now).count() + 1;
      ::poll(watched.data(), watched.size(), static_cast<int>(wait));
      if (watched[1].revents != 0) return;
      if ((watched[0].revents & POLLIN) == 0) continue;
      if (clock::now() - second > std::chrono::seconds(1)) {
        second = clock::now();
        heard_count = 0;
      }
      receive(++heard_count <= settings.heard_per_second_max);
    }
  }

  void send() {
    auto bytes = say();
    if (bytes.empty() || bytes.size() > beacon_bytes_max) return;
    // What is lost is said again.
    ::sendto(socket, bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }

  void receive(bool wanted) {
    std::array<std::uint8_t, beacon_bytes_max> bytes;
    auto size = ::recv(socket, bytes.data(), bytes.size(), 0);
    if (size > 0 && wanted) heard(byte_view(bytes.data(), static_cast<std::size_t>(size)));
  }
};

lan_beacon::lan_beacon(std::unique_ptr<parts> owned) : parts_(std::move(owned)) {}
lan_beacon::~lan_beacon() = default;

outcome<std::unique_ptr<lan_beacon>> lan_beacon::open(beacon_settings settings, std::function<byte_buffer()> say,
                                                      std::function<void(byte_view)> heard) {
  auto owned = std::make_unique<parts>();
  owned->settings = std::move(settings);
  owned->say = std::move(say);
  owned->heard = std::move(heard);
  if (auto begun = owned->begin(); !begun) return pass_on(std::move(begun));
  return std::unique_ptr<lan_beacon>(new lan_beacon(std::move(owned)));
}

} // namespace lucid
