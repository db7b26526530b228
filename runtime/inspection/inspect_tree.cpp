// runtime/inspection/inspect_tree.cpp - asks all actors at once and waits for the slowest, within bounds.
#include "runtime/inspection/inspect_tree.hpp"

#include <map>
#include <string>
#include <utility>

#include <caf/all.hpp>

#include "runtime/actor_task.hpp"

namespace lucid {
namespace {

using tree = std::vector<inspection>;
using tree_promise = caf::typed_response_promise<tree>;

/// One look at the tree. Whoever asks while it is under way gets the same.
struct inspector_state {
  static inline const char* name = "inspector";
  tree seen;
  std::map<std::string, std::size_t, std::less<>> missing; ///< Path to its place in `seen`.
  std::vector<tree_promise> asking;
  std::uint64_t round = 0;

  void finish() {
    ++round;
    missing.clear();
    auto all = std::exchange(asking, {});
    for (auto& promise : all) promise.deliver(seen);
    seen.clear();
  }
};

using inspector_impl = inspector_api::extend<caf::reacts_to<inspection>, caf::reacts_to<inspection_timeout>>;

void look(inspector_impl::stateful_pointer<inspector_state> self, const directory& names, const clock_port& clock) {
  auto& state = self->state;
  for (const auto& slot : names.slots()) {
    if (auto actor = slot->present().actor) {
      state.missing.emplace(slot->path(), state.seen.size());
      // In nobody's typed interface: the wrapper around the handlers answers it. Sent, not requested: one timer for
      // all instead of one for each, and nothing is kept of those that never answer.
      actor->get()->eq_impl(caf::make_message_id(caf::message_priority::high), self->ctrl(), self->context(),
                            inspection_request{});
    }
    state.seen.push_back(slot->inspect_from_outside(clock.monotonic()));
  }
}

inspector_impl::behavior_type inspector(inspector_impl::stateful_pointer<inspector_state> self, const directory* names,
                                        const clock_port* clock, std::chrono::milliseconds patience) {
  self->set_error_handler([](caf::scheduled_actor*, caf::error&) {}); // Somebody who is no supervised actor.
  return {
    [=](const inspection_request&) -> caf::result<tree> {
      auto promise = self->make_response_promise<tree>();
      self->state.asking.push_back(promise);
      if (self->state.asking.size() > 1) return promise;
      look(self, *names, *clock);
      if (self->state.missing.empty())
        self->state.finish();
      else
        self->delayed_send(self, patience, inspection_timeout{self->state.round});
      return promise;
    },
    [=](inspection& answer) {
      auto& state = self->state;
      auto known = state.missing.find(answer.path);
      if (known == state.missing.end()) return; // Of an earlier round.
      state.seen[known->second] = std::move(answer);
      state.missing.erase(known);
      if (state.missing.empty()) state.finish();
    },
    [=](const inspection_timeout& late) {
      if (late.round == self->state.round && !self->state.asking.empty()) self->state.finish();
    },
  };
}

} // namespace

inspector_api spawn_inspector(caf::actor_system& system, const directory& names, const clock_port& clock,
                              std::chrono::milliseconds patience) {
  return system.spawn(inspector, &names, &clock, patience);
}

tree inspect_from_outside(const directory& names, const clock_port& clock) {
  tree seen;
  for (const auto& slot : names.slots()) seen.push_back(slot->inspect_from_outside(clock.monotonic()));
  return seen;
}

tree inspect_tree(caf::actor_system& system, const directory& names, const clock_port& clock,
                  std::chrono::milliseconds patience) {
  auto asked = spawn_inspector(system, names, clock, patience);
  caf::scoped_actor self(system);
  tree seen;
  self->request(asked, 2 * patience, inspection_request{})
    .receive([&](tree& all) { seen = std::move(all); },
             [&](caf::error&) { seen = inspect_from_outside(names, clock); });
  caf::anon_send_exit(asked, caf::exit_reason::user_shutdown);
  return seen;
}

} // namespace lucid
