// actors/anchor/anchoring_actor.hpp - the chain of this node, for recorders on other nodes, while this node has the role.
#pragma once

#include <memory>

#include "messages/ports/cluster.hpp"
#include "runtime/supervision/specs.hpp"

namespace lucid {

/// Batches at one time: a recorder has one under way. Each takes at most a megabyte.
inline constexpr std::size_t remote_anchors_max = 32;

/// Path: "anchoring". Interface: anchoring_api. Puts nothing into the chain unless this node holds the lease `anchor` under
/// exactly the number that the request names. A restarted one remembers nothing: recorders ask again.
child_spec anchoring_child(std::shared_ptr<cluster_port> cluster);

} // namespace lucid
