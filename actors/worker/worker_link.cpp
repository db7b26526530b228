// actors/worker/worker_link.cpp - system calls behind the worker's link.
#include "actors/worker/worker_link.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

namespace lucid {
namespace {

constexpr const char* who = "worker link";

/// A node that reads nothing for so long is stuck, and the recording with it.
constexpr time_t send_seconds_max = 30;

tl::unexpected<error> unreachable(const char* doing) {
  return fail(errc::unreachable, who, std::string(doing) + ": " + std::strerror(errno));
}

/// What a message takes from the credit.
std::int64_t cost_bytes(const worker_message& message) {
  if (const auto* f = std::get_if<fragment>(&message)) return static_cast<std::int64_t>(f->bytes.size());
  if (const auto* e = std::get_if<source_event>(&message)) return static_cast<std::int64_t>(e->detail.size());
  return 0;
}

} // namespace

worker_link::worker_link(int fd) : fd_(fd) {
  timeval patience{send_seconds_max, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

worker_link::~worker_link() { ::close(fd_); }

outcome<void> worker_link::write_all(const wire_message& wire) {
  auto tail = wire.tail.view();
  std::array<iovec, 2> parts{{{const_cast<std::uint8_t*>(wire.head.data()), wire.head.size()},
                              {const_cast<std::uint8_t*>(tail.data()), tail.size()}}};
  std::size_t at = 0;
  while (at < parts.size()) {
    msghdr message{};
    message.msg_iov = &parts[at];
    message.msg_iovlen = parts.size() - at;
    auto sent = ::sendmsg(fd_, &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return unreachable("the node does not take what is recorded");
    for (auto rest = static_cast<std::size_t>(sent); at < parts.size();) {
      auto taken = std::min(rest, parts[at].iov_len);
      parts[at].iov_base = static_cast<std::uint8_t*>(parts[at].iov_base) + taken;
      parts[at].iov_len -= taken;
      rest -= taken;
      if (parts[at].iov_len != 0) break;
      ++at;
    }
  }
  return {};
}

outcome<void> worker_link::send(const worker_message& message) {
  auto wire = encode(message);
  if (!wire) return pass_on(std::move(wire));
  auto cost = cost_bytes(message);
  credit_bytes_ -= cost;
  sent_bytes_ += static_cast<std::uint64_t>(cost);
  std::lock_guard lock(sending_);
  return write_all(*wire);
}

outcome<void> worker_link::pump(std::chrono::milliseconds patience) {
  pollfd waiting{fd_, POLLIN, 0};
  auto ready = ::poll(&waiting, 1, static_cast<int>(patience.count()));
  if (ready == 0 || (ready < 0 && errno == EINTR)) return {};
  if (ready < 0) return unreachable("the socket cannot be watched");
  std::lock_guard lock(receiving_);
  std::array<std::uint8_t, 4096> bytes;
  for (;;) {
    auto got = ::recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return {};
    if (got < 0) return unreachable("the node cannot be heard");
    if (got == 0) return fail(errc::unreachable, who, "the node has closed the connection");
    auto messages = decoder_.feed(byte_view(bytes.data(), static_cast<std::size_t>(got)));
    if (!messages) return pass_on(std::move(messages));
    for (auto& message : *messages) take(std::move(message));
  }
}

void worker_link::take(node_message message) {
  if (auto* start = std::get_if<worker_start>(&message)) {
    credit_bytes_ += static_cast<std::int64_t>(std::min<std::uint64_t>(start->credit_bytes, 1ull << 40));
    start_ = std::move(*start);
  } else if (const auto* credit = std::get_if<worker_credit>(&message)) {
    credit_bytes_ += static_cast<std::int64_t>(std::min<std::uint64_t>(credit->bytes, 1ull << 40));
  } else if (auto* verdict = std::get_if<worker_certificate_verdict>(&message)) {
    verdict_ = std::move(*verdict);
  } else {
    stop_wanted_ = true;
  }
}

std::optional<worker_start> worker_link::take_start() {
  std::lock_guard lock(receiving_);
  return std::exchange(start_, std::nullopt);
}

std::optional<worker_certificate_verdict> worker_link::take_verdict() {
  std::lock_guard lock(receiving_);
  return std::exchange(verdict_, std::nullopt);
}

} // namespace lucid
