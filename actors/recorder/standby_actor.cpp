// actors/recorder/standby_actor.cpp - the shell: looks at cluster, vault and store, and does what the core says.
#include "actors/recorder/standby_actor.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include <caf/all.hpp>

#include "actors/recorder/standby_core.hpp"
#include "adapters/sodium/secret.hpp"
#include "messages/paths.hpp"
#include "messages/pipeline_api.hpp"
#include "messages/standby_api.hpp"
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

constexpr auto round_interval = 250ms;
constexpr auto store_timeout = 30s;
constexpr auto tell_timeout = 20s;  ///< A round trip over Tor takes up to 2 s; a lost way is noticed at once.
constexpr auto start_timeout = 90s; ///< Longer than the recorder itself waits, so that it is not asked twice.
constexpr auto stop_timeout = 10s;
constexpr std::uint32_t page_count = 1000; ///< The store's largest page.

struct standby_state {
  static inline const char* name = "standby";
  standby_options options;
  std::optional<standby_core> core;
  ref<store_api> store;
  ref<recorder_api> recorder;
  std::map<node_id, ref<standby_api>> others;
  bool looking = false;
  std::set<session_id> untold; ///< Running sessions that are of no use to others. Bounded by those that run.
  std::string last_failure;
};
using standby_self = standby_api::stateful_pointer<standby_state>;

struct standby_shell {
  standby_self self;
  const clock_port* clock;
  directory* names;
  std::string path;
  standby_state& state() const { return self->state; }
  standby_core& core() const { return *self->state.core; }
  session_vault& vault() const { return *self->state.options.vault; }

  /// Now and then, as long as the actor lives.
  void round() const {
    look_at_cluster();
    look_at_sessions();
    for (auto& command : core().next(clock->monotonic(), clock->wall_us()))
      std::visit([this](const auto& action) { carry_out(action); }, command);
    run_later(self, round_interval, [me = *this] { me.round(); });
  }

  // --- what there is ------------------------------------------------------------------------------------------------

  void look_at_cluster() const {
    auto& s = state();
    auto view = s.options.cluster->view();
    std::vector<standby_member> members;
    std::map<node_id, ref<standby_api>> others;
    for (auto& m : view.members) {
      if (m.id == s.options.self || m.state == member_state::removed) continue;
      auto& there = others[m.id] = {*names, paths::of_node(m.name, paths::standby)};
      auto present = there.slot()->present();
      members.push_back({m.id, m.name, m.state == member_state::up, s.options.may_record(m.name),
                         present.actor ? present.generation : 0});
    }
    s.others = std::move(others);
    bool has_lease = std::any_of(view.leases.begin(), view.leases.end(), [&](auto& lease) {
      return lease.role == capture_role && lease.place == 0 && lease.holder == s.options.self;
    });
    core().set_members(members, has_lease, clock->monotonic());
  }

  void look_at_sessions() const {
    auto& s = state();
    auto before = core().sessions();
    if (s.looking || (vault().count() == 0 && before.empty())) return;
    s.looking = true;
    s.store.request(self, store_timeout, session_list_request{true, 0, page_count})
      .then(
        [me = *this, before](const std::vector<session_summary>& unfinished) {
          me.state().looking = false;
          me.compare(before, unfinished);
        },
        [me = *this](const caf::error&) { me.state().looking = false; }); // In the next round.
  }

  /// `before`: what was known when the store was asked. What was begun meanwhile is not in its answer.
  void compare(const std::vector<session_id>& before, const std::vector<session_summary>& unfinished) const {
    std::set<session_id> recording;
    for (auto& one : unfinished) {
      if (one.state > session_state::recording) continue;
      auto plan = vault().plan(one.id);
      if (plan && !plan->recovered) recording.insert(one.id);
    }
    for (auto& id : before)
      if (!recording.contains(id)) core().end_session(id);
    std::erase_if(state().untold, [&](auto& id) { return !recording.contains(id); });
    auto known = core().sessions();
    for (auto& id : recording)
      if (std::find(known.begin(), known.end(), id) == known.end() && !state().untold.contains(id)) read(id);
  }

  void read(const session_id& id) const {
    state().untold.insert(id); // Until it is read: not twice at a time.
    state().store.request(self, store_timeout, session_get_request{id})
      .then(
        [me = *this, id](const session_row& row) {
          auto running = me.vault().plan(id);
          if (!running || row.summary.state > session_state::recording) return;
          standby_plan plan{me.state().options.self, id, {row.what, row.policy}, row.summary.created_us};
          plan.wish.what.password = me.vault().password(id);
          me.take(plan);
          wipe(plan.wish.what.password);
        },
        [me = *this, id](const caf::error&) { me.state().untold.erase(id); });
  }

  void take(const standby_plan& plan) const {
    log::speaker who{path, to_hex(plan.session)};
    if (auto sound = check_plan(plan); !sound)
      return log::info(who, "nobody could record this session on: {}", sound.error().what);
    if (!core().set_session(plan))
      return log::warn(who, "others are not told of this session: they are of {} already", standby_plans_max);
    state().untold.erase(plan.session);
  }

  // --- what the core wants --------------------------------------------------------------------------------------------

  void carry_out(const standby_action::tell& action) const {
    auto otherwise = [me = *this, action](const caf::error& e) {
      me.state().last_failure = to_string(from_caf(e));
      me.core().not_told(action, me.clock->monotonic());
    };
    auto then = [me = *this, action](const standby_status&) { me.core().told(action, me.clock->monotonic()); };
    auto& there = state().others[action.to];
    if (action.drop) {
      standby_drop_request over{action.what.recorder, action.what.session};
      return there.request(self, tell_timeout, over).then(then, otherwise);
    }
    auto* plan = core().plan_to_tell(action.what);
    if (!plan) return core().not_told(action, clock->monotonic());
    there.request(self, tell_timeout, standby_put_request{*plan}).then(then, otherwise);
  }

  void carry_out(const standby_action::start& action) const {
    auto* password = core().password_of(action);
    if (!password) return;
    auto wish = action.wish;
    wish.what.password = *password;
    state().recorder.request(self, start_timeout, wish)
      .then(
        [me = *this, action](const session_summary& own) {
          log::warn(log::speaker{me.path, to_hex(own.id)}, "{} is lost: recording on {} as {}", action.recorder_name,
                    short_id(action.instead_of.session), short_id(own.id));
          me.core().started(action, own);
        },
        [me = *this, action](const caf::error& e) { me.not_started(action, from_caf(e)); });
    wipe(wish.what.password);
  }

  void not_started(const standby_action::start& action, const error& why) const {
    bool for_good = why.code == errc::invalid_input || why.code == errc::unsupported;
    state().last_failure = to_string(why);
    log::error(log::speaker{path}, "{} is lost, and {} cannot be recorded on here{}: {}", action.recorder_name,
               short_id(action.instead_of.session), for_good ? "" : " yet", to_string(why));
    core().not_started(action, for_good, clock->monotonic());
  }

  void carry_out(const standby_action::stop& action) const {
    log::warn(log::speaker{path, to_hex(action.own)}, "{}: stopping {}", action.reason, short_id(action.own));
    ref<session_api>(*names, paths::of_session(action.own, "session"))
      .request(self, stop_timeout, session_stop_request{action.reason})
      .then([me = *this, action](const session_summary&) { me.core().stopped(action); },
            [me = *this, action](const caf::error& e) {
              me.state().last_failure = to_string(from_caf(e));
              me.core().not_stopped(action, me.clock->monotonic());
            });
  }
};

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (auto& word : words) all.append(all.empty() ? "" : ", ").append(word);
  return all;
}

standby_api::behavior_type standby_actor(standby_self self, actor_context ctx, standby_options options) {
  auto& state = self->state;
  state.options = std::move(options);
  state.core.emplace(standby_settings{state.options.self, state.options.lost_after});
  state.store = {ctx.directory(), paths::store};
  state.recorder = {ctx.directory(), paths::recorder};
  standby_shell shell{self, &ctx.clock(), &ctx.directory(), ctx.path};
  shell.round();
  return supervised(
    self, ctx,
    {
      [shell](const standby_put_request& told) {
        return reply(shell.core().put(told.plan, shell.clock->monotonic(), shell.clock->wall_us()));
      },
      [shell](const standby_drop_request& told) { return shell.core().drop({told.recorder, told.session}); },
    },
    [self] {
      auto& s = self->state;
      auto counts = s.core->counts();
      return state_fields{{"plans known", std::to_string(counts.plans)},
                          {"sessions others are told of", std::to_string(counts.sessions)},
                          {"told", std::to_string(counts.told)},
                          {"not told yet", std::to_string(counts.to_tell)},
                          {"standing in for", joined(s.core->standing_in_for())},
                          {"last failure", s.last_failure}};
    });
}

} // namespace

child_spec standby_child(standby_options options) {
  return {.id = std::string(paths::standby), .start = child_of(standby_actor, std::move(options)), .shutdown_timeout = 2s};
}

} // namespace lucid
