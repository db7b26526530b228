// adapters/tor/control_socket.cpp - addresses by number, a connect that does not wait forever.
#include "adapters/tor/control_socket.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace lucid {
namespace {

using tor_posix::file_descriptor;

struct endpoint {
  sockaddr_storage bytes{};
  socklen_t size_bytes = 0;
};

tl::unexpected<error> bad_address(const std::string& address) {
  return fail(errc::invalid_input, tor_posix::who,
              "\"" + address + "\" is no control port; right would be \"127.0.0.1:9051\" or \"unix:/run/tor/control\"");
}

outcome<endpoint> unix_endpoint(const std::string& address) {
  auto path = std::string_view(address).substr(5);
  sockaddr_un to{};
  if (path.empty() || path.front() != '/' || path.size() >= sizeof to.sun_path) return bad_address(address);
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, path.data(), path.size());
  endpoint made;
  std::memcpy(&made.bytes, &to, sizeof to);
  made.size_bytes = sizeof to;
  return made;
}

outcome<endpoint> tcp_endpoint(const std::string& address) {
  auto colon = address.rfind(':');
  if (colon == std::string::npos) return bad_address(address);
  auto host = address.substr(0, colon);
  std::uint16_t port = 0;
  const auto* end = address.data() + address.size();
  auto [stop, problem] = std::from_chars(address.data() + colon + 1, end, port);
  if (problem != std::errc() || stop != end || port == 0) return bad_address(address);
  endpoint made;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&made.bytes, &v4, sizeof v4);
    made.size_bytes = sizeof v4;
    return made;
  }
  if (host.size() < 4 || host.front() != '[' || host.back() != ']' ||
      ::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &v6.sin6_addr) != 1)
    return bad_address(address);
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  std::memcpy(&made.bytes, &v6, sizeof v6);
  made.size_bytes = sizeof v6;
  return made;
}

} // namespace

outcome<file_descriptor> connect_control(const std::string& address, std::chrono::milliseconds within) {
  auto to = address.starts_with("unix:") ? unix_endpoint(address) : tcp_endpoint(address);
  if (!to) return pass_on(std::move(to));
  auto doing = "cannot connect to the control port " + address;
  file_descriptor socket(::socket(to->bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket.get() < 0) return tor_posix::failure(doing, errno);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to->bytes), to->size_bytes) != 0) {
    if (errno != EINPROGRESS) return tor_posix::failure(doing, errno);
    pollfd watched{socket.get(), POLLOUT, 0};
    if (::poll(&watched, 1, static_cast<int>(within.count())) != 1) return tor_posix::failure(doing, ETIMEDOUT);
    int code = 0;
    socklen_t size_bytes = sizeof code;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &code, &size_bytes) != 0) code = errno;
    if (code != 0) return tor_posix::failure(doing, code);
  }
  if (::fcntl(socket.get(), F_SETFL, 0) != 0) return tor_posix::failure(doing, errno);
  timeval patience{static_cast<time_t>(within.count() / 1000), static_cast<suseconds_t>(within.count() % 1000 * 1000)};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  return socket;
}

} // namespace lucid
