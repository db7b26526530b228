// messages/console_api.hpp - the typed interfaces of the console's actors.
#pragma once

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include "messages/type_ids.hpp"

namespace lucid {

/// Serves the node's API on one door.
using console_api = caf::typed_actor<
  /// `wrong_state` when no browser can come in, with the reason.
  caf::replies_to<login_link_request>::with<login_link>>;

/// Keeps the log of actions.
using audit_api = caf::typed_actor<
  /// Answers once the entry is on disk.
  caf::replies_to<audit_append_request>::with<audit_entry>,
  caf::replies_to<audit_read_request>::with<audit_page>>;

} // namespace lucid
