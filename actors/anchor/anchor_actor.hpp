// actors/anchor/anchor_actor.hpp - has manifests put into a chain and tells the store where.
#pragma once

#include <memory>

#include "actors/anchor/anchor_core.hpp"
#include "messages/ports/cluster.hpp"
#include "runtime/supervision/specs.hpp"

namespace lucid {

/// Path: "anchor" below its supervisor, beside "store" and "ledger" (messages/paths.hpp). A restarted one remembers
/// what is not yet in a chain, from the store; who waited for an answer asks again.
///
/// Without `cluster` batches go to the ledger of this node. With it to whichever node has the role `anchor`: this one's own
/// ledger, or "anchoring" of that node, whose answers are checked before they are stored. While nobody has it entries wait;
/// when it moves, or the way to its holder is another, what was under way is sent again at once.
child_spec anchor_child(anchor_limits limits, std::shared_ptr<cluster_port> cluster = nullptr);

} // namespace lucid
