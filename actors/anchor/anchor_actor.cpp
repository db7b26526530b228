// actors/anchor/anchor_actor.cpp - a batch to a ledger, its places to the store, the answers to who waits.
#include "actors/anchor/anchor_actor.hpp"

#include <algorithm>
#include <deque>
#include <utility>

#include "actors/anchor/anchor_dispatch.hpp"
#include "messages/mesh_api.hpp"
#include "messages/paths.hpp"
#include "messages/storage_api.hpp"
#include "runtime/actor_task.hpp"
#include "runtime/directory/ref.hpp"
#include "runtime/inspection/supervised.hpp"
#include "runtime/log/log.hpp"
#include "runtime/owed_answer.hpp"
#include "runtime/reply.hpp"
#include "runtime/supervision/spawn_child.hpp"

namespace lucid {
namespace {

using namespace std::chrono_literals;
using anchor_promise = owed_answer<stored_anchor>;

constexpr auto request_timeout = 60s; ///< A commit behind the chunks of all sessions, on a worn SD card.
constexpr auto remote_timeout = 120s; ///< The same on another node, there and back over Tor. A move of the role is noticed at once.
constexpr auto list_retry = 500ms;
constexpr auto look_interval = 100ms; ///< At who has the role.
constexpr auto role_patience = 30s;   ///< Then whoever asked is told that nobody anchors, and asks again.
constexpr std::size_t waiting_per_entry_max = 8; ///< Whoever asks again has given up on its earlier request.

struct anchor_state {
  static inline const char* name = "anchor";
  std::optional<anchor_core> core;
  anchor_dispatch dispatch;
  std::shared_ptr<cluster_port> cluster; ///< None: the role is not placed.
  std::map<anchor_core::entry_key, std::deque<anchor_promise>> waiting;
  ref<store_api> store;
  ref<ledger_api> chain;
  std::size_t unanswered = 0; ///< Of the batch under way: store requests.
  bool batch_failed = false;
  std::optional<anchor_core::time> timer_at;
  std::optional<anchor_core::time> nobody_since; ///< Since when nobody has the role, or since who waits was told so.
  std::string holder_name;
  std::uint64_t anchored_count = 0, violation_count = 0;
  std::string last_failure;
};

using anchor_self = anchor_api::stateful_pointer<anchor_state>;
using entries = std::vector<anchor_entry>;

/// Answers that trying again cannot change: what the entry is of is gone, or another.
bool is_final_refusal(errc code) {
  return code == errc::not_found || code == errc::invalid_input || code == errc::already_exists;
}

const member_view* member_of(const cluster_view& view, const node_id& node) {
  auto found = std::find_if(view.members.begin(), view.members.end(), [&](auto& one) { return one.id == node; });
  return found == view.members.end() ? nullptr : &*found;
}

/// The steps of one anchor actor. Handlers keep a copy; the state itself lives in the actor.
struct anchor_shell {
  anchor_self self;
  const clock_port* clock;
  directory* names;
  std::string path;
  anchor_state& state() const { return self->state; }

  /// What an earlier incarnation or process left.
  void begin() const {
    if (state().cluster) look();
    else state().dispatch.set_holder(anchor_holder{}); // This node, always.
    list_left();
  }

  void list_left() const {
    state().store.request(self, request_timeout, unanchored_list_request{})
      .then(
        [me = *this](const entries& left) {
          for (auto& entry : left) (void)me.state().core->add(entry, me.clock->monotonic()); // Bounded by the same number.
          me.go_on();
        },
        [me = *this](const caf::error&) { run_later(me.self, list_retry, [me] { me.list_left(); }); });
  }

  void take(const anchor_entry& entry, anchor_promise promise) const {
    auto added = state().core->add(entry, clock->monotonic());
    if (!added) {
      promise.deliver(to_caf(added.error()));
      return;
    }
    auto& waiting = state().waiting[anchor_core::key_of(entry)];
    waiting.push_back(std::move(promise));
    if (waiting.size() > waiting_per_entry_max) {
      waiting.front().deliver(to_caf({errc::busy, "anchor", "asked again too often; wait for one answer", nullptr}));
      waiting.pop_front();
    }
    go_on();
  }

  // --- who has the role -------------------------------------------------------------------------------------------

  /// Now and then, as long as the actor lives.
  void look() const {
    auto view = state().cluster->view();
    std::optional<anchor_holder> holder;
    if (auto* lease = anchor_lease(view)) holder = anchor_holder{lease->holder, lease->fence, road_to(view, lease->holder)};
    if (holder != state().dispatch.holder()) moved(view, holder);
    tell_late(holder.has_value());
    go_on();
    run_later(self, look_interval, [me = *this] { me.look(); });
  }

  std::uint64_t road_to(const cluster_view& view, const node_id& node) const {
    auto* member = member_of(view, node);
    if (!member || node == view.self) return 0;
    return names->slot(paths::of_node(member->name, paths::anchoring))->present().generation;
  }

  void moved(const cluster_view& view, const std::optional<anchor_holder>& holder) const {
    auto& s = state();
    auto* member = holder ? member_of(view, holder->node) : nullptr;
    s.holder_name = member ? member->name : std::string();
    auto before = s.dispatch.holder();
    bool same = holder && before && holder->node == before->node && holder->fence == before->fence;
    if (same) log::debug(log::speaker{path}, "the way to {} is another; what is under way is sent again", s.holder_name);
    else if (holder) log::info(log::speaker{path}, "recordings are anchored by {} (lease {})", s.holder_name, holder->fence);
    else log::warn(log::speaker{path}, "nobody has the role anchor at present: {} manifests wait", s.core->pending_count());
    bool lost = s.dispatch.set_holder(holder);
    if (lost) s.core->batch_lost(clock->monotonic());
    else if (holder) s.core->start_over(clock->monotonic());
  }

  /// The entries are kept; who asked does so again. So a session hears that it is held up, and nothing worse.
  void tell_late(bool somebody) const {
    auto now = clock->monotonic();
    auto& since = state().nobody_since;
    if (somebody) return since.reset();
    if (!since) since = now;
    if (now - *since < role_patience) return;
    since = now;
    for (auto& [key, waiting] : std::exchange(state().waiting, {}))
      for (auto& promise : waiting)
        promise.deliver(to_caf({errc::busy, "anchor", "no node has the role anchor at present; the manifest waits here", nullptr}));
  }

  // --- a batch ----------------------------------------------------------------------------------------------------

  void go_on() const {
    if (!state().dispatch.holder()) return; // The next look goes on.
    auto batch = state().core->take_batch(clock->monotonic());
    if (batch.empty()) return set_timer();
    state().batch_failed = false;
    auto attempt = state().dispatch.begin();
    if (!attempt) return batch_ended({errc::internal, "anchor", "two batches are under way", nullptr});
    auto& holder = *state().dispatch.holder();
    if (!state().cluster || holder.node == state().cluster->view().self) ask_here(*attempt, std::move(batch));
    else ask_there(*attempt, holder, std::move(batch));
  }

  void ask_here(std::uint64_t attempt, entries batch) const {
    state().chain.request(self, request_timeout, ledger_append_request{batch})
      .then([me = *this, attempt, batch](const std::vector<anchored_entry>& answer) { me.answered_here(attempt, batch, answer); },
            failing(attempt));
  }

  void ask_there(std::uint64_t attempt, const anchor_holder& holder, entries batch) const {
    auto view = state().cluster->view();
    auto* member = member_of(view, holder.node);
    if (!member) return attempt_failed(attempt, {errc::unreachable, "anchor", "the node that anchors has gone", nullptr});
    ref<anchoring_api>(*names, paths::of_node(member->name, paths::anchoring))
      .request(self, remote_timeout, remote_anchor_request{holder.fence, batch})
      .then(
        [me = *this, attempt, batch, producer = member->sign_key](const std::vector<anchored_entry>& answer) {
          me.answered_there(attempt, batch, answer, producer);
        },
        failing(attempt));
  }

  void answered_here(std::uint64_t attempt, const entries& batch, const std::vector<anchored_entry>& answer) const {
    if (!state().dispatch.end(attempt)) return;
    if (answer.size() != batch.size())
      return batch_ended({errc::protocol_violation, "anchor", "the ledger answered another number of entries", nullptr});
    std::vector<stored_anchor> places;
    for (auto& one : answer) places.push_back({one.record, std::nullopt});
    store(places);
  }

  /// Another node may be wrong, or lie: what does not hold is not stored, and tried again.
  void answered_there(std::uint64_t attempt, const entries& batch, const std::vector<anchored_entry>& answer,
                      const sign_public_key& producer) const {
    if (!state().dispatch.end(attempt)) return;
    auto verdicts = check_anchored(batch, answer, producer);
    std::vector<stored_anchor> places;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (verdicts[i]) {
        places.push_back({answer[i].record, answer[i].block});
        continue;
      }
      ++state().violation_count;
      state().batch_failed = true;
      state().last_failure = to_string(verdicts[i].error());
    }
    if (state().batch_failed) log::warn(log::speaker{path}, "{}: {}", state().holder_name, state().last_failure);
    if (places.empty()) return end_batch();
    store(places);
  }

  void store(const std::vector<stored_anchor>& places) const {
    state().unanswered = places.size();
    for (auto& place : places) {
      auto key = anchor_core::key_of(place.record.entry);
      state().store.request(self, request_timeout, anchor_put_request{place})
        .then([me = *this, key](const stored_anchor& anchor) { me.stored(key, anchor); },
              [me = *this, key](const caf::error& e) { me.not_stored(key, from_caf(e)); });
    }
  }

  void stored(const anchor_core::entry_key& key, const stored_anchor& anchor) const {
    ++state().anchored_count;
    state().core->done(key);
    for (auto& promise : take_waiting(key)) promise.deliver(anchor);
    one_answered();
  }

  void not_stored(const anchor_core::entry_key& key, const error& why) const {
    if (is_final_refusal(why.code)) {
      state().core->forget(key);
      for (auto& promise : take_waiting(key)) promise.deliver(to_caf(why));
    } else {
      state().batch_failed = true;
    }
    state().last_failure = to_string(why);
    one_answered();
  }

  std::deque<anchor_promise> take_waiting(const anchor_core::entry_key& key) const {
    auto found = state().waiting.extract(key);
    return found ? std::move(found.mapped()) : std::deque<anchor_promise>();
  }

  void one_answered() const {
    if (--state().unanswered == 0) end_batch();
  }

  std::function<void(const caf::error&)> failing(std::uint64_t attempt) const {
    return [me = *this, attempt](const caf::error& e) { me.attempt_failed(attempt, from_caf(e)); };
  }

  void attempt_failed(std::uint64_t attempt, const error& why) const {
    if (state().dispatch.end(attempt)) batch_ended(why);
  }

  void batch_ended(const error& why) const {
    state().last_failure = to_string(why);
    state().batch_failed = true;
    end_batch();
  }

  void end_batch() const {
    state().core->batch_ended(state().batch_failed, clock->monotonic());
    go_on();
  }

  void set_timer() const {
    auto at = state().core->wake_at();
    if (!at || (state().timer_at && *state().timer_at <= *at)) return;
    state().timer_at = at;
    run_later(self, std::max(*at - clock->monotonic(), std::chrono::nanoseconds(0)), [me = *this] {
      me.state().timer_at.reset();
      me.go_on();
    });
  }
};

anchor_api::behavior_type anchor_actor(anchor_self self, actor_context ctx, anchor_limits limits,
                                       std::shared_ptr<cluster_port> cluster) {
  auto& state = self->state;
  state.core.emplace(limits);
  state.cluster = std::move(cluster);
  state.store = {ctx.directory(), paths::store};
  state.chain = {ctx.directory(), paths::ledger};
  anchor_shell shell{self, &ctx.clock(), &ctx.directory(), ctx.path};
  shell.begin();
  return supervised(
    self, ctx,
    {
      [self, shell](const anchor_entry& entry) {
        anchor_promise promise(self);
        shell.take(entry, promise);
        return promise.promise();
      },
    },
    [self] {
      auto& s = self->state;
      state_fields fields{{"pending", std::to_string(s.core->pending_count())},
                          {"anchored", std::to_string(s.anchored_count)},
                          {"failures in a row", std::to_string(s.core->failures_in_row())},
                          {"last failure", s.last_failure}};
      if (!s.cluster) return fields;
      auto& holder = s.dispatch.holder();
      fields.push_back({"anchored by", holder ? s.holder_name : "nobody at present"});
      fields.push_back({"lease", holder ? std::to_string(holder->fence) : ""});
      fields.push_back({"answers that did not hold", std::to_string(s.violation_count)});
      return fields;
    });
}

} // namespace

child_spec anchor_child(anchor_limits limits, std::shared_ptr<cluster_port> cluster) {
  return {.id = "anchor", .start = child_of(anchor_actor, limits, std::move(cluster)), .shutdown_timeout = 2s};
}

} // namespace lucid
