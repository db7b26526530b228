// runtime/inspection/inspect_tree.cpp - asks all actors at once and waits for the slowest, within bounds.
#include "runtime/inspection/inspect_tree.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <caf/all.hpp>

#include "runtime/actor_task.hpp"

namespace lucid {
namespace {

using tree = std::vector<inspection>;
using tree_promise = caf::typed_response_promise<tree>;

/// The senders of one actor by path: incarnations of one path are one sender, and so are all that have none.
void name_senders(inspection& one, const std::unordered_map<std::uint64_t, std::string>& paths) {
  for (auto& sender : one.senders)
    if (auto known = paths.find(sender.actor_id); known != paths.end()) sender.path = known->second;
  auto& all = one.senders;
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  std::size_t last = 0;
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (all[i].path == all[last].path)
      all[last].count += all[i].count;
    else if (++last != i)
      all[last] = std::move(all[i]);
  }
  if (!all.empty()) all.resize(last + 1);
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.count > b.count; });
}

/// What can only be told of all actors together.
void complete(tree& seen, const directory& names) {
  const auto paths = names.paths_by_actor();
  std::unordered_map<std::string_view, std::uint32_t> children;
  for (const auto& one : seen)
    if (!one.spec.parent.empty()) ++children[one.spec.parent];
  for (auto& one : seen) {
    name_senders(one, paths);
    if (auto known = children.find(one.path); known != children.end()) one.child_count = known->second;
  }
}

/// One look at the tree. Whoever asks while it is under way gets the same.
struct inspector_state {
  static inline const char* name = "inspector";
  tree seen;
  std::map<std::string, std::size_t, std::less<>> missing; ///< Path to its place in `seen`.
  std::vector<tree_promise> asking;
  std::uint64_t round = 0;

  void finish(const directory& names) {
    ++round;
    missing.clear();
    complete(seen, names);
    auto all = std::exchange(asking, {});
    for (std::size_t i = 1; i < all.size(); ++i) all[i].deliver(seen);
    if (!all.empty()) all[0].deliver(std::exchange(seen, {}));
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
        self->state.finish(*names);
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
      if (state.missing.empty()) state.finish(*names);
    },
    [=](const inspection_timeout& late) {
      if (late.round == self->state.round && !self->state.asking.empty()) self->state.finish(*names);
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
  complete(seen, names);
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
