// runtime/inspection/supervised.cpp - the wrapper around an actor's handlers, and the words of its exceptions.
#include "runtime/inspection/supervised.hpp"

#include <exception>
#include <string>
#include <utility>

#include <caf/actor_system.hpp>
#include <caf/detail/behavior_impl.hpp>
#include <caf/make_counted.hpp>
#include <caf/uniform_type_info_map.hpp>

#include "messages/type_ids.hpp"
#include "runtime/actor_task.hpp"
#include "runtime/directory/directory.hpp"
#include "runtime/inspection/handler_scope.hpp"
#include "runtime/inspection/observed_actor.hpp"
#include "runtime/reply.hpp"
#include "runtime/supervision/spawn_child.hpp"

namespace lucid {

namespace {

// Tells types of messages apart: the same for equal element types, within one process.
std::uint64_t key_of(const caf::type_erased_tuple& xs) {
  std::uint64_t key = 0xcbf29ce484222325u;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    auto [number, info] = xs.type(i);
    key = (key ^ number ^ reinterpret_cast<std::uintptr_t>(info)) * 0x100000001b3u;
  }
  return key == 0 ? 1 : key;
}

std::string name_of(const caf::actor_system& system, const caf::type_erased_tuple& xs) {
  std::string name;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    if (i) name += ", ";
    const auto& part = system.types().portable_name(xs.type(i));
    name += part.empty() ? "unregistered" : part;
  }
  return name;
}

bool abnormal(const caf::error& reason) { return reason && reason != caf::exit_reason::user_shutdown; }

// What waits in the mailbox, and what was left in it before.
std::size_t waiting_count(caf::scheduled_actor* self) {
  auto skipped = self->get_normal_queue().cache().total_task_size() + self->get_urgent_queue().cache().total_task_size();
  return self->mailbox().size() + static_cast<std::size_t>(skipped);
}

/// The actor's own state, as far as it can be told.
state_fields state_of(const own_state& state) {
  if (!state) return {};
  auto told = state();
  if (told.size() > inspection_fields_max) told.resize(inspection_fields_max);
  return told;
}

// At an abnormal end, while the state is still there. What fails now must not hide why the actor ends.
void take_last_state(observed_actor& actor, const own_state& state) noexcept {
  if (std::exchange(actor.state_taken, true)) return;
  try {
    actor.last_state = state_of(state);
  } catch (...) {
    actor.last_state = {};
  }
}

/// Stands where CAF expects an actor's handlers.
/// Owns: the handlers. Threads: the actor's.
class measured_behavior final : public caf::detail::behavior_impl {
public:
  measured_behavior(pointer inner, caf::scheduled_actor* self, const actor_context& ctx, own_state state)
    : behavior_impl(inner ? inner->timeout() : caf::duration()), inner_(std::move(inner)), self_(self),
      by_{ctx.observed, &ctx.clock()}, slot_(ctx.directory().slot(ctx.path)), state_(std::move(state)) {
    begin_ = nullptr;
    end_ = nullptr;
  }

  // An actor that is ended by message loses its handlers before its state; one that is merely forgotten, after it.
  ~measured_behavior() override {
    if (!by_.actor) return;
    by_.actor->gate.drop_held();
    if (!self_->getf(caf::abstract_actor::is_cleaned_up_flag) && abnormal(self_->fail_state()))
      take_last_state(*by_.actor, state_);
  }

  using behavior_impl::invoke;

  caf::match_case::result invoke_empty(caf::detail::invoke_result_visitor& visitor) override {
    return inner_ ? inner_->invoke_empty(visitor) : caf::match_case::no_match;
  }

  caf::match_case::result invoke(caf::detail::invoke_result_visitor& visitor, caf::type_erased_tuple& xs) override {
    // Inspections are not part of what is inspected.
    if (xs.match_elements<inspection_request>()) return answer(visitor);
    if (xs.match_elements<actor_wake>()) return wake(visitor, xs);
    if (by_.actor && by_.actor->gate.closed()) [[unlikely]]
      return leave();
    handler_scope measured(by_, key_of(xs), [&] { return name_of(self_->home_system(), xs); }, self_->mailbox().size());
    auto result = inner_ ? inner_->invoke(visitor, xs) : caf::match_case::no_match;
    if (result == caf::match_case::no_match && xs.match_elements<actor_task>()) return run(visitor, xs);
    return result;
  }

  void handle_timeout() override { inner_->handle_timeout(); }

private:
  caf::match_case::result answer(caf::detail::invoke_result_visitor& visitor) {
    auto seen = slot_->inspect_from_outside(by_.clock->monotonic());
    seen.state = state_of(state_);
    seen.mailbox_length = waiting_count(self_);
    seen.answered = true;
    visitor(seen);
    return caf::match_case::match;
  }

  // Suspended: the message stays where it is, CAF looks at it again after the next one that is handled.
  caf::match_case::result leave() {
    by_.actor->stats.set_mailbox_length(waiting_count(self_) + 1);
    return caf::match_case::skip;
  }

  // Once it is handled CAF looks again at what was left in the same one of its two queues, the normal one. What was left
  // in the urgent one is put back in front of what has come since: a message to itself would let that overtake.
  caf::match_case::result wake(caf::detail::invoke_result_visitor& visitor, caf::type_erased_tuple& xs) {
    const auto what = xs.get_as<actor_wake>(0);
    if (by_.actor) {
      by_.actor->gate.open(what.closings);
      if (!by_.actor->gate.closed()) self_->get_urgent_queue().flush_cache();
    }
    visitor();
    return caf::match_case::match;
  }

  caf::match_case::result run(caf::detail::invoke_result_visitor& visitor, caf::type_erased_tuple& xs) {
    auto task = xs.get_as<actor_task>(0);
    if (task.run && *task.run) (*task.run)();
    visitor();
    return caf::match_case::match;
  }

  pointer inner_;
  caf::scheduled_actor* self_;
  handler_scope::owner by_;
  slot_ptr slot_;
  own_state state_;
};

caf::error describe(const std::string& path, const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& e) {
    return to_caf({errc::crashed, path, std::string("a handler threw: ") + e.what(), nullptr});
  } catch (...) {
    return to_caf({errc::crashed, path, "a handler threw something that is no exception", nullptr});
  }
}

void set_exception_words(caf::scheduled_actor* self, const actor_context& ctx, own_state state) {
  self->set_exception_handler([path = ctx.path, actor = ctx.observed, state = std::move(state)](
                                caf::scheduled_actor*, std::exception_ptr& thrown) {
    if (actor) take_last_state(*actor, state);
    return describe(path, thrown);
  });
}

} // namespace

namespace detail {

caf::behavior measured(caf::scheduled_actor* self, const actor_context& ctx, caf::behavior inner, own_state state) {
  set_exception_words(self, ctx, state);
  if (auto& actor = ctx.observed) {
    actor->stats.set_kind(self->name());
    actor->tap = ctx.directory().slot(ctx.path)->tap();
    actor->self = self;
  }
  caf::behavior::impl_ptr wrapped =
    caf::make_counted<measured_behavior>(inner.as_behavior_impl(), self, ctx, std::move(state));
  return caf::behavior(std::move(wrapped));
}

void introduce(caf::scheduled_actor* self, const actor_context& ctx) {
  set_exception_words(self, ctx, {});
  ctx.directory().slot(ctx.path)->publish(ctx.incarnation, caf::strong_actor_ptr(self->ctrl()), ctx.observed,
                                          ctx.clock().wall_us());
}

} // namespace detail
} // namespace lucid
