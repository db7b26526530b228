// runtime/supervision/specs.cpp - supervisors as children of supervisors, and what a spec may not say.
#include "runtime/supervision/specs.hpp"

#include <set>
#include <utility>

#include <caf/actor_system.hpp>

#include "runtime/supervision/supervisor_actor.hpp"
#include "runtime/supervision/supervisor_core.hpp"

namespace lucid {
namespace {

/// For the supervisor's own work around its children's ends.
constexpr std::chrono::milliseconds supervisor_slack{1000};

template <class Spec>
child_spec as_child(Spec spec, std::chrono::milliseconds shutdown_timeout) {
  child_spec child{.id = spec.id,
                   .when = spec.when,
                   .shutdown_timeout = shutdown_timeout,
                   .delay = spec.delay,
                   .significant = spec.significant,
                   .type = child_type::supervisor,
                   .supervises = rules_of(spec)};
  child.start = [spec = std::move(spec)](caf::actor_system& system, const actor_context& ctx) {
    return spawn_supervisor(system, ctx, spec, ctx.path + "/");
  };
  return child;
}

void add_rules(spec_summary& into, const supervisor_rules& rules) {
  into.supervisor = true;
  into.strategy = to_string(rules.how);
  into.dynamic = rules.dynamic;
  into.restarts_max = rules.restarts_max;
  into.period_ms = rules.period.count();
}

outcome<void> check_child(const supervisor_spec& spec, const child_spec& child) {
  const auto name = "'" + spec.id + "/" + child.id + "'";
  if (child.id.empty() || child.id.find('/') != std::string::npos)
    return fail(errc::invalid_input, "supervisor", name + ": an id is one part of a path: not empty, no '/'");
  if (!child.start) return fail(errc::invalid_input, "supervisor", name + " has no start function");
  if (child.delay.min > child.delay.max)
    return fail(errc::invalid_input, "supervisor", name + ": the back-off's minimum is above its maximum");
  if (child.significant && child.when == restart::permanent)
    return fail(errc::invalid_input, "supervisor", name + ": a permanent child cannot be significant, it never ends");
  if (child.significant && spec.shutdown == auto_shutdown::never)
    return fail(errc::invalid_input, "supervisor", name + " is significant, but the supervisor's auto-shutdown is never");
  return {};
}

} // namespace

supervisor_rules rules_of(const supervisor_spec& spec) {
  return {.how = spec.how, .restarts_max = spec.restarts_max, .period = spec.period, .shutdown = spec.shutdown};
}

supervisor_rules rules_of(const dynamic_spec& spec) {
  return {.restarts_max = spec.restarts_max,
          .period = spec.period,
          .shutdown = spec.shutdown,
          .dynamic = true,
          .children_max = spec.children_max};
}

spec_summary summary_of(const supervisor_spec& root) {
  spec_summary summary;
  add_rules(summary, rules_of(root));
  return summary;
}

spec_summary summary_of(const child_spec& spec, const std::string& parent, std::size_t position) {
  spec_summary summary{.parent = parent,
                       .position = static_cast<std::uint32_t>(position),
                       .restart = std::string(to_string(spec.when)),
                       .significant = spec.significant,
                       .shutdown_timeout_ms = spec.shutdown_timeout.count()};
  if (spec.type == child_type::supervisor) add_rules(summary, spec.supervises);
  return summary;
}

child_spec nested(supervisor_spec spec) {
  auto all = supervisor_slack;
  for (const auto& child : spec.children) all += child.shutdown_timeout + supervisor_core::kill_patience;
  return as_child(std::move(spec), all);
}

child_spec nested(dynamic_spec spec) {
  auto longest = spec.child_shutdown_max + supervisor_core::kill_patience + supervisor_slack;
  return as_child(std::move(spec), longest);
}

outcome<void> check(const supervisor_spec& spec) {
  std::set<std::string_view> seen;
  for (const auto& child : spec.children) {
    if (auto ok = check_child(spec, child); !ok) return ok;
    if (!seen.insert(child.id).second)
      return fail(errc::invalid_input, "supervisor", "'" + spec.id + "' has two children '" + child.id + "'");
  }
  return {};
}

} // namespace lucid
