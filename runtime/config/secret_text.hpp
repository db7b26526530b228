// runtime/config/secret_text.hpp - a short secret that is wiped when it goes and that no formatter prints.
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lucid {

/// A passphrase or password. Deliberately without an output operator; `reveal` is easy to search for.
/// Owns: its bytes, overwritten before they are given back.
/// Threads: as any value.
class secret_text {
public:
  secret_text() = default;
  explicit secret_text(std::string_view text) : bytes_(text.begin(), text.end()) {}
  secret_text(const secret_text&) = default;
  secret_text(secret_text&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  secret_text& operator=(secret_text other) noexcept {
    bytes_.swap(other.bytes_);
    return *this;
  }
  ~secret_text() { wipe(); }

  std::string_view reveal() const noexcept { return {bytes_.data(), bytes_.size()}; }
  bool empty() const noexcept { return bytes_.empty(); }
  void wipe() noexcept {
    if (!bytes_.empty()) explicit_bzero(bytes_.data(), bytes_.size());
    bytes_.clear();
  }

private:
  std::vector<char> bytes_;
};

} // namespace lucid
