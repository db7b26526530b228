// adapters/files/descriptor.hpp - a file descriptor that closes itself.
#pragma once

#include <utility>

namespace lucid {

/// Owns: the descriptor. -1 is none.
class descriptor {
public:
  descriptor() = default;
  explicit descriptor(int fd) noexcept : fd_(fd) {}
  descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor();

  int get() const noexcept { return fd_; }

private:
  int fd_ = -1;
};

} // namespace lucid
