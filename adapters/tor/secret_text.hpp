// adapters/tor/secret_text.hpp - a secret as text, wiped at its end.
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace lucid {

/// A key in the form Tor writes it. Moves, and does not copy. Deliberately without an output operator.
/// Owns: its bytes. Threads: as a plain value.
class tor_secret_text {
public:
  tor_secret_text() = default;
  explicit tor_secret_text(std::string secret) noexcept : bytes_(std::move(secret)) { clear(secret); }
  ~tor_secret_text() { clear(bytes_); }
  tor_secret_text(const tor_secret_text&) = delete;
  tor_secret_text& operator=(const tor_secret_text&) = delete;
  tor_secret_text(tor_secret_text&& other) noexcept : bytes_(std::move(other.bytes_)) { clear(other.bytes_); }
  tor_secret_text& operator=(tor_secret_text&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }

  std::string_view reveal() const noexcept { return bytes_; }
  bool empty() const noexcept { return bytes_.empty(); }

  /// Overwrites what `secret` holds; a short text lies within the object itself and stays there when moved from.
  static void clear(std::string& secret) noexcept {
    secret.resize(secret.capacity());
    ::explicit_bzero(secret.data(), secret.size());
    secret.clear();
  }

private:
  std::string bytes_;
};

} // namespace lucid
