// runtime/actor_context.hpp - who an actor is, and the services its supervisor hands it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "messages/ports/clock.hpp"
#include "messages/ports/random.hpp"

namespace lucid {

class directory;
struct crash_capsule;
struct observed_actor;

/// One thing that a supervisor did or noticed. For the log; never needed to go on.
struct supervision_event {
  std::string path;              ///< Of the child, or of the supervisor itself.
  std::uint64_t incarnation = 0;
  std::string what;              ///< "started", "failed", "restarted", "stopping", "abandoned", "escalated" ...
  std::string reason;            ///< Empty for a regular event.
};

/// What all actors of a process share.
/// Owns: nothing; all of them outlive the actor system.
/// Threads: all of them are called from any thread.
struct runtime_services {
  lucid::directory& directory;
  const clock_port& clock;
  random_port& random;
  std::function<void(const supervision_event&)> report = {}; ///< Called on a supervisor's thread; must be quick.
  std::function<void(crash_capsule)> crashed = {}; ///< After an abnormal end; as `report`, so it leaves the disk to others.
};

/// Given to the start function of a child. A value: copy it into the actor.
struct actor_context {
  std::string path;              ///< "storage/store"
  std::uint64_t incarnation = 0; ///< 1, 2, 3 ... for each start of this path.
  runtime_services services;
  std::shared_ptr<observed_actor> observed; ///< Filled by `supervised`.

  lucid::directory& directory() const { return services.directory; }
  const clock_port& clock() const { return services.clock; }
  random_port& random() const { return services.random; }
};

} // namespace lucid
