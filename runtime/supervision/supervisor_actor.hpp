// runtime/supervision/supervisor_actor.hpp - the shell of supervisor_core: starts, watches and stops actors.
#pragma once

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>

#include "messages/outcome.hpp"
#include "runtime/actor_context.hpp"
#include "runtime/supervision/specs.hpp"

namespace lucid {

/// Spawns a supervisor with a fixed list of children. `prefix` stands before their ids in their paths: "" or "x/".
/// It traps exits: an exit message from anybody is a request to stop in order; `kill` takes the children along.
outcome<caf::actor> spawn_supervisor(caf::actor_system& system, const actor_context& ctx, supervisor_spec spec,
                                     std::string prefix);

/// Spawns a dynamic supervisor: a `dynamic_supervisor_api`.
outcome<caf::actor> spawn_supervisor(caf::actor_system& system, const actor_context& ctx, dynamic_spec spec,
                                     std::string prefix);

} // namespace lucid
