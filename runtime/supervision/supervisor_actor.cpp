// runtime/supervision/supervisor_actor.cpp - carries out what the core decides.
#include "runtime/supervision/supervisor_actor.hpp"

#include <array>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include <caf/all.hpp>
#include <fmt/format.h>

#include "messages/capsule.hpp"
#include "messages/supervision_api.hpp"
#include "runtime/actor_task.hpp"
#include "runtime/directory/directory.hpp"
#include "runtime/inspection/crash_report.hpp"
#include "runtime/inspection/observed_actor.hpp"
#include "runtime/inspection/supervised.hpp"
#include "runtime/owed_answer.hpp"
#include "runtime/reply.hpp"
#include "runtime/supervision/spawn_child.hpp"
#include "runtime/supervision/supervisor_core.hpp"

namespace lucid {
namespace {

using kind = supervisor_command::kind;
using child_promise = owed_answer<child_ack>;

child_rules rules_of(const child_spec& spec) {
  return {.id = spec.id,
          .when = spec.when,
          .shutdown_timeout = spec.shutdown_timeout,
          .delay = spec.delay,
          .significant = spec.significant};
}

std::uint64_t seed_from(random_port& random) {
  std::array<std::uint8_t, sizeof(std::uint64_t)> bytes{};
  random.fill(bytes);
  std::uint64_t seed = 0;
  std::memcpy(&seed, bytes.data(), bytes.size());
  return seed;
}

child_end end_of(const caf::error& reason) {
  if (!reason || reason == caf::exit_reason::user_shutdown) return {true, "ended normally"};
  return {false, to_string(from_caf(reason))};
}

/// Executes commands for one core. Owns: the handles of the living children; takes them along when it dies.
/// Threads: the supervisor's.
class supervisor_shell {
public:
  supervisor_shell(caf::scheduled_actor* self, actor_context ctx, std::string prefix, supervisor_rules rules,
                   const std::vector<child_spec>& children)
    : self_(self), ctx_(std::move(ctx)), prefix_(std::move(prefix)),
      core_(ctx_.path, rules, rules_of_all(children), seed_from(ctx_.random())) {
    for (const auto& child : children) {
      positions_.emplace(child.id, positions_.size());
      specs_[child.id] = child;
    }
    self_->set_down_handler([this](caf::scheduled_actor*, caf::down_msg& down) { on_down(down); });
    self_->set_exit_handler([this](caf::scheduled_actor*, caf::exit_msg&) { run(core_.stop(now())); });
  }

  ~supervisor_shell() {
    for (auto& [id, child] : living_) send_exit(child, caf::exit_reason::kill);
  }

  void start() { run(core_.start(now())); }

  std::vector<child_summary> children() const {
    std::vector<child_summary> all;
    for (const auto& child : core_.children()) {
      auto living = living_.find(child.id);
      auto spec = specs_.find(child.id);
      all.push_back({prefix_ + child.id, std::string(to_string(child.state)),
                     living == living_.end() ? 0 : living->second.path_incarnation, child.restart_count,
                     spec != specs_.end() && spec->second.type == child_type::supervisor});
    }
    return all;
  }

  outcome<child_ack> add(child_spec spec) {
    const auto id = spec.id;
    auto commands = core_.add_child(rules_of(spec), now());
    if (!commands) return pass_on(std::move(commands));
    specs_[id] = std::move(spec);
    start_error_ = {errc::internal, ctx_.path, "child '" + id + "' was not started", nullptr};
    run(std::move(*commands));
    auto child = living_.find(id);
    if (child == living_.end()) return tl::unexpected(start_error_);
    return child_ack{prefix_ + id, child->second.path_incarnation};
  }

  void remove(const std::string& id, child_promise promise) {
    auto commands = core_.remove_child(id, now());
    if (!commands) return deliver(promise, outcome<child_ack>(pass_on(std::move(commands))));
    leaving_.emplace(id, std::move(promise));
    run(std::move(*commands));
  }

  outcome<child_ack> act(const child_action_request& wish) {
    if (!specs_.contains(wish.id)) return fail(errc::not_found, ctx_.path, "there is no child '" + wish.id + "'");
    if (wish.action == child_action::restart) {
      auto commands = core_.restart_child(wish.id, now());
      if (!commands) return pass_on(std::move(commands));
      run(std::move(*commands));
      return ack(wish.id);
    }
    auto child = living_.find(wish.id);
    if (child == living_.end())
      return fail(errc::wrong_state, ctx_.path,
                  fmt::format("cannot {} '{}': it is not running", to_string(wish.action), wish.id));
    return act(wish, child->second);
  }

private:
  struct living_child {
    caf::strong_actor_ptr actor;
    std::uint64_t incarnation = 0;      ///< The core's count.
    std::uint64_t path_incarnation = 0; ///< The path's count, which outlives this supervisor.
    slot_ptr slot;
    std::shared_ptr<observed_actor> observed;
  };

  outcome<child_ack> act(const child_action_request& wish, const living_child& child) {
    const auto& path = child.slot->path();
    auto& gate = child.observed->gate;
    if (wish.action == child_action::kill) {
      report(path, child.path_incarnation, "killed", "fault injection");
      send_exit(child, caf::exit_reason::kill);
    } else if (wish.action == child_action::suspend) {
      if (specs_.at(wish.id).type == child_type::supervisor)
        return fail(errc::unsupported, ctx_.path,
                    "cannot suspend '" + wish.id + "': a supervisor must be there for its children; suspend one of them");
      gate.close();
      report(path, child.path_incarnation, "suspended", "");
    } else {
      if (!gate.closed())
        return fail(errc::wrong_state, ctx_.path, "cannot resume '" + wish.id + "': it is not suspended");
      // Behind what waits: of normal priority, or it would open the gate to what came last.
      child.actor->get()->eq_impl(caf::make_message_id(), self_->ctrl(), self_->context(), actor_wake{gate.closings()});
      report(path, child.path_incarnation, "resumed", "");
    }
    return ack(wish.id);
  }

  child_ack ack(const std::string& id) const {
    auto child = living_.find(id);
    return {prefix_ + id, child == living_.end() ? 0 : child->second.path_incarnation};
  }

  static std::vector<child_rules> rules_of_all(const std::vector<child_spec>& children) {
    std::vector<child_rules> all;
    for (const auto& child : children) all.push_back(rules_of(child));
    return all;
  }

  supervisor_time now() const { return ctx_.clock().monotonic(); }

  // Commands are done in the order given; what a start leads to comes after what was decided before.
  void run(supervisor_commands commands) {
    for (auto& command : commands) queue_.push_back(std::move(command));
    if (busy_) return;
    busy_ = true;
    while (!queue_.empty()) {
      auto next = std::move(queue_.front());
      queue_.pop_front();
      execute(next);
    }
    busy_ = false;
  }

  void execute(const supervisor_command& command) {
    switch (command.what) {
      case kind::start: return start_child(command);
      case kind::stop: return end_child(command, caf::exit_reason::user_shutdown, "stopping");
      case kind::kill: return end_child(command, caf::exit_reason::kill, "killing");
      case kind::set_timer:
        return run_later(self_, command.delay, [this, token = command.token] { run(core_.timer(token, now())); });
      case kind::report: return report_child(command);
      case kind::show: return slot_of(command.id)->show(command.state);
      case kind::abandon: return abandon(command);
      case kind::forget: return forget(command.id);
      case kind::end: return end(command.error);
    }
  }

  void start_child(const supervisor_command& command) {
    const auto& spec = specs_.at(command.id);
    const auto slot = slot_of(command.id);
    if (slot->present().actor) return refuse_start(command);
    actor_context child{slot->path(), slot->begin_incarnation(), ctx_.services,
                        std::make_shared<observed_actor>(ctx_.clock().monotonic())};
    auto started = call(spec.start, child);
    if (!started) {
      start_error_ = started.error();
      return run(core_.start_failed(command.id, command.incarnation, started.error(), now()));
    }
    watch(caf::actor_cast<caf::strong_actor_ptr>(*started), command, child, slot);
    report(child.path, child.incarnation, "started", "");
    run(core_.child_started(command.id, command.incarnation, now()));
  }

  // A supervisor that is killed takes its children along but does not wait for them, and a handler that writes to the
  // disk takes its time. Two incarnations at once would write to the same files.
  void refuse_start(const supervisor_command& command) {
    start_error_ = {errc::busy, ctx_.path, "the earlier incarnation of '" + command.id + "' has not ended yet", nullptr};
    run(core_.start_failed(command.id, command.incarnation, start_error_, now()));
  }

  outcome<caf::actor> call(const start_function& start, const actor_context& child) {
    try {
      auto started = start(self_->home_system(), child);
      if (started && !*started) return fail(errc::internal, child.path, "the start function returned no actor");
      return started;
    } catch (const std::exception& e) {
      return fail(errc::crashed, child.path, std::string("the start function threw: ") + e.what());
    }
  }

  void watch(caf::strong_actor_ptr actor, const supervisor_command& command, const actor_context& child, slot_ptr slot) {
    slot->publish(child.incarnation, actor, child.observed, child.clock().wall_us());
    // Withdrawn by the dying actor itself: nobody finds it any more, even before we hear of its end.
    actor->get()->attach_functor([slot, incarnation = child.incarnation] { slot->withdraw(incarnation); });
    self_->monitor(caf::actor_cast<caf::actor_addr>(actor));
    by_address_[caf::actor_cast<caf::actor_addr>(actor)] = command.id;
    living_[command.id] = {std::move(actor), command.incarnation, child.incarnation, std::move(slot), child.observed};
  }

  void on_down(caf::down_msg& down) {
    auto known = by_address_.find(down.source);
    if (known == by_address_.end()) return; // An abandoned one, at last.
    const auto id = known->second;
    by_address_.erase(known);
    auto child = living_.extract(id).mapped();
    const auto end = end_of(down.reason);
    child.slot->withdraw(child.path_incarnation);
    report(prefix_ + id, child.path_incarnation, "ended", end.reason);
    if (!end.normal && ctx_.services.crashed)
      ctx_.services.crashed(crash_report(*child.slot, child.path_incarnation, *child.observed, end.reason, ctx_));
    run(core_.child_down(id, child.incarnation, end, now()));
  }

  void end_child(const supervisor_command& command, caf::exit_reason how, const char* what) {
    auto child = living_.find(command.id);
    if (child == living_.end()) return; // Its down message is on its way.
    report(prefix_ + command.id, child->second.path_incarnation, what, "");
    send_exit(child->second, how);
  }

  // Ahead of what waits in the mailbox: nobody is helped by work that a stopping actor still starts.
  void send_exit(const living_child& child, caf::exit_reason how) {
    child.actor->get()->eq_impl(caf::make_message_id(caf::message_priority::high), self_->ctrl(), self_->context(),
                                caf::exit_msg{self_->address(), how});
  }

  void report_child(const supervisor_command& command) {
    auto slot = slot_of(command.id);
    auto incarnation = slot->incarnation();
    if (command.restarts) slot->note_restart({ctx_.clock().wall_us(), incarnation, command.reason});
    report(slot->path(), incarnation, command.requested ? "restarted" : command.restarts ? "failed" : "finished",
           command.reason);
  }

  void abandon(const supervisor_command& command) {
    auto child = living_.find(command.id);
    if (child == living_.end()) return;
    report(prefix_ + command.id, child->second.path_incarnation, "abandoned", command.reason);
    child->second.slot->withdraw(child->second.path_incarnation);
    by_address_.erase(caf::actor_cast<caf::actor_addr>(child->second.actor));
    self_->demonitor(caf::actor_cast<caf::actor_addr>(child->second.actor));
    living_.erase(child);
  }

  void forget(const std::string& id) {
    specs_.erase(id);
    slots_.erase(id);
    ctx_.directory().forget(prefix_ + id);
    for (auto [at, last] = leaving_.equal_range(id); at != last; ++at) at->second.deliver(child_ack{prefix_ + id, 0});
    leaving_.erase(id);
  }

  void end(const std::optional<error>& why) {
    for (auto& [id, promise] : leaving_) promise.deliver(child_ack{prefix_ + id, 0});
    leaving_.clear();
    if (why) report(ctx_.path, ctx_.incarnation, "escalated", to_string(*why));
    self_->quit(why ? to_caf(*why) : caf::error());
  }

  /// The slot of a child, which is told how the child is supervised when it is first needed.
  slot_ptr slot_of(const std::string& id) {
    auto& slot = slots_[id];
    if (slot) return slot;
    slot = ctx_.directory().slot(prefix_ + id);
    auto spec = specs_.find(id);
    if (spec != specs_.end()) slot->describe(summary_of(spec->second, ctx_.path, position_of(id)));
    return slot;
  }

  std::size_t position_of(const std::string& id) const {
    auto known = positions_.find(id);
    return known == positions_.end() ? 0 : known->second;
  }

  void report(const std::string& path, std::uint64_t incarnation, const char* what, std::string reason) {
    if (ctx_.services.report) ctx_.services.report({path, incarnation, what, std::move(reason)});
  }

  caf::scheduled_actor* self_;
  actor_context ctx_;
  std::string prefix_;
  supervisor_core core_;
  std::map<std::string, child_spec> specs_;
  std::map<std::string, std::size_t> positions_; ///< Start order, of a fixed list of children.
  std::map<std::string, slot_ptr> slots_;
  std::map<std::string, living_child> living_;
  std::map<caf::actor_addr, std::string> by_address_;
  std::multimap<std::string, child_promise> leaving_;
  std::deque<supervisor_command> queue_;
  bool busy_ = false;
  error start_error_;
};

struct supervisor_state {
  static inline const char* name = "supervisor";
  std::unique_ptr<supervisor_shell> shell;
};

struct dynamic_supervisor_state {
  static inline const char* name = "dynamic supervisor";
  std::unique_ptr<supervisor_shell> shell;
};

supervisor_api::behavior_type static_supervisor(supervisor_api::stateful_pointer<supervisor_state> self, actor_context ctx,
                                                supervisor_spec spec, std::string prefix) {
  auto& shell = self->state.shell;
  shell = std::make_unique<supervisor_shell>(self, ctx, std::move(prefix), rules_of(spec), spec.children);
  auto own = [self, how = std::string(to_string(spec.how))] {
    return state_fields{{"strategy", how}, {"children", std::to_string(self->state.shell->children().size())}};
  };
  auto handlers = supervised(
    self, ctx,
    {
      [self](const child_list_request&) { return self->state.shell->children(); },
      [self](const child_action_request& wish) { return reply(self->state.shell->act(wish)); },
    },
    own);
  shell->start();
  return handlers;
}

outcome<child_spec> make_child(const dynamic_spec& spec, const std::string& id, const caf::message& arguments) {
  if (id.empty() || id.size() > 128 || id.find('/') != std::string::npos)
    return fail(errc::invalid_input, spec.id, "an id has 1 to 128 characters and no '/'");
  auto child = spec.make(id, arguments);
  if (child && (child->id != id || !child->start))
    return fail(errc::internal, spec.id, "the spec made for '" + id + "' has another id or no start function");
  return child;
}

dynamic_supervisor_api::behavior_type
dynamic_supervisor(dynamic_supervisor_api::stateful_pointer<dynamic_supervisor_state> self, actor_context ctx,
                   dynamic_spec spec, std::string prefix) {
  self->state.shell =
    std::make_unique<supervisor_shell>(self, ctx, std::move(prefix), rules_of(spec), std::vector<child_spec>());
  return supervised(
    self, ctx,
    {
      [self](const child_list_request&) { return self->state.shell->children(); },
      [self](const child_action_request& wish) { return reply(self->state.shell->act(wish)); },
      [self, spec](const child_start_request& what, const caf::message& arguments) -> caf::result<child_ack> {
        auto child = make_child(spec, what.id, arguments);
        if (!child) return to_caf(child.error());
        return reply(self->state.shell->add(std::move(*child)));
      },
      [self](const child_stop_request& what) -> caf::result<child_ack> {
        owed_answer<child_ack> promise(self);
        self->state.shell->remove(what.id, promise);
        return promise.promise();
      },
    },
    [self, bound = spec.children_max] {
      return state_fields{{"children", std::to_string(self->state.shell->children().size())},
                          {"children_max", std::to_string(bound)}};
    });
}

} // namespace

outcome<caf::actor> spawn_supervisor(caf::actor_system& system, const actor_context& ctx, supervisor_spec spec,
                                     std::string prefix) {
  if (auto ok = check(spec); !ok) return pass_on(std::move(ok));
  return spawn_child(system, ctx, static_supervisor, std::move(spec), std::move(prefix));
}

outcome<caf::actor> spawn_supervisor(caf::actor_system& system, const actor_context& ctx, dynamic_spec spec,
                                     std::string prefix) {
  if (!spec.make) return fail(errc::invalid_input, "supervisor", "'" + spec.id + "' cannot make children");
  return spawn_child(system, ctx, dynamic_supervisor, std::move(spec), std::move(prefix));
}

} // namespace lucid
