// actors/mesh/gateway_actor.hpp - the one door between the actors of two nodes of a cluster.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/mesh/link_table.hpp"
#include "actors/mesh/tunnel.hpp"
#include "messages/audit.hpp"
#include "messages/identity.hpp"
#include "runtime/supervision/specs.hpp"

namespace lucid {

struct gateway_options {
  node_id self{};
  std::filesystem::path socket;         ///< Of the middleman; in a folder of its own.
  std::vector<std::string> exports;     ///< Paths of actors that members may speak to; at most exported_actors_max.
  std::shared_ptr<link_table> links;
  std::shared_ptr<class gateway_road> road;
};

/// The tunnel, and what the gateway hears of it. Made by the composition root, before there is a gateway.
/// Threads: see each call.
class gateway_road final : public tunnel_events {
public:
  /// Before anything else.
  void connect(std::shared_ptr<tunnel> road) { tunnel_ = std::move(road); }
  tunnel& road() const { return *tunnel_; }

  /// From the tunnel, on its thread.
  void stream_up(link_id) override {}
  void stream_down(link_id link, const error& why) override;
  outcome<int> local_end(link_id link, bool dialled);

  /// What the present gateway does about it. Threads: any; `calls` are made on the tunnel's thread.
  struct calls {
    std::function<outcome<int>(link_id, bool dialled)> local_end;
    std::function<void(link_id, error)> down;
  };
  void attach(calls present);

private:
  calls present() const;

  std::shared_ptr<tunnel> tunnel_;
  mutable std::mutex mutex_;
  calls calls_;
};

/// Path: "gateway" below "mesh". Interface: gateway_api. It is published to the members, lends them the actors named in
/// `exports`, and puts those of others into the directory, as "nodes/<name>/<path>".
/// A restarted one remembers nothing: it meets all others anew.
child_spec gateway_child(gateway_options options);

} // namespace lucid
