// messages/supervision_api.hpp - the typed interfaces of supervisors.
#pragma once

#include <caf/message.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include "messages/type_ids.hpp"

namespace lucid {

/// What every supervisor answers.
using supervisor_api = caf::typed_actor<
  caf::replies_to<child_list_request>::with<std::vector<child_summary>>,
  /// `not_found` when there is no such child, `wrong_state` when it is not in one that allows it, `unsupported` for a
  /// supervisor that is to be suspended.
  caf::replies_to<child_action_request>::with<child_ack>>;

/// A supervisor of children of one kind, which come and go.
using dynamic_supervisor_api = supervisor_api::extend<
  /// `already_exists`, `busy` (bound reached), or the error with which the start failed: then there is no child.
  caf::replies_to<child_start_request, caf::message>::with<child_ack>,
  /// Answers once the child is gone. `not_found` when there is none.
  caf::replies_to<child_stop_request>::with<child_ack>>;

} // namespace lucid
