// actors/recorder/recorder_actor.cpp - the shell: store row first, then the secrets, then the actors.
#include "actors/recorder/recorder_actor.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include <caf/all.hpp>

#include "messages/paths.hpp"
#include "messages/pipeline_api.hpp"
#include "messages/storage_api.hpp"
#include "messages/supervision_api.hpp"
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

constexpr auto store_timeout = 30s;
constexpr auto start_timeout = 30s;
constexpr auto retry_after = 500ms;
constexpr auto store_poll = 10ms;
constexpr auto look_interval = 2s;
constexpr auto retention_interval = 1h;
constexpr std::uint32_t page_count = 1000; ///< The store's largest page.
constexpr std::size_t anchoring_count_max = 32; ///< Of those that do not count as running; the supervisor has room for 64.
constexpr auto clear_after = 2s; ///< A final session can still be asked for its status that long.

struct recorder_state {
  static inline const char* name = "recorder";
  recorder_options options;
  ref<store_api> store;
  ref<dynamic_supervisor_api> sessions;
  std::set<session_id> ended; ///< Final when last looked at, and still there.
  std::set<session_id> anchoring; ///< Done but for their anchor when last looked at; at most anchoring_count_max.
  std::uint64_t started_count = 0;
  std::uint64_t recovered_count = 0;
};
using recorder_self = recorder_api::stateful_pointer<recorder_state>;
using summary_promise = owed_answer<session_summary>;

struct recorder_shell {
  recorder_self self;
  const clock_port* clock;
  random_port* random;
  std::string path;

  recorder_state& state() const { return self->state; }
  session_vault& vault() const { return *state().options.vault; }

  /// A recorder that is cut off from those who anchor goes on recording: what waits for its anchor alone does not count.
  std::size_t running_count() const {
    auto running = vault().running();
    return static_cast<std::size_t>(std::count_if(running.begin(), running.end(),
                                                  [this](auto& id) { return !state().anchoring.contains(id); }));
  }

  // --- a new session ------------------------------------------------------------------------------------------------

  void create(const session_create_request& wish, summary_promise promise) const {
    if (!state().options.may_record) {
      promise.deliver(to_caf({errc::wrong_state, "recorder",
                              "this node records nothing: placement.capture names other nodes; ask one of them", nullptr}));
      return;
    }
    if (vault().draining()) {
      promise.deliver(to_caf({errc::wrong_state, "recorder",
                              "the node is draining: it starts no session until `lucid node accept` lets it again",
                              nullptr}));
      return;
    }
    if (auto count = running_count(); count >= state().options.session_count_max) {
      promise.deliver(to_caf({errc::busy, "recorder",
                              std::to_string(count) +
                                " sessions run already, which is session.count_max; stop one or raise the bound",
                              nullptr}));
      return;
    }
    auto made = make_session(wish, state().options.facts, *random, clock->wall_us());
    if (!made) {
      promise.deliver(to_caf(made.error()));
      return;
    }
    session_plan plan{made->row.summary.id, std::make_shared<const session_key>(std::move(made->key)), false,
                      wish.policy.length_seconds_max};
    auto me = *this;
    state().store.request(self, store_timeout, made->row)
      .then(
        [me, plan, password = wish.what.password, promise](const session_summary& summary) {
          me.vault().put(plan, password);
          me.start(summary, promise);
        },
        [promise](const caf::error& failed) mutable { promise.deliver(failed); });
  }

  void start(const session_summary& summary, summary_promise promise) const {
    auto me = *this;
    state().sessions.request(self, start_timeout, child_start_request{to_hex(summary.id)}, caf::message{})
      .then(
        [me, summary, promise](const child_ack&) mutable {
          ++me.state().started_count;
          log::info(log::speaker{me.path, to_hex(summary.id)}, "session started: {}", summary.source);
          promise.deliver(summary);
        },
        [me, summary, promise](const caf::error& failed) mutable {
          me.vault().erase(summary.id);
          me.give_up(summary, from_caf(failed));
          promise.deliver(failed);
        });
  }

  // A session whose actors never ran must not be found as "unfinished" for ever.
  void give_up(session_summary summary, const error& why) const {
    summary.state = session_state::failed;
    summary.reason = why.what;
    state().store.request(self, store_timeout, session_update_request{summary})
      .then([](const session_summary&) {}, [](const caf::error&) {});
  }

  // --- sessions that were left behind -------------------------------------------------------------------------------

  void recover() const {
    auto me = *this;
    // At the start of a node the store is opened beside us: no dead letter for that.
    if (!state().store.reachable()) return run_later(self, store_poll, [me] { me.recover(); });
    state().store.request(self, store_timeout, session_list_request{true, 0, 1000})
      .then(
        [me](const std::vector<session_summary>& unfinished) {
          for (auto& summary : unfinished)
            if (!me.vault().plan(summary.id)) me.recover(summary.id);
        },
        [me](const caf::error&) { run_later(me.self, retry_after, [me] { me.recover(); }); });
  }

  void recover(const session_id& id) const {
    auto me = *this;
    state().store.request(self, store_timeout, session_get_request{id})
      .then([me](const session_row& row) { me.recover(row); },
            [me, id](const caf::error& failed) { me.not_recovered(id, from_caf(failed)); });
  }

  // Whoever is being restarted, or has no place at present, is asked again.
  void not_recovered(const session_id& id, const error& e) const {
    if (e.code != errc::unreachable && e.code != errc::busy && e.code != errc::timeout) return complain(id, e);
    run_later(self, retry_after, [me = *this, id] {
      if (!me.vault().plan(id)) me.recover(id);
    });
  }

  void recover(const session_row& row) const {
    auto& id = row.summary.id;
    // One that was adopted from another recorder: copies/adoption finishes it.
    if (!has_key_for(row, state().options.facts.node_box)) {
      log::warn(log::speaker{path, to_hex(id)}, "not finished, and its key is not for this node's: left to copies/adoption");
      return;
    }
    auto key = unwrap_session_key(row.keys, *state().options.node_box_secret);
    if (!key) return complain(id, key.error());
    vault().put({id, std::make_shared<const session_key>(std::move(*key)), true, 0}, {});
    // Not one that was being ended: a reason beforehand is that of a wish to stop.
    if (row.summary.state <= session_state::recording && row.summary.reason.empty()) vault().put_interrupted(id);
    auto me = *this;
    state().sessions.request(self, start_timeout, child_start_request{to_hex(id)}, caf::message{})
      .then(
        [me, id](const child_ack&) {
          ++me.state().recovered_count;
          log::warn(log::speaker{me.path, to_hex(id)}, "finishing a session that an earlier run left behind");
        },
        [me, id](const caf::error& failed) {
          me.vault().erase(id);
          me.not_recovered(id, from_caf(failed));
        });
  }

  void complain(const session_id& id, const error& e) const {
    log::error(log::speaker{path, to_hex(id)}, "cannot finish a session that was left behind: {}", to_string(e));
  }

  // --- sessions that are final --------------------------------------------------------------------------------------

  void clear_away(const session_id& id) const {
    auto me = *this;
    state().sessions.request(self, start_timeout, child_stop_request{to_hex(id)})
      .then([me, id](const child_ack&) { me.vault().erase(id); },
            [me, id](const caf::error&) { me.vault().erase(id); });
  }

  // --- what lost messages would have done ---------------------------------------------------------------------------

  /// Now and then: the news of a session's end may have been lost with an earlier recorder, and a supervisor that was
  /// killed does not know its children any more.
  void look() const {
    auto me = *this;
    state().sessions.request(self, start_timeout, child_list_request{})
      .then([me](const std::vector<child_summary>& there) { me.look_at(ids_of(there)); },
            [me](const caf::error&) { me.look_later(); });
  }

  void look_later() const { run_later(self, look_interval, [me = *this] { me.look(); }); }

  void look_at(const std::set<session_id>& there) const {
    auto me = *this;
    for (auto& id : vault().running())
      if (!there.contains(id)) start_again(id);
    state().store.request(self, store_timeout, session_list_request{true, 0, page_count})
      .then(
        [me, there](const std::vector<session_summary>& unfinished) {
          me.note_anchoring(unfinished);
          if (unfinished.size() < page_count) me.clear_ended(there, unfinished);
          me.look_later();
        },
        [me](const caf::error&) { me.look_later(); });
  }

  void start_again(const session_id& id) const {
    auto me = *this;
    state().sessions.request(self, start_timeout, child_start_request{to_hex(id)}, caf::message{})
      .then([me, id](const child_ack&) { log::warn(log::speaker{me.path, to_hex(id)}, "the session's actors were gone; started again"); },
            [](const caf::error&) {}); // It is there after all, or is tried again at the next look.
  }

  void note_anchoring(const std::vector<session_summary>& unfinished) const {
    auto& anchoring = state().anchoring;
    anchoring.clear();
    for (auto& summary : unfinished)
      if (summary.state == session_state::anchoring && anchoring.size() < anchoring_count_max) anchoring.insert(summary.id);
  }

  /// What was final at two looks in a row: whoever waits for the end has had the time to ask.
  void clear_ended(std::set<session_id> there, const std::vector<session_summary>& unfinished) const {
    for (auto& summary : unfinished) there.erase(summary.id);
    for (auto& id : there)
      if (state().ended.contains(id)) clear_away(id);
    state().ended = std::move(there);
  }

  static std::set<session_id> ids_of(const std::vector<child_summary>& children) {
    std::set<session_id> ids;
    for (auto& child : children) {
      session_id id{};
      if (from_hex_into(std::string_view(child.path).substr(child.path.rfind('/') + 1), id)) ids.insert(id);
    }
    return ids;
  }

  // --- sessions that are old ----------------------------------------------------------------------------------------

  /// Now, and once an hour.
  void remove_expired() const {
    if (state().options.retention.count() == 0) return;
    remove_expired(0);
    run_later(self, retention_interval, [me = *this] { me.remove_expired(); });
  }

  /// From the page at `offset` on. What is removed moves the later pages; what that hides is found an hour later.
  void remove_expired(std::uint32_t offset) const {
    auto me = *this;
    state().store.request(self, store_timeout, session_list_request{false, offset, page_count})
      .then(
        [me, offset](const std::vector<session_summary>& page) {
          for (auto& old : expired(page, me.state().options.retention, me.clock->wall_us())) me.remove(old);
          if (page.size() == page_count) me.remove_expired(offset + page_count);
        },
        [me](const caf::error& failed) {
          log::warn(log::speaker{me.path}, "cannot look for expired recordings: {}", to_string(from_caf(failed)));
        });
  }

  void remove(const session_summary& old) const {
    auto me = *this;
    auto id = to_hex(old.id);
    state().store.request(self, store_timeout, session_remove_request{old.id})
      .then(
        [me, id](const session_summary&) { log::info(log::speaker{me.path, id}, "removed: older than session.retention"); },
        [me, id](const caf::error& failed) {
          log::error(log::speaker{me.path, id}, "expired, but cannot be removed: {}", to_string(from_caf(failed)));
        });
  }
};

recorder_api::behavior_type recorder_actor(recorder_self self, actor_context ctx, recorder_options options) {
  auto& state = self->state;
  state.options = std::move(options);
  state.store = {ctx.directory(), paths::store};
  state.sessions = {ctx.directory(), paths::sessions};
  recorder_shell shell{self, &ctx.clock(), &ctx.random(), ctx.path};
  shell.recover();
  shell.look();
  shell.remove_expired();
  return supervised(
    self, ctx,
    {
      [self, shell](const session_create_request& wish) {
        owed_answer<session_summary> promise(self);
        shell.create(wish, promise);
        return promise.promise();
      },
      [self, shell](const session_end& end) {
        log::info(log::speaker{shell.path, to_hex(end.summary.id)}, "session {}: {}",
                  to_string(end.summary.state), end.summary.reason);
        shell.vault().erase(end.summary.id); // Nothing of a final session needs its secrets any more.
        run_later(self, clear_after, [shell, id = end.summary.id] { shell.clear_away(id); });
      },
    },
    [self] {
      auto& s = self->state;
      return state_fields{{"running", std::to_string(s.options.vault->count())},
                          {"started", std::to_string(s.started_count)},
                          {"recovered", std::to_string(s.recovered_count)}};
    });
}

} // namespace

child_spec recorder_child(recorder_options options) {
  return {.id = "recorder", .start = child_of(recorder_actor, std::move(options)), .shutdown_timeout = 2s};
}

} // namespace lucid
