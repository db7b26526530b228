// actors/anchor/anchor_actor.cpp - a batch to the ledger, its places to the store, the answers to who waits.
#include "actors/anchor/anchor_actor.hpp"

#include <deque>

#include "messages/paths.hpp"
#include "messages/storage_api.hpp"
#include "runtime/actor_task.hpp"
#include "runtime/directory/ref.hpp"
#include "runtime/inspection/supervised.hpp"
#include "runtime/owed_answer.hpp"
#include "runtime/reply.hpp"
#include "runtime/supervision/spawn_child.hpp"

namespace lucid {
namespace {

using namespace std::chrono_literals;
using anchor_promise = owed_answer<anchor_record>;

constexpr auto request_timeout = 60s; ///< A commit behind the chunks of all sessions, on a worn SD card.
constexpr auto list_retry = 500ms;
constexpr std::size_t waiting_per_entry_max = 8; ///< Whoever asks again has given up on its earlier request.

struct anchor_state {
  static inline const char* name = "anchor";
  std::optional<anchor_core> core;
  std::map<anchor_core::entry_key, std::deque<anchor_promise>> waiting;
  ref<store_api> store;
  ref<ledger_api> chain;
  std::size_t unanswered = 0; ///< Of the batch under way: store requests.
  bool batch_failed = false;
  std::optional<anchor_core::time> timer_at;
  std::uint64_t anchored_count = 0;
  std::string last_failure;
};

using anchor_self = anchor_api::stateful_pointer<anchor_state>;

/// Answers that trying again cannot change: what the entry is of is gone, or another.
bool is_final_refusal(errc code) {
  return code == errc::not_found || code == errc::invalid_input || code == errc::already_exists;
}

/// The steps of one anchor actor. Handlers keep a copy; the state itself lives in the actor.
struct anchor_shell {
  anchor_self self;
  const clock_port* clock;
  anchor_state& state() const { return self->state; }

  /// What an earlier incarnation or process left.
  void begin() const {
    state().store.request(self, request_timeout, unanchored_list_request{})
      .then(
        [me = *this](const std::vector<anchor_entry>& left) {
          for (auto& entry : left) (void)me.state().core->add(entry, me.clock->monotonic()); // Bounded by the same number.
          me.go_on();
        },
        [me = *this](const caf::error&) { run_later(me.self, list_retry, [me] { me.begin(); }); });
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

  void go_on() const {
    auto batch = state().core->take_batch(clock->monotonic());
    if (batch.empty()) return set_timer();
    state().batch_failed = false;
    state().chain.request(self, request_timeout, ledger_append_request{batch})
      .then([me = *this, batch](const std::vector<anchor_record>& records) { me.placed(batch, records); },
            [me = *this](const caf::error& e) { me.batch_ended(from_caf(e)); });
  }

  void placed(const std::vector<anchor_entry>& batch, const std::vector<anchor_record>& records) const {
    if (records.size() != batch.size())
      return batch_ended(error{errc::protocol_violation, "anchor", "the ledger answered another number of entries", nullptr});
    state().unanswered = records.size();
    for (std::size_t i = 0; i < records.size(); ++i) {
      auto key = anchor_core::key_of(batch[i]);
      state().store.request(self, request_timeout, anchor_put_request{records[i]})
        .then([me = *this, key](const anchor_record& record) { me.stored(key, record); },
              [me = *this, key](const caf::error& e) { me.not_stored(key, from_caf(e)); });
    }
  }

  void stored(const anchor_core::entry_key& key, const anchor_record& record) const {
    ++state().anchored_count;
    state().core->done(key);
    for (auto& promise : take_waiting(key)) promise.deliver(record);
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
    if (--state().unanswered > 0) return;
    state().core->batch_ended(state().batch_failed, clock->monotonic());
    go_on();
  }

  void batch_ended(const error& why) const {
    state().last_failure = to_string(why);
    state().core->batch_ended(true, clock->monotonic());
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

anchor_api::behavior_type anchor_actor(anchor_self self, actor_context ctx, anchor_limits limits) {
  auto& state = self->state;
  state.core.emplace(limits);
  state.store = {ctx.directory(), paths::store};
  state.chain = {ctx.directory(), paths::ledger};
  anchor_shell shell{self, &ctx.clock()};
  shell.begin();
  return supervised(
    self, ctx,
    {
      [self, shell](const anchor_entry& entry) {
        owed_answer<anchor_record> promise(self);
        shell.take(entry, promise);
        return promise.promise();
      },
    },
    [self] {
      auto& s = self->state;
      return state_fields{{"pending", std::to_string(s.core->pending_count())},
                          {"anchored", std::to_string(s.anchored_count)},
                          {"failures in a row", std::to_string(s.core->failures_in_row())},
                          {"last failure", s.last_failure}};
    });
}

} // namespace

child_spec anchor_child(anchor_limits limits) {
  return {.id = "anchor", .start = child_of(anchor_actor, limits), .shutdown_timeout = 2s};
}

} // namespace lucid
