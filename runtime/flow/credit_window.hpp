// runtime/flow/credit_window.hpp - how many bytes may be under way; pure logic.
#pragma once

#include <cstdint>

namespace lucid {

/// Credit in bytes between one sender and one receiver. Nobody sends without it.
///
/// Kept by the receiver: `grant` what it can take, `take` what has arrived. Kept by the sender with the same calls:
/// `grant` what was granted to it, `take` what it sends. Bytes granted and bytes under way never exceed the bound.
/// Threads: none. One owner calls it.
class credit_window {
public:
  explicit credit_window(std::uint64_t bound_bytes) : bound_bytes_(bound_bytes) {}

  /// Credit not yet used.
  std::uint64_t available_bytes() const noexcept { return available_; }
  /// Used and not yet given back: under way or held.
  std::uint64_t outstanding_bytes() const noexcept { return outstanding_; }
  std::uint64_t bound_bytes() const noexcept { return bound_bytes_; }
  /// What may still be granted without breaking the bound.
  std::uint64_t grantable_bytes() const noexcept { return bound_bytes_ - available_ - outstanding_; }

  /// Adds credit. False, and nothing changes, when that would break the bound: the peer grants what it has not.
  bool grant(std::uint64_t bytes) noexcept {
    if (bytes > grantable_bytes()) return false;
    available_ += bytes;
    return true;
  }

  /// Uses credit. False, and nothing changes, when there is not enough: wait, or the peer broke the rules.
  bool take(std::uint64_t bytes) noexcept {
    if (bytes > available_) return false;
    available_ -= bytes;
    outstanding_ += bytes;
    return true;
  }

  /// What was taken is done with; it may be granted again. False when more is given back than is outstanding.
  bool give_back(std::uint64_t bytes) noexcept {
    if (bytes > outstanding_) return false;
    outstanding_ -= bytes;
    return true;
  }

private:
  std::uint64_t bound_bytes_;
  std::uint64_t available_ = 0;
  std::uint64_t outstanding_ = 0;
};

} // namespace lucid
