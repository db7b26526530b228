// actors/mesh/tor_actor.hpp - Tor as a child of the node: started, watched, published through.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

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
  onion_router_starter start;                 ///< Called on the actor's thread at each start.
  std::chrono::milliseconds bootstrap_timeout{180'000}; ///< Without progress; then Tor is started anew.
  std::shared_ptr<onion_wishes> wishes = std::make_shared<onion_wishes>(); ///< Shared by all incarnations.
  std::function<void(const onion_warning&)> warn; ///< A line of Tor's. Must be quick; may be empty.
  std::function<void(const onion_progress&)> progress; ///< As above.
};

/// Path: "tor" below the supervisor "mesh". Detached, since it waits for Tor's answers. Starts Tor, or connects to a
/// given one; ends with an error when Tor is gone or joins no network within the timeout. A restarted one publishes
/// and authorises anew what was asked for, from `wishes`, under the same address, from the kept key.
child_spec tor_child(tor_settings settings);

} // namespace lucid
