// actors/replication/replication_actor.hpp - copies/replication: has copies made of the node's recordings, and proven.
#pragma once

#include <memory>

#include "actors/replication/challenge_core.hpp"
#include "actors/replication/challenge_log.hpp"
#include "actors/replication/replication_core.hpp"
#include "adapters/sodium/sign.hpp"
#include "messages/ports/cluster.hpp"
#include "messages/ports/replica_source.hpp"
#include "runtime/supervision/specs.hpp"
#include "runtime/work_pool.hpp"

namespace lucid {

struct replication_parts {
  node_id self{};
  replication_limits limits;
  std::chrono::milliseconds challenge_interval{};
  std::filesystem::path challenges;            ///< challenges_file(data)
  std::shared_ptr<replica_source> source;      ///< Our own recordings.
  std::shared_ptr<const cluster_port> cluster;
  std::shared_ptr<work_pool> pool;             ///< Reads chunks; each job holds one.
  std::shared_ptr<const sign_key> signs;       ///< For results of challenges.
};

/// Path: "replication" below "copies". Interface: replication_api. Sends chunks through paths::blobs, and reaches holders
/// at paths::of_node(name, paths::replicas). A restarted one asks all holders what they have.
child_spec replication_child(replication_parts parts);

} // namespace lucid
