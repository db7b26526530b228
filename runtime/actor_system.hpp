// runtime/actor_system.hpp - one process: the actor system's settings, its clock, and its root supervisor.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>

#include <caf/actor.hpp>
#include <caf/actor_system_config.hpp>

#include "messages/ports/clock.hpp"
#include "runtime/actor_context.hpp"
#include "runtime/supervision/specs.hpp"

namespace lucid {

/// The machine's clock.
class system_clock_port final : public clock_port {
public:
  unix_time_us wall_us() const override;
  std::chrono::nanoseconds monotonic() const override;
};

/// Settings of CAF's middleman. Both times are off by default in CAF, and a peer that vanished would stay.
struct middleman_settings {
  std::chrono::milliseconds heartbeat_interval{1'000};
  std::chrono::milliseconds connection_timeout{30'000}; ///< Above the time that the longest message takes on the slowest link.
};

/// Settings of CAF: our message types, our errors in words, no configuration file, no log file.
class runtime_config : public caf::actor_system_config {
public:
  /// 0: one scheduler thread for each core. `deterministic` puts the test scheduler in place: no threads at all.
  /// Without `middleman` there is none: the process has nothing that listens. With it: no automatic connections, no
  /// types that may be spawned from afar, and times that are asserted to be above zero.
  explicit runtime_config(std::size_t scheduler_threads = 0, bool deterministic = false,
                          std::optional<middleman_settings> middleman = std::nullopt);

private:
  void use_middleman(const middleman_settings& settings);
};

/// How the root ended: empty after a regular stop, else its last word.
using root_ended = std::function<void(const std::optional<error>&)>;

/// Starts the tree under `spec`; its path is `spec.id`, those of its children do not repeat it.
/// `on_end` is called once, on a thread of the system; it must be quick.
/// Errors: `invalid_input` for a spec that contradicts itself.
outcome<caf::actor> start_root(caf::actor_system& system, runtime_services services, supervisor_spec spec,
                               root_ended on_end = {});

/// Stops the tree and waits until it is gone. Not from an actor. Errors: `timeout`; then it is still going down.
outcome<void> stop_root(const caf::actor& root, std::chrono::milliseconds timeout);

} // namespace lucid
