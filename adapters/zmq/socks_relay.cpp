// adapters/zmq/socks_relay.cpp - SOCKS5: greeting, request, reply; then bytes in both directions.
#include "adapters/zmq/socks_relay.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace lucid::zmq_detail {
namespace {

constexpr std::uint8_t version = 5, no_authentication = 0, connect_command = 1, by_name = 3;
constexpr std::size_t reply_head_bytes = 5; ///< Version, code, reserved, type of address, its first byte.
constexpr std::array<const char*, 9> reply_names{"granted",          "it failed",           "not allowed",
                                                 "no way there",     "the host is unreachable", "connection refused",
                                                 "it took too long", "command not supported", "address not supported"};

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

std::string reason(const char* what) { return std::string(what) + ": " + std::strerror(errno); }

void set_no_delay(int fd) {
  int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/// "name:port" in its two halves, brackets taken off.
std::pair<std::string, std::string> halves_of(const std::string& text) {
  auto colon = text.rfind(':');
  if (colon == std::string::npos) return {text, ""};
  auto host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return {host, text.substr(colon + 1)};
}

} // namespace

socks_relay::socks_relay(std::string proxy, std::string host, std::uint16_t port, watch_function watch)
  : proxy_(std::move(proxy)), host_(std::move(host)), port_(port), watch_(std::move(watch)) {}

socks_relay::~socks_relay() { end(); }

outcome<std::unique_ptr<socks_relay>> socks_relay::open(const std::string& proxy, const std::string& target, watch_function watch) {
  auto [host, digits] = halves_of(target);
  std::uint16_t port = 0;
  auto [stopped, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (failed != std::errc{} || stopped != digits.data() + digits.size() || port == 0 || host.empty() || host.size() > 255)
    return fail(errc::invalid_input, "zmq", "not an address: host:port is expected");
  std::unique_ptr<socks_relay> made(new socks_relay(proxy, std::move(host), port, std::move(watch)));
  if (auto listening = made->listen(); !listening) return pass_on(std::move(listening));
  return made;
}

outcome<void> socks_relay::listen() {
  listening_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof at;
  auto* address = reinterpret_cast<sockaddr*>(&at);
  if (listening_ < 0 || ::bind(listening_, address, length) != 0 || ::listen(listening_, 1) != 0 ||
      ::getsockname(listening_, address, &length) != 0)
    return fail(errc::io_failed, "zmq", reason("a port for the way through the SOCKS proxy"));
  endpoint_ = "tcp://127.0.0.1:" + std::to_string(ntohs(at.sin_port));
  watch_(listening_, true, false, this);
  return {};
}

void socks_relay::ready(int fd, bool readable, bool writable) {
  if (step_ == step::over) return;
  if (fd == listening_) return take_connection();
  if (fd == far_ && writable && step_ == step::connecting) proxy_connected();
  if (fd == far_ && writable && !outward_.empty() && !write_to(far_, outward_)) return;
  if (fd == near_ && writable && !inward_.empty() && !write_to(near_, inward_)) return;
  if (readable) {
    if (fd == far_ && step_ == step::connecting) proxy_connected(); // It failed.
    else if (fd == far_ && step_ == step::greeting) read_choice();
    else if (fd == far_ && step_ == step::asking) read_reply();
    else if (fd == far_ && step_ == step::open) carry(far_, near_, inward_);
    else if (fd == near_ && step_ == step::open) carry(near_, far_, outward_);
  }
  look_again();
}

void socks_relay::take_connection() {
  near_ = ::accept4(listening_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (near_ < 0) return;
  watch_(listening_, false, false, this);
  ::close(std::exchange(listening_, -1));
  set_no_delay(near_);
  connect_to_proxy();
  look_again();
}

void socks_relay::connect_to_proxy() {
  auto [host, digits] = halves_of(proxy_);
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV; // No name is looked up.
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), digits.c_str(), &hints, &found) != 0 || !found)
    return give_up("the SOCKS proxy's address is no IP address with a port: " + proxy_);
  std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(found, ::freeaddrinfo);
  far_ = ::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (far_ < 0) return give_up(reason("the SOCKS proxy"));
  set_no_delay(far_);
  step_ = step::connecting;
  if (::connect(far_, found->ai_addr, found->ai_addrlen) != 0 && errno != EINPROGRESS)
    give_up(reason(("the SOCKS proxy at " + proxy_).c_str()));
}

void socks_relay::proxy_connected() {
  int failed = 0;
  socklen_t length = sizeof failed;
  if (::getsockopt(far_, SOL_SOCKET, SO_ERROR, &failed, &length) != 0) failed = errno;
  errno = failed;
  if (failed != 0) return give_up(reason(("the SOCKS proxy at " + proxy_).c_str()));
  step_ = step::greeting;
  say({version, 1, no_authentication});
}

void socks_relay::say(byte_buffer bytes) {
  outward_ = {std::move(bytes), 0};
  answer_.clear();
  write_to(far_, outward_);
}

/// Never more than is asked for: what follows belongs to ZeroMQ. True once `count` bytes are there.
bool socks_relay::read_answer(std::size_t count) {
  auto have = answer_.size();
  if (have >= count) return true;
  answer_.resize(count);
  auto got = ::recv(far_, answer_.data() + have, count - have, 0);
  bool blocked = got < 0 && would_block();
  answer_.resize(have + (got > 0 ? static_cast<std::size_t>(got) : 0));
  if (got == 0 || (got < 0 && !blocked)) give_up("the SOCKS proxy closed the connection");
  return step_ != step::over && answer_.size() == count;
}

void socks_relay::read_choice() {
  if (!read_answer(2)) return;
  if (answer_[0] != version || answer_[1] != no_authentication) return give_up("the SOCKS proxy asks for a password, or is none");
  byte_buffer request{version, connect_command, 0, by_name, static_cast<std::uint8_t>(host_.size())};
  request.insert(request.end(), host_.begin(), host_.end());
  request.push_back(static_cast<std::uint8_t>(port_ >> 8));
  request.push_back(static_cast<std::uint8_t>(port_ & 0xff));
  step_ = step::asking;
  say(std::move(request));
}

void socks_relay::read_reply() {
  if (!read_answer(reply_head_bytes)) return;
  if (answer_[0] != version) return give_up("the SOCKS proxy gives an answer that is none");
  if (auto code = answer_[1]; code != 0)
    return give_up("the SOCKS proxy: " + (code < reply_names.size() ? std::string(reply_names[code]) : "code " + std::to_string(code)));
  // The address that it is bound to, of which the head has one byte, and a port: of no interest.
  std::size_t rest = 0;
  if (answer_[3] == 1) rest = 4 - 1 + 2;
  else if (answer_[3] == 4) rest = 16 - 1 + 2;
  else if (answer_[3] == by_name) rest = answer_[4] + std::size_t{2};
  else return give_up("the SOCKS proxy gives an answer that is none");
  if (!read_answer(reply_head_bytes + rest)) return;
  step_ = step::open;
}

void socks_relay::carry(int from, int to, pending& bytes) {
  if (!bytes.empty()) return;
  bytes.bytes.resize(relay_bytes_max);
  bytes.taken = 0;
  auto got = ::recv(from, bytes.bytes.data(), bytes.bytes.size(), 0);
  bool blocked = got < 0 && would_block();
  bytes.bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  if (got > 0) write_to(to, bytes);
  else if (!blocked) end();
}

/// False when that was the end.
bool socks_relay::write_to(int fd, pending& bytes) {
  while (!bytes.empty()) {
    auto sent = ::send(fd, bytes.bytes.data() + bytes.taken, bytes.bytes.size() - bytes.taken, MSG_NOSIGNAL);
    if (sent < 0 && would_block()) break;
    if (sent <= 0) {
      if (step_ == step::open) end();
      else give_up("the SOCKS proxy closed the connection");
      return false;
    }
    bytes.taken += static_cast<std::size_t>(sent);
  }
  return true;
}

void socks_relay::look_again() {
  if (step_ == step::over) return;
  bool open = step_ == step::open;
  bool asks = step_ == step::greeting || step_ == step::asking;
  if (near_ >= 0) watch_(near_, open && outward_.empty(), !inward_.empty(), this);
  if (far_ >= 0) watch_(far_, asks || (open && inward_.empty()), step_ == step::connecting || !outward_.empty(), this);
}

void socks_relay::give_up(std::string why) {
  trouble_ = std::move(why);
  end();
}

void socks_relay::end() {
  step_ = step::over;
  for (auto* fd : {&listening_, &near_, &far_}) {
    if (*fd < 0) continue;
    watch_(*fd, false, false, this);
    ::close(std::exchange(*fd, -1));
  }
}

} // namespace lucid::zmq_detail
