// messages/ports/clock.hpp - the time, as a part a test can replace.
#pragma once

#include <chrono>

#include "messages/identity.hpp"

namespace lucid {

/// Where a shell gets the time from. Cores never ask: they are told.
/// Threads: implementations are safe to call from any thread.
class clock_port {
public:
  virtual ~clock_port() = default;

  /// Wall clock, UTC. May step; recordings state such steps.
  virtual unix_time_us wall_us() const = 0;

  /// Never steps back. Only differences mean anything.
  virtual std::chrono::nanoseconds monotonic() const = 0;
};

} // namespace lucid
