// actors/anchor/anchor_actor.hpp - has manifests put into the chain and tells the store where.
#pragma once

#include "actors/anchor/anchor_core.hpp"
#include "runtime/supervision/specs.hpp"

namespace lucid {

/// Path: "anchor" below its supervisor, beside "store" and "ledger" (messages/paths.hpp). A restarted one remembers
/// what is not yet in the chain, from the store; who waited for an answer asks again.
child_spec anchor_child(anchor_limits limits);

} // namespace lucid
