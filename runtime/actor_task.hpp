// runtime/actor_task.hpp - a piece of code that runs inside an actor: how work from elsewhere comes home.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>
#include <caf/type_id.hpp>

namespace lucid {

/// Handled by every supervised actor: runs once, on the actor's thread. Never leaves the process: on the wire it is
/// empty and does nothing.
struct actor_task {
  std::shared_ptr<std::function<void()>> run;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, actor_task&) {
  return f();
}

template <class F>
actor_task make_task(F&& f) {
  return {std::make_shared<std::function<void()>>(std::forward<F>(f))};
}

/// Opens the gate of a suspended actor: comes behind all that has waited. Never leaves the process.
struct actor_wake {
  std::uint64_t closings = 0; ///< As `actor_gate::closings` said when this was sent.
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, actor_wake& x) {
  return f(x.closings);
}

/// The inspector's reminder to itself. Never leaves the process.
struct inspection_timeout {
  std::uint64_t round = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, inspection_timeout& x) {
  return f(x.round);
}

} // namespace lucid

// Local types have a block of their own, far behind the vocabulary's.
CAF_BEGIN_TYPE_ID_BLOCK(lucid_runtime, first_custom_type_id + 400)
CAF_ADD_TYPE_ID(lucid_runtime, (lucid::actor_task))
CAF_ADD_TYPE_ID(lucid_runtime, (lucid::inspection_timeout))
CAF_ADD_TYPE_ID(lucid_runtime, (lucid::actor_wake))
CAF_END_TYPE_ID_BLOCK(lucid_runtime)

namespace lucid {

/// Runs `f` inside the supervised actor behind `handle`. Dropped when it is gone. From any thread.
template <class Handle, class F>
void run_inside(const Handle& handle, F&& f) {
  caf::anon_send(caf::actor_cast<caf::actor>(handle), make_task(std::forward<F>(f)));
}

/// Runs `f` inside `self` after `delay`, unless it is gone by then.
template <class Self, class Duration, class F>
void run_later(Self* self, Duration delay, F&& f) {
  caf::delayed_anon_send(caf::actor_cast<caf::actor>(self), delay, make_task(std::forward<F>(f)));
}

} // namespace lucid
