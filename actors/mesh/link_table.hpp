// actors/mesh/link_table.hpp - which member is behind which link at present.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "messages/identity.hpp"
#include "messages/ports/mesh_transport.hpp"

namespace lucid {

/// The link to one member, for messages.
struct peer_link {
  link_id link = 0;
  std::string name;
  bool dialled = false; ///< This side opened it.
  friend bool operator==(const peer_link&, const peer_link&) = default;
};

/// Written by mesh/links, read by whoever sends. Outlives both. Threads: any.
class link_table {
public:
  std::map<node_id, peer_link> read() const {
    std::lock_guard lock(mutex_);
    return links_;
  }
  void set(const node_id& peer, peer_link link) {
    std::lock_guard lock(mutex_);
    links_[peer] = std::move(link);
  }
  /// Unless another link has taken its place.
  void erase(const node_id& peer, link_id link) {
    std::lock_guard lock(mutex_);
    if (auto at = links_.find(peer); at != links_.end() && at->second.link == link) links_.erase(at);
  }
  void clear() {
    std::lock_guard lock(mutex_);
    links_.clear();
  }

private:
  mutable std::mutex mutex_;
  std::map<node_id, peer_link> links_; ///< At most mesh.peers_max.
};

} // namespace lucid
