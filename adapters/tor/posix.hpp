// adapters/tor/posix.hpp - descriptors, folders and the words of system errors, for this folder.
#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "messages/outcome.hpp"

namespace lucid::tor_posix {

inline constexpr const char* who = "tor";

/// Owns: the descriptor. -1 is none.
class file_descriptor {
public:
  file_descriptor() = default;
  explicit file_descriptor(int fd) noexcept : fd_(fd) {}
  file_descriptor(file_descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  file_descriptor& operator=(file_descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  file_descriptor(const file_descriptor&) = delete;
  file_descriptor& operator=(const file_descriptor&) = delete;
  ~file_descriptor();
  int get() const noexcept { return fd_; }

private:
  int fd_ = -1;
};

/// "DOING: No such file or directory", with the code that fits.
tl::unexpected<error> failure(const std::string& doing, int code);

/// `folder` with mode 0700; made if it is not there. Errors: `permission_denied` when others may enter it.
outcome<void> make_private_folder(const std::filesystem::path& folder);

/// Up to `size_bytes_max` of `file`. Errors: `not_found`, `limit_exceeded`, `permission_denied`, `io_failed`.
outcome<std::string> read_file(const std::filesystem::path& file, std::size_t size_bytes_max);

} // namespace lucid::tor_posix
