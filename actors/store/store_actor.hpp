// actors/store/store_actor.hpp - the store as an actor of the node.
#pragma once

#include <functional>
#include <memory>

#include "actors/store/recording_store.hpp"
#include "messages/storage_api.hpp"
#include "runtime/actor_context.hpp"
#include "runtime/supervision/specs.hpp"

namespace lucid {

/// Opens what the actor works on. Called on the actor's thread at each start; an error ends the start.
using store_opener = std::function<outcome<std::unique_ptr<store_port>>()>;

/// Opens the recordings of a data folder. `on_finding` is told what the check at opening found; it must be quick.
store_opener recording_store_opener(store_options options, std::shared_ptr<file_system> files,
                                    std::function<void(const error&)> on_finding);

/// Path: "store" below its supervisor. Detached, since it syncs. A restarted one remembers everything, from the disk;
/// requests that were in its mailbox are lost and asked again.
child_spec store_child(store_opener open);

/// The behaviour itself, for tests on the deterministic scheduler.
struct store_actor_state {
  static inline const char* name = "store";
  std::unique_ptr<store_port> store;
  std::uint64_t chunk_count = 0; ///< Stored by this incarnation.
  std::uint64_t chunk_bytes = 0;
  std::uint64_t refused_count = 0;
};
store_api::behavior_type store_actor(store_api::stateful_pointer<store_actor_state> self, actor_context ctx,
                                     store_opener open);

} // namespace lucid
