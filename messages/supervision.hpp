// messages/supervision.hpp - what one may ask of a supervisor by message.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lucid {

/// Asks a dynamic supervisor for a new child. Its arguments travel beside this, as a `caf::message`.
struct child_start_request {
  std::string id; ///< The last part of its path; unique under this supervisor.
};

/// Asks a dynamic supervisor to stop a child. Answered once it is gone.
struct child_stop_request {
  std::string id;
};

/// Asks any supervisor for its children, in start order.
struct child_list_request {};

/// What an operator may do to one actor.
enum class child_action : std::uint8_t {
  restart, ///< Stopped in order and started again, with the siblings that its supervisor's strategy names. No failure.
  kill,    ///< Ends as if it had crashed: for fault injection. Its supervisor treats it so.
  suspend, ///< Handles nothing but the system's messages until it is resumed or ends; the others wait in its mailbox.
  resume,  ///< Handles what has waited, in order, and goes on.
};

constexpr std::string_view to_string(child_action action) noexcept {
  constexpr std::array<std::string_view, 4> names{"restart", "kill", "suspend", "resume"};
  return names[static_cast<std::size_t>(action)];
}

/// Asks any supervisor to do something to one of its children. Answered when it is under way, not when it is done.
struct child_action_request {
  std::string id; ///< The last part of its path.
  child_action action = child_action::restart;
};

/// One child as its supervisor sees it.
struct child_summary {
  std::string path;
  std::string state; ///< "idle", "waiting", "starting", "running", "stopping"
  std::uint64_t incarnation = 0;
  std::uint64_t restart_count = 0;
  bool supervisor = false;
};

/// Answers requests that concern one child.
struct child_ack {
  std::string path;
  std::uint64_t incarnation = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, child_start_request& x) {
  return f(x.id);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, child_stop_request& x) {
  return f(x.id);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, child_action_request& x) {
  return f(x.id, x.action);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, child_list_request&) {
  return f();
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, child_summary& x) {
  return f(x.path, x.state, x.incarnation, x.restart_count, x.supervisor);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, child_ack& x) {
  return f(x.path, x.incarnation);
}

} // namespace lucid
