// actors/seal/sealing_actor.hpp - seals for recorders on other nodes, while this node has the role.
#pragma once

#include <memory>

#include "adapters/sodium/secret.hpp"
#include "messages/ports/cluster.hpp"
#include "messages/ports/random.hpp"
#include "runtime/supervision/specs.hpp"
#include "runtime/work_pool.hpp"

namespace lucid {

/// Chunks at one time: each takes up to 33 MiB, plain and sealed.
inline constexpr std::size_t remote_seals_max = 4;

struct sealing_options {
  std::shared_ptr<const secret_key> box_secret; ///< Opens the session keys that were sealed for this node.
  std::shared_ptr<cluster_port> cluster;
  work_pool* pool = nullptr;
  random_port* random = nullptr;
};

/// Path: "sealing". Interface: sealing_api. A restarted one remembers nothing: recorders ask again.
child_spec sealing_child(sealing_options options);

} // namespace lucid
