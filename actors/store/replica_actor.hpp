// actors/store/replica_actor.hpp - copies/replicas: holds copies of other nodes' recordings and shows that it does.
#pragma once

#include <memory>

#include "actors/store/recording_store.hpp"
#include "adapters/sodium/sign.hpp"
#include "runtime/supervision/specs.hpp"

namespace lucid {

struct replica_settings {
  node_id self{};
  store_options store;                          ///< `folder` is replicas_folder(data).
  std::shared_ptr<file_system> files;
  std::shared_ptr<const sign_key> signs;        ///< The node's signing key: for answers to challenges.
  std::function<void(const error&)> on_finding; ///< As of recording_store_opener; may be empty.
  /// Whether a copy that was `from`'s may become `to`'s: `to` is a member of the cluster, and `from` is none any more. Empty:
  /// never.
  std::function<bool(const node_id& from, const node_id& to)> may_take_over;
};

/// Path: "replicas" below "copies". Interface: replica_api. Detached, since it syncs. Takes blobs from paths::blobs.
/// A restarted one remembers everything, from the disk. Without a thread of its own it is for tests on the deterministic
/// scheduler.
child_spec replicas_child(replica_settings settings, bool own_thread = true);

} // namespace lucid
