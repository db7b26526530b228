// messages/tor_api.hpp - the typed interface of the actor that looks after Tor; path "mesh/tor".
#pragma once

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include "messages/type_ids.hpp"

namespace lucid {

/// Errors: `unreachable` while Tor is being started anew: ask again; `invalid_input`; `refused` with what Tor said.
using tor_api = caf::typed_actor<
  caf::replies_to<tor_status_request>::with<tor_status>,
  caf::replies_to<onion_publish_request>::with<onion_service>,
  caf::replies_to<onion_authorise_request>::with<tor_status>,
  caf::replies_to<onion_forget_request>::with<tor_status>,
  /// `wrong_state` when nothing is published.
  caf::replies_to<onion_rotate_request>::with<onion_service>,
  caf::replies_to<tor_renew_circuits_request>::with<tor_status>>;

} // namespace lucid
