// messages/standby_api.hpp - the typed interface of whoever stands in for lost recorders.
#pragma once

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include "messages/type_ids.hpp"

namespace lucid {

/// What a node that may record answers the others: recording on in their place.
using standby_api = caf::typed_actor<
  caf::replies_to<standby_put_request>::with<standby_status>,
  caf::replies_to<standby_drop_request>::with<standby_status>,
  /// Errors: `not_found` for a plan that is not known; `wrong_state` for one that is gone on with already.
  caf::replies_to<standby_return_request>::with<standby_returned_plan>>;

} // namespace lucid
