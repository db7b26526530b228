// messages/ports/frame_source.hpp - where pictures come from: a desktop over RDP or X11, or a generator.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "messages/bytes.hpp"
#include "messages/identity.hpp"
#include "messages/outcome.hpp"

namespace lucid {

/// A changed part of the picture, in pixels, inside the frame.
struct damage_rect {
  std::uint32_t x = 0, y = 0, width = 0, height = 0;
};

/// The present picture. Valid until the next call of the source that returned it.
struct frame_view {
  const std::uint8_t* pixels = nullptr; ///< BGRX, 4 bytes a pixel, top row first.
  std::uint32_t stride_bytes = 0;
  std::uint32_t width = 0;  ///< Even, 16 .. 8192.
  std::uint32_t height = 0; ///< Even, 16 .. 8192.
  unix_time_us captured_us = 0;
  std::span<const damage_rect> damage; ///< Changed since the last frame returned. Never empty.
};

/// Something an auditor wants to know: a connection, a resize, a gap, what was merged.
struct source_event {
  unix_time_us at_us = 0;
  std::string kind;   ///< "connected", "resized", "gap", "certificate", "merged" ...
  std::string detail; ///< One JSON object.
};

/// What came of waiting.
struct source_poll {
  std::optional<frame_view> frame;  ///< Empty: nothing changed within the time.
  std::vector<source_event> events; ///< In order, before the frame.
  bool ended = false;               ///< The source is at its regular end.
};

/// A source of pictures, driven by one thread of the worker process.
///
/// Threads: all calls from one thread; an implementation may have threads of its own inside.
/// Errors: `unreachable`, `login_failed`, `certificate_changed`, `protocol_violation`, `unsupported` ...
class frame_source {
public:
  virtual ~frame_source() = default;

  /// Connects. Blocks for a bounded time.
  virtual outcome<void> open() = 0;

  /// Waits up to `patience` for a change. Merges all changes since the last call: whoever calls late gets fewer frames.
  /// An error ends the connection; `open` may be called again.
  virtual outcome<source_poll> next(std::chrono::milliseconds patience) = 0;

  /// Ends the connection in an orderly way. Harmless when it has ended.
  virtual void close() noexcept = 0;
};

} // namespace lucid
