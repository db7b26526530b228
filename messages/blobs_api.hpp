// messages/blobs_api.hpp - the typed interface of mesh/blobs.
#pragma once

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include "messages/type_ids.hpp"

namespace lucid {

/// Sends large bytes to other nodes and hands out those that arrived. For actors of the same node.
using blobs_api = caf::typed_actor<
  caf::replies_to<blob_send_request>::with<blob_ref>,
  caf::replies_to<blob_take_request>::with<payload>>;

} // namespace lucid
