// actors/mesh/tor_actor.hpp - Tor as a child of the node: started, watched, published through.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actors/mesh/tor_core.hpp"
#include "messages/ports/onion_router.hpp"
#include "messages/tor_api.hpp"
#include "runtime/actor_context.hpp"
#include "runtime/supervision/specs.hpp"

namespace lucid {

/// What was asked of Tor, for its next incarnation. Owns: values. Threads: any.
class onion_wishes {
public:
  struct wishes {
    onion_publish_request service; ///< No ports: nothing is published.
    std::set<std::string> peers;   ///< Onion services to use the client key for.
  };
  wishes read() const {
    std::lock_guard lock(mutex_);
    return wishes_;
  }
  void set_service(onion_publish_request service) {
    std::lock_guard lock(mutex_);
    wishes_.service = std::move(service);
  }
  void add_peer(const std::string& onion) {
    std::lock_guard lock(mutex_);
    wishes_.peers.insert(onion);
  }
  void remove_peer(const std::string& onion) {
    std::lock_guard lock(mutex_);
    wishes_.peers.erase(onion);
  }

private:
  mutable std::mutex mutex_;
  wishes wishes_;
};

struct tor_settings {
  onion_router_starter start; ///< Called on the actor's thread at each start.
  tor_limits limits;
  std::shared_ptr<onion_wishes> wishes = std::make_shared<onion_wishes>(); ///< Shared by all incarnations.
};

/// Path: "tor" below the supervisor "mesh". Detached, since it waits for Tor's answers. Starts Tor, or connects to a
/// given one; ends with an error when Tor is gone or joins no network within the timeout. A restarted one publishes
/// and authorises anew what was asked for, from `wishes`, under the same address, from the kept key.
/// Of a given Tor a want of progress is logged, and nothing more: it is not ours to start anew.
child_spec tor_child(tor_settings settings);

/// The behaviour itself, for tests on the deterministic scheduler.
struct tor_actor_state {
  static inline const char* name = "tor";
  tor_settings settings;
  std::optional<tor_core> core;
  bool service_due = false;           ///< The wished service is not with Tor yet.
  std::set<std::string> peers_due;    ///< As well, for client keys.
  std::optional<tor_core::time> renewed_at; ///< Circuits, by wish.
  bool warned_stuck = false;
  std::uint32_t logged_percent = 0;
  std::uint64_t read_bytes = 0, written_bytes = 0;
  std::string last_warning;
  std::unique_ptr<onion_router> router; ///< Last: it goes first.
};
tor_api::behavior_type tor_actor(tor_api::stateful_pointer<tor_actor_state> self, actor_context ctx, tor_settings settings);

} // namespace lucid
