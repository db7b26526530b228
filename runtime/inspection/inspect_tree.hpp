// runtime/inspection/inspect_tree.hpp - all actors of a process at one glance.
#pragma once

#include <chrono>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include "messages/ports/clock.hpp"
#include "messages/type_ids.hpp"
#include "runtime/directory/directory.hpp"

namespace lucid {

/// The whole tree, ordered by path. An actor that does not answer within the time is told of from outside
/// (`answered` is false, `running_ns` says how long it has been stuck).
using inspector_api = caf::typed_actor<caf::replies_to<inspection_request>::with<std::vector<inspection>>>;

/// How long actors have for their own state. A console shows a stuck actor as such after this.
inline constexpr std::chrono::milliseconds inspection_patience{500};

/// An actor that answers `inspection_request` with the whole tree, any number of times. For actors that must not block.
inspector_api spawn_inspector(caf::actor_system& system, const directory& names, const clock_port& clock,
                              std::chrono::milliseconds patience = inspection_patience);

/// Without own state: reads counters only, sends nothing. Never blocks.
std::vector<inspection> inspect_from_outside(const directory& names, const clock_port& clock);

/// Blocks the calling thread, which must not be one of the scheduler's, for at most `patience` and a little.
std::vector<inspection> inspect_tree(caf::actor_system& system, const directory& names, const clock_port& clock,
                                     std::chrono::milliseconds patience = inspection_patience);

} // namespace lucid
