// actors/blobs/blobs_actor.cpp - tokens to answers that are owed.
#include "actors/blobs/blobs_actor.hpp"

#include <algorithm>
#include <unordered_map>

#include "messages/blobs_api.hpp"
#include "messages/flow_fields.hpp"
#include "runtime/actor_task.hpp"
#include "runtime/inspection/supervised.hpp"
#include "runtime/owed_answer.hpp"
#include "runtime/reply.hpp"
#include "runtime/supervision/spawn_child.hpp"

namespace lucid {
namespace {

using namespace std::chrono_literals;

/// The exchange is looked at this often at least: what the thread of the links began may have to be ended in time.
constexpr std::chrono::nanoseconds tick_max = 500ms;
constexpr std::chrono::nanoseconds tick_min = 5ms;

struct blobs_state {
  static inline const char* name = "blobs";
  std::shared_ptr<blob_exchange> exchange;
  std::uint64_t attachment = 0;
  std::unordered_map<std::uint64_t, owed_answer<blob_ref>> sends; ///< Bounded by the core, as the next.
  std::unordered_map<std::uint64_t, owed_answer<payload>> takes;
  std::uint64_t last_token = 0;
  std::uint64_t timer = 0; ///< The one that counts: an earlier wish replaces it.
  std::chrono::nanoseconds timer_at = std::chrono::nanoseconds::max();
  ~blobs_state() {
    if (exchange) exchange->detach(attachment);
  }
};

using blobs_self = blobs_api::stateful_pointer<blobs_state>;

struct blobs_shell {
  blobs_self self;
  const clock_port* clock;
  blobs_state& state() const { return self->state; }

  template <class Owed, class T>
  void settle(std::unordered_map<std::uint64_t, Owed>& owed, std::uint64_t token, outcome<T> result) const {
    auto found = owed.extract(token);
    if (found) lucid::deliver(found.mapped(), std::move(result));
  }

  void attach() const {
    // A weak hold: the exchange lives longer, and must not keep the actor.
    auto home = caf::actor_cast<caf::weak_actor_ptr>(self->ctrl());
    auto inside = [home](auto step) {
      if (auto actor = home.lock()) run_inside(actor, std::move(step));
    };
    auto me = *this;
    state().attachment = state().exchange->attach(
      {[inside, me](std::uint64_t token, outcome<blob_ref> result) {
         inside([me, token, result = std::move(result)]() mutable { me.settle(me.state().sends, token, std::move(result)); });
       },
       [inside, me](std::uint64_t token, outcome<payload> result) {
         inside([me, token, result = std::move(result)]() mutable { me.settle(me.state().takes, token, std::move(result)); });
       }});
  }

  void set_timer() const {
    auto now = clock->monotonic();
    auto in = std::clamp(state().exchange->next_tick_in().value_or(tick_max), tick_min, tick_max);
    if (state().timer_at <= now + in) return;
    state().timer_at = now + in;
    auto number = ++state().timer;
    run_later(self, in, [me = *this, number] {
      if (me.state().timer != number) return;
      me.state().timer_at = std::chrono::nanoseconds::max();
      me.state().exchange->tick();
      me.set_timer();
    });
  }
};

blobs_api::behavior_type blobs_actor(blobs_self self, actor_context ctx, std::shared_ptr<blob_exchange> exchange) {
  self->state.exchange = std::move(exchange);
  blobs_shell shell{self, &ctx.clock()};
  shell.attach();
  shell.set_timer();
  return supervised(
    self, ctx,
    {
      [self, shell](const blob_send_request& what) {
        owed_answer<blob_ref> owed(self);
        auto token = ++self->state.last_token;
        self->state.sends.emplace(token, owed);
        self->state.exchange->send(token, what);
        shell.set_timer();
        return owed.promise();
      },
      [self, shell](const blob_take_request& what) {
        owed_answer<payload> owed(self);
        auto token = ++self->state.last_token;
        self->state.takes.emplace(token, owed);
        self->state.exchange->take(token, what);
        shell.set_timer();
        return owed.promise();
      },
    },
    [self] {
      auto& x = *self->state.exchange;
      auto c = x.counters();
      return state_fields{{"sending", std::to_string(x.sending_count())},
                          {"sent", std::to_string(c.sent_count)},
                          {"received", std::to_string(c.received_count)},
                          {"sent bytes", std::to_string(c.sent_bytes)},
                          {"received bytes", std::to_string(c.received_bytes)},
                          {"resumed", std::to_string(c.resumed_count)},
                          {"refused", std::to_string(c.refused_count)},
                          {"corrupted", std::to_string(c.corrupted_count)},
                          {"dropped", std::to_string(c.dropped_count)},
                          {"broken rules", std::to_string(c.violations)},
                          {"held bytes", std::to_string(x.memory_bytes())}};
    });
}

} // namespace

child_spec blobs_child(std::shared_ptr<blob_exchange> exchange) {
  return {.id = "blobs", .start = child_of(blobs_actor, std::move(exchange)), .shutdown_timeout = 2s};
}

} // namespace lucid
