// actors/ledger/ledger_actor.hpp - the chain as an actor of the node.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "actors/ledger/ledger.hpp"
#include "messages/storage_api.hpp"
#include "runtime/actor_context.hpp"
#include "runtime/supervision/specs.hpp"

namespace lucid {

struct ledger_settings {
  std::function<outcome<std::unique_ptr<ledger_store>>()> open; ///< Called on the actor's thread at each start.
  std::shared_ptr<const sign_key> producer;                     ///< The node's.
};

/// Opens the chain of a data folder.
std::function<outcome<std::unique_ptr<ledger_store>>()> ledger_file_opener(std::filesystem::path data_folder);

/// Path: "ledger" below its supervisor. Detached, since it syncs. A restarted one remembers the whole chain, from its
/// file; the first start makes block 0.
child_spec ledger_child(ledger_settings settings);

/// The behaviour itself, for tests on the deterministic scheduler.
struct ledger_actor_state {
  static inline const char* name = "ledger";
  std::shared_ptr<const sign_key> producer;
  std::unique_ptr<ledger_store> store;
  std::optional<ledger> chain;
};
ledger_api::behavior_type ledger_actor(ledger_api::stateful_pointer<ledger_actor_state> self, actor_context ctx,
                                       ledger_settings settings);

} // namespace lucid
