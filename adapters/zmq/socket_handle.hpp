// adapters/zmq/socket_handle.hpp - ZeroMQ's sockets and messages as values that clean up after themselves.
#pragma once

#include <zmq.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "messages/bytes.hpp"
#include "messages/outcome.hpp"

namespace lucid::zmq_detail {

inline tl::unexpected<error> failure(const std::string& what) {
  return fail(errc::io_failed, "zmq", what + ": " + zmq_strerror(zmq_errno()));
}

/// A message; the bytes live as long as it does.
class message {
public:
  message() { zmq_msg_init(&message_); }
  /// Takes the bytes over without a copy; the thread that ends with them frees them.
  explicit message(byte_buffer bytes) : kept_(new byte_buffer(std::move(bytes))) {
    zmq_msg_init_data(&message_, kept_->data(), kept_->size(), [](void*, void* it) { delete static_cast<byte_buffer*>(it); }, kept_);
  }
  ~message() { zmq_msg_close(&message_); }
  message(const message&) = delete;
  message& operator=(const message&) = delete;

  byte_view view() const noexcept {
    auto at = const_cast<zmq_msg_t*>(&message_); // NOLINT: the C interface knows no const.
    return {static_cast<const std::uint8_t*>(zmq_msg_data(at)), zmq_msg_size(at)};
  }
  /// The bytes of a message that was made of them and that ZeroMQ did not take.
  byte_buffer take_back() noexcept { return std::move(*kept_); }
  bool more() const noexcept { return zmq_msg_more(&message_) != 0; }
  /// Of the connection that it came by; empty: not known.
  std::string property(const char* name) const {
    auto text = zmq_msg_gets(&message_, name);
    return text ? text : "";
  }
  int source_descriptor() const noexcept { return zmq_msg_get(&message_, ZMQ_SRCFD); }
  zmq_msg_t* get() noexcept { return &message_; }

private:
  zmq_msg_t message_;
  byte_buffer* kept_ = nullptr; ///< Belongs to `message_`, or to ZeroMQ once it was sent.
};

/// A socket. Threads: one at a time.
class socket {
public:
  socket() = default;
  socket(void* context, int type) : socket_(zmq_socket(context, type)) { set(ZMQ_LINGER, 0); }
  ~socket() {
    if (socket_) zmq_close(socket_);
  }
  socket(socket&& other) noexcept : socket_(std::exchange(other.socket_, nullptr)) {}
  socket& operator=(socket&& other) noexcept {
    std::swap(socket_, other.socket_);
    return *this;
  }

  explicit operator bool() const noexcept { return socket_ != nullptr; }
  void* get() const noexcept { return socket_; }
  bool set(int option, int value) { return zmq_setsockopt(socket_, option, &value, sizeof(value)) == 0; }
  bool set(int option, byte_view value) { return zmq_setsockopt(socket_, option, value.data(), value.size()) == 0; }
  bool set_size(int option, std::int64_t value) { return zmq_setsockopt(socket_, option, &value, sizeof(value)) == 0; }
  bool set_text(int option, const std::string& value) { return zmq_setsockopt(socket_, option, value.data(), value.size()) == 0; }
  /// Signals once for any number of events: look until there is nothing before waiting for it again.
  int descriptor() const {
    int fd = -1;
    auto size = sizeof(fd);
    zmq_getsockopt(socket_, ZMQ_FD, &fd, &size);
    return fd;
  }
  std::string last_endpoint() const {
    char text[512] = {};
    auto size = sizeof(text);
    return zmq_getsockopt(socket_, ZMQ_LAST_ENDPOINT, text, &size) == 0 ? text : "";
  }
  bool receive(message& into) { return zmq_msg_recv(into.get(), socket_, ZMQ_DONTWAIT) >= 0; }
  bool send(byte_view bytes, bool more) {
    return zmq_send(socket_, bytes.data(), bytes.size(), ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) >= 0;
  }
  bool send(message& one) { return zmq_msg_send(one.get(), socket_, ZMQ_DONTWAIT) >= 0; }

private:
  void* socket_ = nullptr;
};

} // namespace lucid::zmq_detail
