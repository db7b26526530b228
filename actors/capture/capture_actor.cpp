// actors/capture/capture_actor.cpp - turns the core's steps into messages, and the worker's news into the core's calls.
#include "actors/capture/capture_actor.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include <caf/all.hpp>

#include "messages/flow_fields.hpp"
#include "messages/paths.hpp"
#include "messages/pipeline_api.hpp"
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

constexpr auto ask_timeout = 30s;
constexpr auto ask_pause = 500ms; ///< Before the journal or the store is asked again.

/// A chunk that withholds its answer for want of room is no failure; one that dies answers at once.
constexpr auto chunk_timeout = 120s;

/// A silent worker is noticed a quarter late at most, and within 5 s.
constexpr std::chrono::milliseconds watch_interval_max = 5s;

/// A worker that was asked to stop has a frame to encode and 2 s to close its connection.
constexpr auto stop_patience = 20s;

/// Between two requests to sync what is under way at the end; a sync takes some milliseconds.
constexpr auto hasten_interval = 50ms;

using position_promise = owed_answer<capture_position>;

struct capture_state {
  static inline const char* name = "capture";
  capture_parts parts;
  std::optional<capture_core> core; // Set once the journal and the store have answered.
  bool beginning = false;
  std::unique_ptr<capture_worker> worker;
  std::uint64_t worker_number = 0;  // News of earlier workers are old.
  std::chrono::nanoseconds last_heard{};
  std::vector<position_promise> starting;
  std::vector<position_promise> stopping;
  bool stop_wanted = false;
  std::optional<capture_end> end;

  ref<journal_api> journal;
  ref<chunk_api> chunk;
  ref<session_api> session;
  ref<store_api> store;
};

using capture_self = capture_api::stateful_pointer<capture_state>;

void wipe(std::string& secret) noexcept {
  if (!secret.empty()) ::explicit_bzero(secret.data(), secret.size());
  secret.clear();
}

/// The steps of one capture actor. Handlers keep a copy; the state itself lives in the actor.
struct capture_shell {
  capture_self self;
  const clock_port* clock;
  capture_state& state() const { return self->state; }

  // --- start: the store's row, then the journal's end ------------------------------------------------------------

  /// A new incarnation goes on by itself if the session still records.
  void resume() const {
    auto me = *this;
    state().store.request(self, ask_timeout, session_get_request{state().parts.options.session})
      .then(
        [me](const session_row& row) {
          if (row.summary.state == session_state::recording && !me.state().stop_wanted) me.begin(row.what);
        },
        [me](const caf::error& failed) {
          if (from_caf(failed).code != errc::not_found) run_later(me.self, ask_pause, [me] { me.resume(); });
        });
  }

  void begin(capture_request what) const {
    if (state().core || std::exchange(state().beginning, true)) return;
    if (what.password.empty() && state().parts.password) what.password = state().parts.password();
    find_base(std::move(what));
  }

  void find_base(capture_request what) const {
    auto me = *this;
    state().store.request(self, ask_timeout, session_get_request{state().parts.options.session})
      .then([me, what](const session_row& row) { me.find_position(what, row.summary.created_us); },
            [me, what](const caf::error&) { run_later(me.self, ask_pause, [me, what] { me.find_base(what); }); });
  }

  void find_position(const capture_request& what, unix_time_us base_us) const {
    auto me = *this;
    state().journal.request(self, ask_timeout, journal_sync_request{})
      .then(
        [me, what, base_us](const capture_position& position) {
          me.state().core.emplace(me.state().parts.options, what, position, base_us);
          me.carry_out(me.state().core->begin());
          if (me.state().stop_wanted) me.carry_out(me.state().core->stop(me.clock->wall_us()));
        },
        [me, what, base_us](const caf::error&) {
          run_later(me.self, ask_pause, [me, what, base_us] { me.find_position(what, base_us); });
        });
  }

  // --- the core's steps -------------------------------------------------------------------------------------------

  void carry_out(capture_steps steps) const {
    for (auto& step : steps) std::visit([this](auto& one) { execute(one); }, step);
  }

  void execute(capture_action::send_fragment& wish) const {
    auto me = *this;
    auto round = wish.round;
    state().chunk.request(self, chunk_timeout, std::move(wish.what))
      .then([me](std::uint64_t sequence) { me.carry_out(me.state().core->acknowledged(sequence)); },
            [me, round](const caf::error&) { me.carry_out(me.state().core->send_failed(round)); });
  }

  void execute(capture_action::grant_credit& wish) const { tell_worker(worker_credit{wish.bytes}); }

  void execute(capture_action::start_worker& wish) const {
    auto me = *this;
    auto number = ++state().worker_number;
    // The thread of the worker object may outlive a handler, never the actor: it ends with the object.
    auto sink = [me, number, actor = caf::actor_cast<caf::actor>(self)](worker_news news) {
      auto shared = std::make_shared<worker_news>(std::move(news));
      run_inside(actor, [me, number, shared] { me.hear(number, std::move(*shared)); });
    };
    state().worker.reset();
    auto started = state().parts.start_worker(std::move(sink));
    if (started) {
      state().worker = std::move(*started);
      state().last_heard = clock->monotonic();
      tell_worker(wish.how);
    }
    wipe(wish.how.what.password);
    if (!started) carry_out(state().core->worker_not_started(started.error(), clock->wall_us()));
  }

  void execute(capture_action::stop_worker&) const {
    tell_worker(worker_stop{});
    run_later(self, stop_patience, [me = *this, number = state().worker_number] {
      if (me.state().worker && me.state().worker_number == number) me.state().worker->kill();
    });
  }

  void execute(capture_action::kill_worker&) const {
    if (state().worker) state().worker->kill();
  }

  void execute(capture_action::resend_later& wish) const {
    run_later(self, wish.after, [me = *this] { me.carry_out(me.state().core->resend()); });
  }

  void execute(capture_action::restart_later& wish) const {
    run_later(self, wish.after, [me = *this] { me.carry_out(me.state().core->restart()); });
  }

  void execute(capture_action::delivering&) const {
    for (auto& promise : std::exchange(state().starting, {})) promise.deliver(state().core->position());
  }

  void execute(capture_action::finished& wish) const {
    state().end = wish.end;
    auto failed = to_caf({wish.end.code, "capture", wish.end.reason, nullptr});
    for (auto& promise : std::exchange(state().starting, {}))
      if (wish.end.failed)
        promise.deliver(failed);
      else
        promise.deliver(state().core->position());
    for (auto& promise : std::exchange(state().stopping, {})) promise.deliver(state().core->position());
    // Also if it was answered: who asked may be an incarnation that is gone.
    state().session.send(self, wish.end);
  }

  capture_position position() const { return state().core ? state().core->position() : capture_position{}; }

  // --- the worker -------------------------------------------------------------------------------------------------

  void tell_worker(const node_message& message) const {
    if (!state().worker) return;
    // One that does not listen is as good as gone; its end is heard of as any other.
    if (auto sent = state().worker->send(message); !sent) state().worker->kill();
  }

  void hear(std::uint64_t number, worker_news news) const {
    if (number != state().worker_number || !state().core) return;
    state().last_heard = clock->monotonic();
    if (auto* gone = std::get_if<worker_gone>(&news)) {
      state().worker.reset();
      carry_out(state().core->worker_gone(gone->failure, clock->wall_us()));
      return hasten();
    }
    auto& message = std::get<worker_message>(news);
    if (const auto* line = std::get_if<worker_log>(&message)) {
      if (state().parts.log) state().parts.log(*line);
    } else if (const auto* shown = std::get_if<worker_certificate>(&message)) {
      judge(*shown);
    } else {
      carry_out(state().core->worker_said(std::move(message)));
    }
  }

  /// Pins on first use, where that is allowed; a pin that cannot be read or written counts as a refusal.
  void judge(const worker_certificate& shown) const {
    auto decision = pin_decision{false, false, "there is no place to pin certificates"};
    auto code = errc::certificate_changed;
    if (auto& pins = state().parts.pins) {
      auto pinned = pins->find(shown.host);
      if (pinned) {
        decision = decide_pin(*pinned, shown, state().parts.policy);
        if (decision.pin_now)
          if (auto kept = pins->pin(shown.host, shown.fingerprint); !kept) {
            decision = {false, false, to_string(kept.error())};
            code = kept.error().code;
          }
      } else {
        decision.reason = to_string(pinned.error());
        code = pinned.error().code;
      }
    }
    if (!decision.accepted) state().core->decide_end({decision.reason, code, true});
    if (decision.pin_now || !decision.accepted) carry_out(state().core->record_event(certificate_event(shown, decision, clock->wall_us())));
    tell_worker(worker_certificate_verdict{decision.accepted, decision.reason});
  }

  // What is under way when the source has ended need not wait for the journal's interval.
  void hasten() const {
    if (state().end || state().core->unacknowledged_count() == 0) return;
    state().journal.request(self, ask_timeout, journal_sync_request{})
      .then([](const capture_position&) {}, [](const caf::error&) {});
    run_later(self, hasten_interval, [me = *this] { me.hasten(); });
  }

  void watch() const {
    auto silence_max = state().parts.silence_max;
    if (state().worker && clock->monotonic() - state().last_heard > silence_max) state().worker->kill();
    run_later(self, std::min(silence_max / 4, watch_interval_max), [me = *this] { me.watch(); });
  }
};

capture_api::behavior_type capture_actor(capture_self self, actor_context ctx, capture_parts parts) {
  auto& state = self->state;
  auto& names = ctx.directory();
  auto session = parts.options.session;
  state.parts = std::move(parts);
  state.store = {names, paths::store};
  state.journal = {names, paths::of_session(session, "journal")};
  state.chunk = {names, paths::of_session(session, "chunk")};
  state.session = {names, paths::of_session(session, "session")};
  capture_shell shell{self, &ctx.clock()};
  shell.watch();
  if (ctx.incarnation > 1 && state.parts.resumes) shell.resume();
  return supervised(
    self, ctx,
    {
      [self, shell](const capture_start_request& wish) {
        owed_answer<capture_position> promise(self);
        auto& mine = self->state;
        if (mine.end && mine.end->failed) {
          promise.deliver(to_caf({mine.end->code, "capture", mine.end->reason, nullptr}));
        } else if (mine.end) {
          // The end was told to a session that may have forgotten it.
          promise.deliver(shell.position());
          mine.session.send(self, *mine.end);
        } else if (mine.core && mine.core->has_delivered()) {
          promise.deliver(mine.core->position());
        } else {
          mine.starting.push_back(promise);
          shell.begin(wish.what);
        }
        return promise.promise();
      },
      [self, shell](const capture_stop_request&) {
        owed_answer<capture_position> promise(self);
        auto& mine = self->state;
        if (!mine.core && !mine.beginning) {
          // Restarted, and asked to stop before it went on: it does not.
          mine.stop_wanted = true;
          mine.end = capture_end{"stopped", errc::cancelled, false};
        }
        if (mine.end) {
          promise.deliver(shell.position());
        } else {
          mine.stopping.push_back(promise);
          if (!std::exchange(mine.stop_wanted, true) && mine.core) shell.carry_out(mine.core->stop(shell.clock->wall_us()));
        }
        return promise.promise();
      },
    },
    [self] {
      auto& core = self->state.core;
      auto credit_max = self->state.parts.options.credit_bytes;
      auto queued = core ? core->unacknowledged_bytes() : 0;
      return state_fields{{"worker", self->state.worker ? "runs" : "none"},
                          {"sequence", std::to_string(core ? core->last_sequence() : 0)},
                          {"unacknowledged fragments", std::to_string(core ? core->unacknowledged_count() : 0)},
                          flow_fields::row(flow_fields::passed, core ? core->acknowledged_bytes() : 0),
                          flow_fields::row(flow_fields::queued, queued),
                          flow_fields::row(flow_fields::credit, flow_fields::left_of(credit_max, queued)),
                          flow_fields::row(flow_fields::credit_max, credit_max),
                          {"worker restarts", std::to_string(core ? core->restart_count() : 0)}};
    });
}

} // namespace

child_spec capture_child(capture_parts parts, bool detached) {
  auto start = detached ? child_of<caf::detached>(capture_actor, std::move(parts)) : child_of(capture_actor, std::move(parts));
  return {.id = "capture", .start = std::move(start), .shutdown_timeout = 3s};
}

} // namespace lucid
