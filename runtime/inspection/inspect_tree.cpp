// runtime/inspection/inspect_tree.cpp - asks all actors at once and waits for the slowest, within bounds.
#include "runtime/inspection/inspect_tree.hpp"

#include <memory>
#include <utility>

#include <caf/all.hpp>

#include "messages/outcome.hpp"

namespace lucid {
namespace {

using tree = std::vector<inspection>;
using tree_promise = caf::typed_response_promise<tree>;

/// One answer in the making.
struct gathering {
  tree seen;
  std::size_t missing = 0;
  tree_promise promise;

  void arrived() {
    if (--missing == 0) promise.deliver(std::move(seen));
  }
};

inspector_api::behavior_type inspector(inspector_api::pointer self, const directory* names, const clock_port* clock,
                                       std::chrono::milliseconds patience) {
  return {[=](const inspection_request&) -> caf::result<tree> {
    auto all = std::make_shared<gathering>();
    all->promise = self->make_response_promise<tree>();
    const auto slots = names->slots();
    all->missing = slots.size() + 1; // One for us, so that nothing is delivered before all are asked.
    for (const auto& slot : slots) all->seen.push_back(slot->inspect_from_outside(clock->monotonic()));
    for (std::size_t i = 0; i < slots.size(); ++i) {
      auto actor = slots[i]->present().actor;
      if (!actor) {
        all->arrived();
        continue;
      }
      // The request is in nobody's typed interface: the wrapper around the handlers answers it.
      self->request<caf::message_priority::high>(caf::actor_cast<caf::actor>(actor), patience, inspection_request{})
        .then([all, i](inspection& answer) { all->seen[i] = std::move(answer); all->arrived(); },
              [all](caf::error&) { all->arrived(); });
    }
    all->arrived();
    return all->promise;
  }};
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
