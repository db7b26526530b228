// actors/recorder/standby_actor.cpp - the shell: looks at cluster, vault and store, and does what the core says.
#include "actors/recorder/standby_actor.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include <caf/all.hpp>

#include "actors/recorder/interrupted_core.hpp"
#include "actors/recorder/standby_core.hpp"
#include "adapters/sodium/secret.hpp"
#include "adapters/sodium/sign.hpp"
#include "messages/paths.hpp"
#include "messages/pipeline_api.hpp"
#include "messages/standby_api.hpp"
#include "messages/storage_api.hpp"
#include "messages/worker_protocol.hpp"
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
  std::optional<interrupted_core> interrupted;
  ref<store_api> store;
  ref<recorder_api> recorder;
  std::map<node_id, ref<standby_api>> others;
  bool looking = false;
  std::set<session_id> untold; ///< Running sessions that are of no use to others. Bounded by those that run.
  std::uint64_t gone_on_count = 0; ///< Sessions that an earlier process left behind.
  std::string last_failure;
};
using standby_self = standby_api::stateful_pointer<standby_state>;

/// How long it is to last in all; 0: as long as a node lets it.
std::uint32_t length_of(const session_plan& plan) {
  return plan.length_seconds_max == 0 ? 0 : plan.length_seconds_max + plan.extended_seconds->load();
}

/// The wish is at fault, not the moment.
bool is_for_good(errc code) { return code == errc::invalid_input || code == errc::unsupported; }

struct standby_shell {
  standby_self self;
  const clock_port* clock;
  directory* names;
  std::string path;
  standby_state& state() const { return self->state; }
  standby_core& core() const { return *self->state.core; }
  interrupted_core& interrupted() const { return *self->state.interrupted; }
  session_vault& vault() const { return *self->state.options.vault; }

  /// Now and then, as long as the actor lives.
  void round() const {
    look_at_cluster();
    look_at_sessions();
    auto now = clock->monotonic();
    for (auto& id : vault().take_interrupted()) interrupted().add(id, now);
    auto carry_out_all = [this](const auto& commands) {
      for (auto& command : commands) std::visit([this](const auto& action) { carry_out(action); }, command);
    };
    carry_out_all(core().next(now, clock->wall_us()));
    carry_out_all(interrupted().next(now, clock->wall_us()));
    run_later(self, round_interval, [me = *this] { me.round(); });
  }

  // --- what there is ------------------------------------------------------------------------------------------------

  void look_at_cluster() const {
    auto& s = state();
    auto view = s.options.cluster->view();
    std::vector<standby_member> members;
    std::vector<plan_keeper> keepers;
    std::map<node_id, ref<standby_api>> others;
    for (auto& m : view.members) {
      if (m.id == s.options.self || m.state == member_state::removed) continue;
      auto& there = others[m.id] = {*names, paths::of_node(m.name, paths::standby)};
      auto present = there.slot()->present();
      auto road = present.actor ? present.generation : 0;
      members.push_back({m.id, m.name, m.state == member_state::up, s.options.may_record(m.name), road});
      if (s.options.may_record(m.name)) keepers.push_back({m.id, m.state == member_state::up ? road : 0});
    }
    interrupted().set_keepers(std::move(keepers));
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
      // A reason beforehand is that of a wish to stop.
      if (one.state > session_state::recording || !one.reason.empty()) continue;
      auto plan = vault().plan(one.id);
      if (plan && !plan->recovered) recording.insert(one.id);
    }
    for (auto& id : before)
      if (!recording.contains(id)) core().end_session(id);
    std::erase_if(state().untold, [&](auto& id) { return !recording.contains(id); });
    auto known = core().sessions();
    for (auto& id : recording)
      if ((std::find(known.begin(), known.end(), id) == known.end() || is_longer(id)) && !state().untold.contains(id)) read(id);
  }

  /// Than the others were told.
  bool is_longer(const session_id& id) const {
    auto plan = vault().plan(id);
    auto* told = core().plan_to_tell({state().options.self, id});
    return plan && told && told->wish.policy.length_seconds_max != length_of(*plan);
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
          plan.wish.policy.length_seconds_max = length_of(*running);
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
    bool for_good = is_for_good(why.code);
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

  // --- what an earlier process left behind ----------------------------------------------------------------------------

  void carry_out(const interrupted_action::ask& action) const {
    state().others[action.of]
      .request(self, tell_timeout, standby_return_request{state().options.self, action.session})
      .then([me = *this, action](const standby_returned_plan& back) { me.take_back(action, back); },
            [me = *this, action](const caf::error& e) { me.not_given(action, from_caf(e)); });
  }

  void take_back(const interrupted_action::ask& action, const standby_returned_plan& back) const {
    auto plan = back.plan;
    if (plan.recorder != state().options.self || plan.session != action.session || !check_plan(plan) ||
        back.sealed_password.size() > worker_secret_size_bytes_max + box_overhead_size_bytes)
      return not_given(action, {errc::not_found, "standby", "what came back is not the plan of that session", nullptr});
    if (back.sealed_password.size() > box_overhead_size_bytes) {
      plan.wish.what.password.resize(back.sealed_password.size() - box_overhead_size_bytes);
      std::span<std::uint8_t> opened(reinterpret_cast<std::uint8_t*>(plan.wish.what.password.data()), plan.wish.what.password.size());
      if (!box_open(opened, back.sealed_password, *state().options.box_secret))
        return not_given(action, {errc::not_found, "standby", "the password that came back is not for this node", nullptr});
    }
    interrupted().given(action, plan);
    wipe(plan.wish.what.password);
  }

  void not_given(const interrupted_action::ask& action, const error& why) const {
    if (why.code == errc::wrong_state)
      log::info(log::speaker{path, to_hex(action.session)}, "not gone on with after the restart: {}", why.what);
    interrupted().not_given(action, why.code, clock->monotonic());
  }

  void carry_out(const interrupted_action::start& action) const {
    auto* password = interrupted().password_of(action);
    if (!password) return;
    auto wish = action.wish;
    wish.what.password = *password;
    state().recorder.request(self, start_timeout, wish)
      .then([me = *this, action](const session_summary& own) { me.gone_on(action, own); },
            [me = *this, action](const caf::error& e) {
              auto why = from_caf(e);
              me.state().last_failure = to_string(why);
              me.interrupted().not_started(action, is_for_good(why.code), me.clock->monotonic());
            });
    wipe(wish.what.password);
  }

  void gone_on(const interrupted_action::start& action, const session_summary& own) const {
    ++state().gone_on_count;
    log::warn(log::speaker{path, to_hex(own.id)}, "this node was restarted: recording on {} as {}", short_id(action.session),
              short_id(own.id));
    if (auto plan = interrupted().started(action, own)) core().set_session(**plan);
  }

  /// For a recorder that is back. Sealed, so that no other member can ask in its name.
  outcome<standby_returned_plan> give_back(const standby_return_request& wish) const {
    auto plan = core().give_back({wish.recorder, wish.session}, clock->monotonic());
    if (!plan) return pass_on(std::move(plan));
    auto view = state().options.cluster->view();
    auto to = std::find_if(view.members.begin(), view.members.end(), [&](auto& m) { return m.id == wish.recorder; });
    if (to == view.members.end()) return fail(errc::not_found, "standby", "the recorder is no member");
    standby_returned_plan back{**plan, {}};
    wipe(back.plan.wish.what.password);
    auto& password = (*plan)->wish.what.password;
    back.sealed_password.resize(password.size() + box_overhead_size_bytes);
    if (auto sealed = box_seal(back.sealed_password, as_bytes(password), to->box_key); !sealed) return pass_on(std::move(sealed));
    return back;
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
  state.interrupted.emplace(state.options.self_name);
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
      [shell](const standby_return_request& wish) { return reply(shell.give_back(wish)); },
    },
    [self] {
      auto& s = self->state;
      auto counts = s.core->counts();
      return state_fields{{"plans known", std::to_string(counts.plans)},
                          {"sessions others are told of", std::to_string(counts.sessions)},
                          {"told", std::to_string(counts.told)},
                          {"not told yet", std::to_string(counts.to_tell)},
                          {"standing in for", joined(s.core->standing_in_for())},
                          {"gone on with after a restart", std::to_string(s.gone_on_count)},
                          {"last failure", s.last_failure}};
    });
}

} // namespace

child_spec standby_child(standby_options options) {
  return {.id = std::string(paths::standby), .start = child_of(standby_actor, std::move(options)), .shutdown_timeout = 2s};
}

} // namespace lucid
