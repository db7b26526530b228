// actors/node/cli/signals.hpp - SIGINT and SIGTERM as something one asks for, not something that strikes.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace lucid {

/// What becomes of a process that writes to a pipe nobody reads: `ignored`, and the write fails, or `fatal`, as for any
/// filter: it ends without a word.
enum class broken_pipe : std::uint8_t { ignored, fatal };

/// Blocks SIGINT and SIGTERM for this thread and those it starts. Made before any other thread.
/// Threads: one owner.
class stop_signals {
public:
  explicit stop_signals(broken_pipe pipes = broken_pipe::ignored);

  /// The signal that came within `patience`, if any.
  std::optional<int> wait(std::chrono::milliseconds patience) const;
};

} // namespace lucid
