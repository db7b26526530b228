// actors/session/session_actor.cpp - carries out what the core wants, one step after the other.
#include "actors/session/session_actor.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <optional>
#include <utility>
#include <variant>

#include <caf/all.hpp>

#include "messages/paths.hpp"
#include "messages/pipeline_api.hpp"
#include "messages/storage_api.hpp"
#include "runtime/actor_task.hpp"
#include "runtime/directory/ref.hpp"
#include "runtime/inspection/supervised.hpp"
#include "runtime/log/log.hpp"
#include "runtime/reply.hpp"
#include "runtime/supervision/spawn_child.hpp"

namespace lucid {
namespace {

using namespace std::chrono_literals;

constexpr auto store_timeout = 30s;
constexpr auto capture_timeout = 120s; ///< Connecting, logging in and the first picture, or the last acknowledgements.
constexpr auto finish_timeout = 300s;  ///< Up to three chunks a track through a slow disk; asked again after that.
constexpr auto manifest_timeout = 120s;
constexpr auto anchor_timeout = 300s;  ///< Longer than two slots.
constexpr auto retry_min = 250ms;
constexpr auto retry_max = 10'000ms;

struct session_actor_state {
  static inline const char* name = "session";
  session_options options;
  std::optional<session_core> core;        // Set once the store has answered.
  capture_request what;
  std::deque<session_command> commands;    // What is still to be done, in order; a handful.
  bool persisting = false;                 // The first command waits for the store.
  std::chrono::milliseconds retry{retry_min};
  unix_time_us wall_at_start_us = 0;
  std::chrono::nanoseconds monotonic_at_start{0};

  ref<store_api> store;
  ref<capture_api> capture;
  ref<chunk_api> chunk;
  ref<manifest_api> manifest;
  ref<anchor_api> anchor;
  ref<recorder_api> recorder;
};
using session_self = session_api::stateful_pointer<session_actor_state>;

struct session_shell {
  session_self self;
  const clock_port* clock;
  session_actor_state& state() const { return self->state; }
  session_core& core() const { return *state().core; }

  /// Wall time that does not step: the clock at the start, plus what has passed.
  unix_time_us now() const {
    auto passed = clock->monotonic() - state().monotonic_at_start;
    return state().wall_at_start_us + std::chrono::duration_cast<std::chrono::microseconds>(passed).count();
  }

  /// A clock that was set back before this start would let the recording run on for as long: time is never behind it.
  void catch_up() const {
    state().wall_at_start_us += std::max<unix_time_us>(0, core().summary().ended_us - now());
  }

  void begin() const {
    auto me = *this;
    state().store.request(self, store_timeout, session_get_request{state().options.session})
      .then(
        [me](const session_row& row) {
          auto& options = me.state().options;
          auto limits = options.limits;
          limits.length_max += std::chrono::seconds(options.extended_seconds->load());
          me.state().what = row.what;
          me.state().core.emplace(row.summary, limits, options.recovered);
          me.catch_up();
          me.carry_out(me.core().start(me.now()));
        },
        [me](const caf::error&) { me.later([me] { me.begin(); }); });
  }

  void carry_out(session_commands commands) const {
    state().commands.insert(state().commands.end(), commands.begin(), commands.end());
    proceed();
  }

  // A state is entered once it is on disk: what follows it waits.
  void proceed() const {
    while (!state().persisting && !state().commands.empty()) {
      auto command = std::move(state().commands.front());
      state().commands.pop_front();
      std::visit([this](const auto& wish) { execute(wish); }, command);
    }
  }

  void execute(const session_action::persist& wish) const {
    state().persisting = true;
    log::debug(log::speaker{paths::of_session(wish.summary.id, "session")}, "{}: {}", to_string(wish.summary.state),
               wish.summary.reason);
    auto me = *this;
    state().store.request(self, store_timeout, session_update_request{wish.summary})
      .then(
        [me](const session_summary&) {
          me.state().persisting = false;
          me.state().retry = retry_min;
          me.proceed();
        },
        [me, wish](const caf::error&) { me.later([me, wish] { me.execute(wish); }); });
  }

  void execute(const session_action::start_capture&) const {
    auto me = *this;
    state().capture.request(self, capture_timeout, capture_start_request{state().options.session, state().what})
      .then([me](const capture_position&) { me.carry_out(me.core().capture_started(me.now())); },
            [me](const caf::error& failed) { me.start_failed(from_caf(failed)); });
  }

  // What capture itself says is final. That nobody answered is not: capture is being restarted, and this actor soon
  // with it; or it is busy reconnecting, which may take longer than one question waits.
  void start_failed(const error& e) const {
    auto recording = core().state() == session_state::recording;
    auto gave_up = e.code == errc::timeout && !recording;
    if (e.who == "capture" || gave_up) return carry_out(core().capture_ended({e.what, e.code, true}, now()));
    later([me = *this] {
      if (me.core().state() <= session_state::recording) me.execute(session_action::start_capture{});
    });
  }

  void execute(const session_action::stop_capture& wish) const {
    auto me = *this;
    state().capture.request(self, capture_timeout, capture_stop_request{wish.reason})
      .then(
        [me, wish](const capture_position&) {
          me.carry_out(me.core().capture_ended({wish.reason, errc::cancelled, false}, me.now()));
        },
        [me, wish](const caf::error& failed) {
          auto e = from_caf(failed);
          if (e.code != errc::timeout && e.who != "capture")
            return me.later([me, wish] {
              if (me.core().state() <= session_state::recording) me.execute(wish);
            });
          me.carry_out(me.core().capture_ended({wish.reason + "; " + e.what, e.code, true}, me.now()));
        });
  }

  void execute(const session_action::finish_chunks&) const {
    ask(state().chunk, finish_timeout, chunk_finish_request{}, &session_core::chunks_finished);
  }
  void execute(const session_action::build_manifest& wish) const {
    ask(state().manifest, manifest_timeout, manifest_build_request{state().options.session, wish.interrupted},
        &session_core::manifest_built);
  }
  void execute(const session_action::anchor& wish) const {
    ask(state().anchor, anchor_timeout, wish.entry, &session_core::anchored);
  }

  void execute(const session_action::wake_after& wish) const {
    run_later(self, wish.delay, [me = *this] { me.carry_out(me.core().woken(me.now())); });
  }

  void execute(const session_action::finished&) const { state().recorder.send(self, session_end{core().summary()}); }

private:
  /// Asks `whom`, and tells the core what came of it.
  template <class Api, class Timeout, class Request, class Answer>
  void ask(const ref<Api>& whom, Timeout timeout, Request request,
           session_commands (session_core::*then)(const Answer&, unix_time_us)) const {
    auto me = *this;
    whom.request(self, timeout, std::move(request))
      .then([me, then](const Answer& answer) { me.carry_out((me.core().*then)(answer, me.now())); },
            [me](const caf::error& failed) { me.carry_out(me.core().trouble(from_caf(failed), me.now())); });
  }

  template <class F>
  void later(F step) const {
    run_later(self, state().retry, std::move(step));
    state().retry = std::min(state().retry * 2, std::chrono::milliseconds(retry_max));
  }
};

caf::error not_ready() { return to_caf({errc::busy, "session", "the session is being read; ask again", nullptr}); }

session_api::behavior_type session_actor(session_self self, actor_context ctx, session_options options) {
  auto& state = self->state;
  auto& names = ctx.directory();
  state.options = options;
  state.wall_at_start_us = ctx.clock().wall_us();
  state.monotonic_at_start = ctx.clock().monotonic();
  state.store = {names, paths::store};
  state.anchor = {names, paths::anchor};
  state.recorder = {names, paths::recorder};
  state.capture = {names, paths::of_session(options.session, "capture")};
  state.chunk = {names, paths::of_session(options.session, "chunk")};
  state.manifest = {names, paths::of_session(options.session, "manifest")};
  session_shell shell{self, &ctx.clock()};
  shell.begin();
  return supervised(
    self, ctx,
    {
      [self, shell](const session_stop_request& wish) -> caf::result<session_summary> {
        if (!self->state.core) return not_ready();
        shell.carry_out(shell.core().stop_requested(wish.reason, shell.now()));
        return shell.core().summary();
      },
      [self, shell](const session_extend_request& wish) -> caf::result<session_summary> {
        if (!self->state.core) return not_ready();
        auto commands = shell.core().extend(std::chrono::seconds(wish.seconds), shell.now());
        if (!commands) return to_caf(commands.error());
        self->state.options.extended_seconds->fetch_add(wish.seconds);
        shell.carry_out(std::move(*commands));
        return shell.core().summary();
      },
      [self](const session_status_request&) -> caf::result<session_summary> {
        if (!self->state.core) return not_ready();
        return self->state.core->summary();
      },
      [self, shell](const capture_end& end) {
        if (self->state.core) shell.carry_out(shell.core().capture_ended(end, shell.now()));
      },
      [self, shell](const session_progress& seen) {
        if (!self->state.core) return;
        shell.core().progress(seen);
        shell.catch_up();
      },
      [self, shell](const pipeline_trouble& seen) {
        if (self->state.core)
          shell.carry_out(shell.core().trouble({seen.code, seen.who, seen.what, nullptr}, shell.now()));
      },
    },
    [self] {
      auto& core = self->state.core;
      if (!core) return state_fields{{"state", "being read"}};
      return state_fields{{"state", std::string(to_string(core->state()))},
                          {"frames", std::to_string(core->summary().frame_count)},
                          {"reason", core->summary().reason}};
    });
}

} // namespace

child_spec session_child(session_options options) {
  return {.id = "session", .start = child_of(session_actor, options), .shutdown_timeout = 2s};
}

} // namespace lucid
