// runtime/inspection/supervised.cpp - the wrapper around an actor's handlers, and the words of its exceptions.
#include "runtime/inspection/supervised.hpp"

#include <exception>
#include <string>

#include <caf/actor_system.hpp>
#include <caf/detail/behavior_impl.hpp>
#include <caf/make_counted.hpp>
#include <caf/uniform_type_info_map.hpp>

#include "messages/type_ids.hpp"
#include "runtime/actor_task.hpp"
#include "runtime/directory/directory.hpp"
#include "runtime/inspection/handler_scope.hpp"
#include "runtime/reply.hpp"
#include "runtime/supervision/spawn_child.hpp"

namespace lucid {

thread_local const handler_scope::owner* handler_scope::current_ = nullptr;

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

/// Stands where CAF expects an actor's handlers.
/// Owns: the handlers. Threads: the actor's.
class measured_behavior final : public caf::detail::behavior_impl {
public:
  measured_behavior(pointer inner, caf::scheduled_actor* self, const actor_context& ctx, own_state state)
    : behavior_impl(inner ? inner->timeout() : caf::duration()), inner_(std::move(inner)), self_(self),
      by_{ctx.stats, &ctx.clock()}, slot_(ctx.directory().slot(ctx.path)), state_(std::move(state)) {
    begin_ = nullptr;
    end_ = nullptr;
  }

  using behavior_impl::invoke;

  caf::match_case::result invoke_empty(caf::detail::invoke_result_visitor& visitor) override {
    return inner_ ? inner_->invoke_empty(visitor) : caf::match_case::no_match;
  }

  caf::match_case::result invoke(caf::detail::invoke_result_visitor& visitor, caf::type_erased_tuple& xs) override {
    // Inspections are not part of what is inspected.
    if (xs.match_elements<inspection_request>()) return answer(visitor);
    handler_scope measured(by_, key_of(xs), [&] { return name_of(self_->home_system(), xs); }, self_->mailbox().size());
    auto result = inner_ ? inner_->invoke(visitor, xs) : caf::match_case::no_match;
    if (result == caf::match_case::no_match && xs.match_elements<actor_task>()) return run(visitor, xs);
    return result;
  }

  void handle_timeout() override { inner_->handle_timeout(); }

private:
  caf::match_case::result answer(caf::detail::invoke_result_visitor& visitor) {
    auto seen = slot_->inspect_from_outside(by_.clock->monotonic());
    if (state_) seen.state = state_();
    if (seen.state.size() > inspection_fields_max) seen.state.resize(inspection_fields_max);
    seen.mailbox_length = self_->mailbox().size();
    seen.answered = true;
    visitor(seen);
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

void set_exception_words(caf::scheduled_actor* self, const std::string& path) {
  self->set_exception_handler([path](caf::scheduled_actor*, std::exception_ptr& thrown) { return describe(path, thrown); });
}

} // namespace

namespace detail {

caf::behavior measured(caf::scheduled_actor* self, const actor_context& ctx, caf::behavior inner, own_state state) {
  set_exception_words(self, ctx.path);
  if (ctx.stats) ctx.stats->set_kind(self->name());
  caf::behavior::impl_ptr wrapped =
    caf::make_counted<measured_behavior>(inner.as_behavior_impl(), self, ctx, std::move(state));
  return caf::behavior(std::move(wrapped));
}

void introduce(caf::scheduled_actor* self, const actor_context& ctx) {
  set_exception_words(self, ctx.path);
  ctx.directory().slot(ctx.path)->publish(ctx.incarnation, caf::strong_actor_ptr(self->ctrl()), ctx.stats,
                                          ctx.clock().wall_us());
}

} // namespace detail
} // namespace lucid
