// runtime/inspection/observed_actor.hpp - one incarnation as others see it and hold it.
#pragma once

#include <chrono>
#include <memory>

#include <caf/fwd.hpp>

#include "messages/inspection.hpp"
#include "runtime/inspection/actor_gate.hpp"
#include "runtime/inspection/actor_stats.hpp"
#include "runtime/inspection/message_tap.hpp"

namespace lucid {

/// Shared by the actor, its supervisor and the slot of its path.
/// Threads: `stats` and `gate` as they say. The rest is the actor's while it lives and its supervisor's afterwards.
struct observed_actor {
  explicit observed_actor(std::chrono::nanoseconds now) : stats(now) {}

  actor_stats stats;
  actor_gate gate;
  std::shared_ptr<message_tap> tap;     ///< Of the path; null until its handlers are in place.
  caf::scheduled_actor* self = nullptr; ///< Itself; null until its handlers are in place.
  state_fields last_state;              ///< At an abnormal end.
  bool state_taken = false;
  bool failing = false;                 ///< It ended in the handler of its last message.
};

} // namespace lucid
