// actors/seal/placed_seal_actor.hpp - the seal of a session whose sealing is done by whichever node has the role.
#pragma once

#include <memory>

#include "actors/seal/sealing.hpp"
#include "messages/ports/cluster.hpp"
#include "runtime/supervision/specs.hpp"

namespace lucid {

inline constexpr const char* seal_role = "seal";

/// What the seal of one session needs when the role is placed in a cluster.
struct placed_seal_options {
  seal_options local;                    ///< For when this node has the role.
  std::shared_ptr<cluster_port> cluster; ///< Who has it.
};

/// Child spec of the seal of one session, "seal" below it: the same interface as `seal_child`, so nobody notices where the
/// work is done. Sends plaintext to the holder of the role, takes the sealed chunk back, hands it to the store under the
/// number of the lease. When the role moves, what is not stored is sent to its new holder.
/// A restarted one remembers nothing: chunk sends again what is not stored.
child_spec placed_seal_child(placed_seal_options options);

} // namespace lucid
