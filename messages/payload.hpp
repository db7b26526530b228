// messages/payload.hpp - immutable bytes that travel between actors without being copied.
#pragma once

#include <memory>
#include <utility>

#include "messages/bytes.hpp"

namespace lucid {

/// A shared, immutable buffer. Copying it copies a pointer; the bytes never change after construction.
/// Threads: safe to read from any number of threads.
class payload {
public:
  /// Upper bound for one message; a chunk at its largest plus its header. 16 MiB + 64 KiB.
  static constexpr std::size_t size_bytes_max = (16u << 20) + (64u << 10);

  payload() = default;
  explicit payload(byte_buffer bytes) : bytes_(std::make_shared<const byte_buffer>(std::move(bytes))) {}

  byte_view view() const noexcept { return bytes_ ? byte_view(*bytes_) : byte_view(); }
  std::size_t size() const noexcept { return bytes_ ? bytes_->size() : 0; }
  bool empty() const noexcept { return size() == 0; }

private:
  std::shared_ptr<const byte_buffer> bytes_;
};

} // namespace lucid
