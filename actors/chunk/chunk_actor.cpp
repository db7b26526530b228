// actors/chunk/chunk_actor.cpp - journal, then core, then seal; and back again with what is stored.
#include "actors/chunk/chunk_actor.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <utility>

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

constexpr auto journal_timeout = 30s; ///< A sync of 4 MiB on a worn SD card takes seconds.
constexpr auto seal_timeout = 60s;    ///< Sealing and syncing 16 MiB, behind one chunk of each other session.
constexpr auto retry_min = 100ms;
constexpr auto retry_max = 5000ms;
constexpr auto progress_interval = 250ms; ///< At most four progress messages a second.

using sequence_promise = owed_answer<std::uint64_t>;
using totals_promise = owed_answer<chunk_totals>;

struct chunk_state {
  static inline const char* name = "chunk";
  chunk_options options;
  std::optional<chunk_core> core;            // Set once the store and the journal have been read.
  std::vector<std::function<void()>> waiting; // Until then; bounded by capture's credit.
  std::deque<std::pair<std::uint64_t, sequence_promise>> held; // In the journal, not acknowledged for want of room.
  std::vector<totals_promise> finishing;
  bool progress_due = false;
  std::chrono::milliseconds start_retry = retry_min;

  ref<store_api> store;
  ref<journal_api> journal;
  ref<seal_api> seal;
  ref<session_api> session;
};

using chunk_self = chunk_api::stateful_pointer<chunk_state>;

/// Somebody behind is being restarted: no news for the session. Capture or a retry sends again what was lost.
bool is_passing(errc code) {
  return code == errc::unreachable || code == errc::crashed || code == errc::busy || code == errc::cancelled;
}

/// The steps of one chunk actor. Handlers keep a copy; the state itself lives in the actor.
struct chunk_shell {
  chunk_self self;
  chunk_state& state() const { return self->state; }

  // --- start: what is stored, then what only the journal has ---------------------------------------------------

  void begin() const {
    auto me = *this;
    state().store.request(self, journal_timeout, chunk_list_request{state().options.session})
      .then(
        [me](const std::vector<chunk_record>& stored) {
          auto core = std::make_shared<chunk_core>(me.state().options, stored);
          me.sync_and_replay(core);
        },
        [me](const caf::error&) { me.begin_later(); });
  }

  // What an earlier incarnation had written may not be synced yet, and is not read before it is. Capture may have heard
  // meanwhile that it is on disk, and would never send it again.
  void sync_and_replay(const std::shared_ptr<chunk_core>& core) const {
    auto me = *this;
    state().journal.request(self, journal_timeout, journal_sync_request{})
      .then([me, core](const capture_position&) { me.replay(core, core->replay_after()); },
            [me](const caf::error&) { me.begin_later(); });
  }

  void replay(const std::shared_ptr<chunk_core>& core, std::uint64_t after) const {
    auto me = *this;
    state().journal.request(self, journal_timeout, journal_read_request{after})
      .then(
        [me, core, after](const journal_page& page) {
          if (page.fragments.empty()) return me.ready(std::move(*core));
          for (auto& piece : page.fragments)
            if (auto added = core->add(piece); !added) return me.self->quit(to_caf(added.error()));
          me.replay(core, page.fragments.back().sequence);
        },
        [me](const caf::error&) { me.begin_later(); });
  }

  void begin_later() const {
    run_later(self, state().start_retry, [me = *this] { me.begin(); });
    state().start_retry = std::min(state().start_retry * 2, std::chrono::milliseconds(retry_max));
  }

  void ready(chunk_core core) const {
    state().core = std::move(core);
    for (auto& chunk : state().core->in_flight()) send_to_seal(chunk, retry_min);
    for (auto& step : std::exchange(state().waiting, {})) step();
    tell_progress();
  }

  void when_ready(std::function<void()> step) const {
    if (state().core)
      step();
    else
      state().waiting.push_back(std::move(step));
  }

  // --- a fragment -------------------------------------------------------------------------------------------------

  void accept(const fragment& piece, sequence_promise promise) const {
    auto me = *this;
    state().journal.request(self, journal_timeout, piece)
      .then([me, piece, promise](std::uint64_t) mutable { me.journalled(piece, std::move(promise)); },
            [me, promise](const caf::error& failed) mutable {
              promise.deliver(failed);
              auto e = from_caf(failed);
              // A hole (`wrong_state`) is a fragment that was lost on its way to an earlier incarnation.
              if (!is_passing(e.code) && e.code != errc::wrong_state) me.tell_trouble(e);
            });
  }

  void journalled(const fragment& piece, sequence_promise promise) const {
    auto cut = state().core->add(piece);
    if (!cut) {
      promise.deliver(to_caf(cut.error()));
      if (cut.error().code != errc::wrong_state) tell_trouble(cut.error());
      return;
    }
    for (auto& chunk : *cut) send_to_seal(chunk, retry_min);
    state().held.emplace_back(piece.sequence, std::move(promise));
    release();
    progress_later();
  }

  void release() const {
    auto& held = state().held;
    for (; !held.empty() && state().core->has_room(); held.pop_front()) held.front().second.deliver(held.front().first);
  }

  // --- a chunk ----------------------------------------------------------------------------------------------------

  void send_to_seal(const plain_chunk& chunk, std::chrono::milliseconds retry) const {
    auto me = *this;
    state().seal.request(self, seal_timeout, chunk)
      .then([me](const chunk_record& record) { me.stored(record); },
            [me, chunk, retry](const caf::error& failed) { me.seal_failed(chunk, retry, from_caf(failed)); });
  }

  void stored(const chunk_record& record) const {
    auto& core = *state().core;
    core.stored(record);
    drop_from_journal();
    release();
    progress_later();
    if (!core.settled()) return;
    tell_progress();
    for (auto& promise : std::exchange(state().finishing, {})) promise.deliver(core.totals());
  }

  // Whether the journal did it does not matter here: the next drop covers this one.
  void drop_from_journal() const {
    auto& core = *state().core;
    state().journal
      .request(self, journal_timeout, journal_drop_request{core.droppable(track::video), core.droppable(track::events)})
      .then([](std::uint64_t) {}, [](const caf::error&) {});
  }

  // The chunk is kept and sent again: only the store's answer lets go of it. A seal that is being restarted is no news
  // to the session; a store that cannot write is.
  void seal_failed(const plain_chunk& chunk, std::chrono::milliseconds retry, const error& failed) const {
    if (!is_passing(failed.code)) {
      tell_trouble(failed);
      for (auto& promise : std::exchange(state().finishing, {})) promise.deliver(to_caf(failed));
    }
    run_later(self, retry, [me = *this, chunk, retry] {
      me.send_to_seal(chunk, std::min(retry * 2, std::chrono::milliseconds(retry_max)));
    });
  }

  void finish(totals_promise promise) const {
    for (auto& chunk : state().core->finish()) send_to_seal(chunk, retry_min);
    if (state().core->settled()) {
      tell_progress();
      promise.deliver(state().core->totals());
    } else {
      state().finishing.push_back(std::move(promise));
    }
  }

  // --- news for the session ---------------------------------------------------------------------------------------

  void progress_later() const {
    if (std::exchange(state().progress_due, true)) return;
    run_later(self, progress_interval, [me = *this] { me.tell_progress(); });
  }

  void tell_progress() const {
    state().progress_due = false;
    state().session.send(self, state().core->progress());
  }

  void tell_trouble(const error& e) const { state().session.send(self, pipeline_trouble{e.code, e.who, e.what}); }
};

chunk_api::behavior_type chunk_actor(chunk_self self, actor_context ctx, chunk_options options) {
  auto& state = self->state;
  auto& names = ctx.directory();
  state.options = options;
  state.store = {names, paths::store};
  state.journal = {names, paths::of_session(options.session, "journal")};
  state.seal = {names, paths::of_session(options.session, "seal")};
  state.session = {names, paths::of_session(options.session, "session")};
  chunk_shell shell{self};
  shell.begin();
  return supervised(
    self, ctx,
    {
      [self, shell](const fragment& piece) {
        owed_answer<std::uint64_t> promise(self);
        shell.when_ready([shell, piece, promise] { shell.accept(piece, promise); });
        return promise.promise();
      },
      [self, shell](const chunk_finish_request&) {
        owed_answer<chunk_totals> promise(self);
        shell.when_ready([shell, promise] { shell.finish(promise); });
        return promise.promise();
      },
    },
    [self] {
      auto& core = self->state.core;
      return state_fields{{"ready", core ? "yes" : "no"},
                          {"sequence", std::to_string(core ? core->last_sequence() : 0)},
                          {"chunks under way", std::to_string(core ? core->in_flight_count() : 0)},
                          {"held fragments", std::to_string(self->state.held.size())},
                          flow_fields::row(flow_fields::passed, core ? core->passed_bytes() : 0),
                          flow_fields::row(flow_fields::queued, core ? core->held_bytes() : 0),
                          flow_fields::row(flow_fields::credit, core ? core->room_bytes() : 0),
                          flow_fields::row(flow_fields::credit_max, core ? core->room_bytes_max() : 0)};
    });
}

} // namespace

child_spec chunk_child(chunk_options options) {
  return {.id = "chunk", .start = child_of(chunk_actor, options), .shutdown_timeout = 2s};
}

} // namespace lucid
