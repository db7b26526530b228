// messages/adoption_api.hpp - the typed interface of whoever finishes recordings whose recorder is lost for good.
#pragma once

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include "messages/type_ids.hpp"

namespace lucid {

/// Makes a recording of which only copies are left this node's own, and finishes it.
using adoption_api = caf::typed_actor<caf::replies_to<session_adopt_request>::with<session_summary>>;

} // namespace lucid
