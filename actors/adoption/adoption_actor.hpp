// actors/adoption/adoption_actor.hpp - copies/adoption: finishes recordings whose recorder is lost for good.
#pragma once

#include <functional>
#include <memory>

#include "messages/identity.hpp"
#include "messages/ports/cluster.hpp"
#include "messages/ports/replica_source.hpp"
#include "runtime/supervision/specs.hpp"
#include "runtime/work_pool.hpp"

namespace lucid {

struct adoption_parts {
  box_public_key node_box{};                   ///< Its own recordings that run have their key for this one.
  std::shared_ptr<replica_source> copies;      ///< Of other nodes' recordings: those in replicas_folder(data).
  std::shared_ptr<const cluster_port> cluster;
  std::shared_ptr<work_pool> pool;             ///< Reads and hashes; each job holds one chunk.

  /// Puts the file of a copy, which is what was sealed, also into this node's own store, without copying its bytes, where the
  /// file system can do that: the store then has no need to write them. Called on the pool. May be empty.
  std::function<void(const chunk_key&)> share;
};

/// Path: "adoption" below "copies". Interface: adoption_api. Without the recorder's manifest it asks the holders that are up, at
/// paths::of_node(name, paths::replicas), and leaves the recording to one that has it. Works through paths::store,
/// paths::anchor, paths::replicas, and `adoption_manifest_path`. The answer comes when the recording is anchored; asking again for one that is under way, or was
/// cut off by a crash, goes on with it. A restarted one goes on with all that are not finished.
child_spec adoption_child(adoption_parts parts);

/// Where it finds the manifest actor that serves it: a manifest_child without a key of its own, beside it.
inline constexpr std::string_view adoption_manifest_path = "copies/manifest";

} // namespace lucid
