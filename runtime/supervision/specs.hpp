// runtime/supervision/specs.hpp - child and supervisor specs: the tree as data.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <caf/actor.hpp>
#include <caf/fwd.hpp>

#include "messages/inspection.hpp"
#include "messages/outcome.hpp"
#include "runtime/actor_context.hpp"
#include "runtime/supervision/rules.hpp"

namespace lucid {

/// Starts one incarnation. Runs on the supervisor's thread: quick, no blocking.
/// Errors: whatever went wrong; it counts as a failure of the child. Exceptions are caught and count too.
using start_function = std::function<outcome<caf::actor>(caf::actor_system&, const actor_context&)>;

/// One child of a supervisor. Say in a comment what a restarted one remembers, and from where.
struct child_spec {
  std::string id;        ///< Last part of its path; no '/'.
  start_function start = {}; ///< Mostly `child_of(...)`, see runtime/supervision/spawn_child.hpp.
  restart when = restart::permanent;
  std::chrono::milliseconds shutdown_timeout{5000}; ///< Then it is killed. 0: killed at once.
  backoff delay = {};
  bool significant = false;
  child_type type = child_type::worker;
  supervisor_rules supervises = {}; ///< Of a supervisor, for whoever looks at the tree.
};

/// A supervisor with a fixed list of children: started in this order, stopped in reverse.
struct supervisor_spec {
  std::string id;
  strategy how = strategy::one_for_one;
  unsigned restarts_max = 3;
  std::chrono::milliseconds period{60'000};
  auto_shutdown shutdown = auto_shutdown::never;
  std::vector<child_spec> children = {};
  // As a child of another supervisor:
  restart when = restart::permanent;
  backoff delay = {};
  bool significant = false;
};

/// A supervisor of children of one kind, which are started and stopped at run time by message.
struct dynamic_spec {
  std::string id;
  /// The spec of a new child. Its `id` must be the one that was asked for.
  std::function<outcome<child_spec>(const std::string& id, const caf::message& arguments)> make = {};
  std::size_t children_max = 64;
  unsigned restarts_max = 3;
  std::chrono::milliseconds period{60'000};
  auto_shutdown shutdown = auto_shutdown::never;
  std::chrono::milliseconds child_shutdown_max{30'000}; ///< The longest a child may take to stop; they stop side by side.
  // As a child of another supervisor:
  restart when = restart::permanent;
  backoff delay = {};
  bool significant = false;
};

/// A supervisor as a child of another. Its shutdown timeout is what its children may take together.
child_spec nested(supervisor_spec spec);
child_spec nested(dynamic_spec spec);

/// How `spec` supervises.
supervisor_rules rules_of(const supervisor_spec& spec);
supervisor_rules rules_of(const dynamic_spec& spec);

/// `spec` as data. The root has no parent and no rules but its own.
spec_summary summary_of(const supervisor_spec& root);
spec_summary summary_of(const child_spec& spec, const std::string& parent, std::size_t position);

/// Checks ids and the rules on significance. Errors: `invalid_input`, naming the spec.
outcome<void> check(const supervisor_spec& spec);

} // namespace lucid
