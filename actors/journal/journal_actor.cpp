// actors/journal/journal_actor.cpp - answers a fragment once the sync that covers it is done.
#include "actors/journal/journal_actor.hpp"

#include "messages/flow_fields.hpp"
#include "runtime/actor_task.hpp"
#include "runtime/inspection/supervised.hpp"
#include "runtime/reply.hpp"
#include "runtime/supervision/spawn_child.hpp"

namespace lucid {
namespace {

using journal_self = journal_api::stateful_pointer<journal_actor_state>;
using sequence_promise = owed_answer<std::uint64_t>;

/// The steps of one journal actor. Handlers keep a copy; the state itself lives in the actor.
struct journal_shell {
  journal_self self;
  const clock_port* clock;
  journal_actor_state& state() const { return self->state; }

  void take(const fragment& piece, sequence_promise promise) const {
    auto admitted = state().journal->write(piece, clock->monotonic());
    if (!admitted) {
      promise.deliver(to_caf(admitted.error()));
      if (state().journal->broken()) end(admitted.error());
      return;
    }
    if (*admitted == journal_core::admission::done) {
      promise.deliver(piece.sequence);
      return;
    }
    state().waiting.emplace(piece.sequence, std::move(promise));
    release(); // Beginning a new file syncs the one before.
    if (state().journal->core().sync_due(clock->monotonic()))
      (void)sync();
    else
      set_timer();
  }

  outcome<void> sync() const {
    auto synced = state().journal->sync();
    if (!synced) {
      end(synced.error());
      return synced;
    }
    ++state().sync_count;
    release();
    return synced;
  }

  /// Answers everything up to the position on disk.
  void release() const {
    auto& waiting = state().waiting;
    auto durable = state().journal->core().durable().last_sequence;
    for (auto at = waiting.begin(); at != waiting.end() && at->first <= durable; at = waiting.erase(at))
      at->second.deliver(at->first);
  }

  void set_timer() const {
    auto due = state().journal->core().sync_at();
    if (!due || std::exchange(state().timer_set, true)) return;
    auto wait = std::max(*due - clock->monotonic(), std::chrono::nanoseconds(0));
    run_later(self, wait, [me = *this] {
      me.state().timer_set = false;
      if (me.state().journal->core().sync_due(me.clock->monotonic()))
        (void)me.sync();
      else
        me.set_timer(); // Synced for another reason meanwhile.
    });
  }

  /// The disk does not keep what it took: nothing can be promised until the files have been read anew.
  void end(const error& why) const {
    for (auto& [sequence, promise] : std::exchange(state().waiting, {})) promise.deliver(to_caf(why));
    self->quit(to_caf(why));
  }
};

} // namespace

/// A regular stop leaves nothing unsynced behind; nobody waits for the answer any more.
journal_actor_state::~journal_actor_state() {
  if (journal) (void)journal->sync();
}

journal_api::behavior_type journal_actor(journal_self self, actor_context ctx, journal_settings settings) {
  journal_shell shell{self, &ctx.clock()};
  auto opened = journal_file::open(settings.options, *settings.files, settings.key, ctx.random());
  if (opened) {
    if (settings.on_loss)
      for (auto& loss : opened->losses()) settings.on_loss(loss);
    self->state.journal.emplace(std::move(*opened));
  } else {
    self->quit(to_caf(opened.error())); // Before the first message: no handler runs without a journal.
  }
  return supervised(
    self, ctx,
    {
      [self, shell](const fragment& piece) {
        owed_answer<std::uint64_t> promise(self);
        shell.take(piece, promise);
        return promise.promise();
      },
      [self, shell](const journal_sync_request&) -> caf::result<capture_position> {
        auto synced = shell.sync();
        if (!synced) return to_caf(synced.error());
        return self->state.journal->core().durable();
      },
      [self](const journal_read_request& r) { return reply(self->state.journal->read(r)); },
      // Answers how many bytes the journal still holds.
      [self](const journal_drop_request& r) -> caf::result<std::uint64_t> {
        auto dropped = self->state.journal->drop(r);
        if (!dropped) return to_caf(dropped.error());
        return self->state.journal->core().size_bytes();
      },
    },
    [self, files = settings.files] { // `files` must outlive the journal.
      auto& core = self->state.journal->core();
      return state_fields{{"last sequence", std::to_string(core.written().last_sequence)},
                          {"synced up to", std::to_string(core.durable().last_sequence)},
                          flow_fields::row(flow_fields::passed, core.synced_bytes()),
                          flow_fields::row(flow_fields::queued, core.unsynced_bytes()),
                          flow_fields::row(flow_fields::credit,
                                           flow_fields::left_of(core.unsynced_bytes_max(), core.unsynced_bytes())),
                          flow_fields::row(flow_fields::credit_max, core.unsynced_bytes_max()),
                          {"segments", std::to_string(core.segments().size())},
                          {"bytes", std::to_string(core.size_bytes())},
                          {"syncs", std::to_string(self->state.sync_count)}};
    });
}

child_spec journal_child(journal_settings settings) {
  return {.id = "journal",
          .start = child_of<caf::detached>(journal_actor, std::move(settings)),
          .shutdown_timeout = std::chrono::seconds(10)};
}

} // namespace lucid
