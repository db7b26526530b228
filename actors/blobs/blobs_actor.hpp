// actors/blobs/blobs_actor.hpp - mesh/blobs: requests of actors to the exchange, its answers to them.
#pragma once

#include <memory>

#include "actors/blobs/blob_exchange.hpp"
#include "runtime/supervision/specs.hpp"

namespace lucid {

/// Path: "blobs" below "mesh". Interface: blobs_api. A restarted one knows of no request: who waited is told `unreachable`
/// and asks again; what has arrived stays in the exchange.
child_spec blobs_child(std::shared_ptr<blob_exchange> exchange);

} // namespace lucid
