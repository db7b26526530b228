// actors/node/node_mesh.hpp - the way of this node to others, and what its actors share of it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "actors/blobs/blob_exchange.hpp"
#include "actors/console/refusal_book.hpp"
#include "actors/mesh/chunk_links.hpp"
#include "actors/mesh/cluster_state.hpp"
#include "actors/mesh/gateway_actor.hpp"
#include "actors/mesh/link_table.hpp"
#include "actors/mesh/links_actor.hpp"
#include "actors/mesh/message_links.hpp"
#include "actors/mesh/tunnel.hpp"
#include "actors/node/node_keys.hpp"
#include "adapters/lan/lan_beacon.hpp"
#include "adapters/zmq/curve_socket.hpp"
#include "messages/ports/clock.hpp"
#include "messages/ports/file_system.hpp"
#include "runtime/actor_system.hpp"
#include "runtime/config/configuration.hpp"

namespace lucid {

/// What a node with `mesh.listen` owns beside its actors: transports, tunnel, blobs, and the state they are seen by.
///
/// Owns: two transports with a thread each. Destroyed after the actors.
/// Threads: one owner; what is handed out says so itself.
class node_mesh {
public:
  /// Listens, and lets nobody in yet. Errors: `invalid_input` for addresses that are none, `io_failed` (in use);
  /// those of the keys and of the secret file.
  static outcome<std::unique_ptr<node_mesh>> open(const configuration& settings, std::shared_ptr<const sign_key> sign,
                                                  box_public_key box, std::shared_ptr<file_system> files,
                                                  random_port& random, const clock_port& clock,
                                                  std::shared_ptr<refusal_book> refusals);
  ~node_mesh();

  /// Ends the transports and their threads. To be called when the actors have ended and before their system does: CAF
  /// waits for every thread that ever spoke to it to let go of its logger.
  void close();

  node_id self() const { return node_id_of(links_.sign->public_key()); }
  std::shared_ptr<cluster_port> cluster() const { return state_; }
  std::shared_ptr<blob_exchange> blobs() const { return blobs_; }

  links_options links() const { return links_; }
  gateway_options gateway(std::vector<std::string> exports) const;

private:
  explicit node_mesh(const clock_port& clock) : state_(std::make_shared<cluster_state>(clock)) {}
  outcome<void> listen(const configuration& settings, const transport_keys& keys);
  outcome<void> listen_to_beacons();

  std::filesystem::path socket_;
  std::shared_ptr<cluster_state> state_;
  std::shared_ptr<link_table> table_ = std::make_shared<link_table>();
  std::shared_ptr<message_links> message_events_ = std::make_shared<message_links>();
  std::shared_ptr<chunk_links> chunk_events_ = std::make_shared<chunk_links>();
  std::shared_ptr<gateway_road> road_ = std::make_shared<gateway_road>();
  std::shared_ptr<blob_exchange> blobs_;
  std::shared_ptr<tunnel> tunnel_;
  std::unique_ptr<curve_socket> messages_, chunks_;
  std::unique_ptr<lan_beacon> beacon_;
  links_options links_;
};

/// Whether `nodes`, as a key of [placement] names them, are among others this node.
bool names_node(const std::vector<std::string>& nodes, const std::string& node);

/// Whether nodes record on in each other's place: `recorders`, as placement.capture names them, are two or more by name.
/// "*" is no wish for that: it is what stands there unless somebody chooses.
bool stand_in_for_each_other(const std::vector<std::string>& recorders);

/// How the middleman is set for these links.
middleman_settings middleman_of(const configuration& settings);

} // namespace lucid
