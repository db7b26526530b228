// actors/node/cli/signals.hpp - SIGINT and SIGTERM as something one asks for, not something that strikes.
#pragma once

#include <chrono>
#include <optional>

namespace lucid {

/// Blocks SIGINT and SIGTERM for this thread and those it starts, and ignores SIGPIPE. Made before any other thread.
/// Threads: one owner.
class stop_signals {
public:
  stop_signals();

  /// The signal that came within `patience`, if any.
  std::optional<int> wait(std::chrono::milliseconds patience) const;
};

} // namespace lucid
