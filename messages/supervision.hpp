// messages/supervision.hpp - what one may ask of a supervisor by message.
#pragma once

#include <cstdint>
#include <string>
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

/// One child as its supervisor sees it.
struct child_summary {
  std::string path;
  std::string state; ///< "idle", "waiting", "starting", "running", "stopping"
  std::uint64_t incarnation = 0;
  std::uint64_t restart_count = 0;
  bool supervisor = false;
};

/// Answers `child_start_request` and `child_stop_request`.
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
