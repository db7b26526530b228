// runtime/inspection/supervised.hpp - installs handlers so that they are measured, inspectable and fail in words.
#pragma once

#include <functional>
#include <utility>

#include <caf/behavior.hpp>
#include <caf/scheduled_actor.hpp>

#include "messages/inspection.hpp"
#include "runtime/actor_context.hpp"

namespace lucid {

/// Rows an actor adds to its inspection. Called on the actor's thread.
using own_state = std::function<state_fields()>;

namespace detail {
/// Wraps `inner`; sets the exception handler of `self`.
caf::behavior measured(caf::scheduled_actor* self, const actor_context& ctx, caf::behavior inner, own_state state);
} // namespace detail

/// What the behaviour function of a supervised actor returns:
///
///     return supervised(self, ctx, {
///       [self](const chunk_record& r) { ... },
///     }, [self] { return state_fields{{"chunks", std::to_string(self->state.count)}}; });
///
/// Each handler is measured; `inspection_request` and `actor_task` are answered beside the actor's own interface; while
/// the actor is suspended its messages wait; an exception ends the actor with `crashed` and the exception's text. Works for typed and untyped, scheduled and
/// detached actors. Handlers given to `self->request(...).then` directly are neither measured nor held up, those of
/// `ref::request` are.
template <class Self>
typename Self::behavior_type supervised(Self* self, const actor_context& ctx, typename Self::behavior_type handlers,
                                        own_state state = {}) {
  auto wrapped = detail::measured(self, ctx, std::move(handlers.unbox()), std::move(state));
  if constexpr (std::is_same_v<typename Self::behavior_type, caf::behavior>)
    return wrapped;
  else
    return typename Self::behavior_type(typename Self::behavior_type::unsafe_init{}, std::move(wrapped));
}

} // namespace lucid
