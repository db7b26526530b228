// actors/session/session_actor.hpp - the shell of session_core: drives the actors of one session through its life.
#pragma once

#include <atomic>
#include <memory>

#include "actors/session/session_core.hpp"
#include "runtime/supervision/specs.hpp"

namespace lucid {

struct session_options {
  session_id session{};
  session_limits limits;
  bool recovered = false; ///< The recording was begun by a process that is gone.
  /// By how much it was made longer; remembered when the actor is restarted. Never null.
  std::shared_ptr<std::atomic<std::uint32_t>> extended_seconds = std::make_shared<std::atomic<std::uint32_t>>(0);
};

/// Child spec of the session actor. A restarted one reads its state from the store and asks again for its work.
child_spec session_child(session_options options);

} // namespace lucid
