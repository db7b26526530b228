// runtime/supervision/spawn_child.hpp - start functions of children, from behaviour functions.
#pragma once

#include <exception>
#include <string>
#include <tuple>
#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/spawn_options.hpp>

#include "messages/outcome.hpp"
#include "runtime/actor_context.hpp"
#include "runtime/inspection/handler_scope.hpp"
#include "runtime/supervision/specs.hpp"

namespace lucid {
namespace detail {
/// Called first on the actor's own thread: exceptions get words, and the directory knows it before it sends anything.
void introduce(caf::scheduled_actor* self, const actor_context& ctx);
} // namespace detail

/// Spawns `behaviour(self, ctx, args...)` as the incarnation that `ctx` describes.
/// Options: e.g. `caf::detached` for actors that block.
template <caf::spawn_options Options = caf::no_spawn_options, class Self, class Behavior, class... Params, class... Args>
outcome<caf::actor> spawn_child(caf::actor_system& system, const actor_context& ctx,
                                Behavior (*behaviour)(Self*, actor_context, Params...), Args&&... args) {
  auto begin = [behaviour](Self* self, actor_context who, Params... params) -> Behavior {
    detail::introduce(self, who);
    handler_scope::on_behalf_of starting({who.observed, &who.clock()});
    return behaviour(self, std::move(who), std::move(params)...);
  };
  return caf::actor_cast<caf::actor>(system.spawn<Options>(begin, ctx, std::forward<Args>(args)...));
}

/// A start function that spawns `behaviour(self, ctx, args...)` each time, with copies of `args`:
///
///     child_spec{.id = "store", .start = child_of<caf::detached>(store_actor, config)}
template <caf::spawn_options Options = caf::no_spawn_options, class Self, class Behavior, class... Params, class... Args>
start_function child_of(Behavior (*behaviour)(Self*, actor_context, Params...), Args... args) {
  return [behaviour, kept = std::make_tuple(std::move(args)...)](caf::actor_system& system, const actor_context& ctx) {
    return std::apply([&](const auto&... xs) { return spawn_child<Options>(system, ctx, behaviour, xs...); }, kept);
  };
}

} // namespace lucid
