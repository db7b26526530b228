// tests/doubles/clean_surroundings.hpp - for tests of commands: no configuration of this machine, and nobody who could be asked.
#pragma once

#include <cstdio>
#include <cstdlib>

#include "actors/node/cli/signals.hpp"

namespace lucid::testing {

/// A signal is taken by the command that waits for it. To be made before the first command runs.
struct clean_surroundings {
  clean_surroundings() {
    setenv("HOME", "/nonexistent", 1);
    setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
    setenv("LUCID_CONFIG", LUCID_SOURCE_DIR "/config/development.toml", 1);
    stop_signals blocked_from_here_on;
    if (!std::freopen("/dev/null", "r", stdin)) std::abort();
  }
};

} // namespace lucid::testing
