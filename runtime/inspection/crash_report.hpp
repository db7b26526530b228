// runtime/inspection/crash_report.hpp - what is left of an actor that ended abnormally, for its capsule.
#pragma once

#include <cstdint>
#include <string>

#include "messages/capsule.hpp"
#include "runtime/actor_context.hpp"
#include "runtime/directory/directory.hpp"
#include "runtime/inspection/observed_actor.hpp"

namespace lucid {

/// The capsule of the incarnation that `observed` was, without an id. `ctx` is its supervisor's.
/// Threads: the supervisor's, after the actor's end.
crash_capsule crash_report(const directory_slot& slot, std::uint64_t incarnation, const observed_actor& observed,
                           std::string reason, const actor_context& ctx);

} // namespace lucid
