// actors/mesh/chunk_links.hpp - the links that blobs travel on: one for each member that is up.
#pragma once

#include <map>
#include <mutex>
#include <optional>

#include "messages/ports/blob_links.hpp"
#include "messages/ports/mesh_transport.hpp"

namespace lucid {

/// Tells members by the key that a link was made with. Of two links to one member the newer counts.
///
/// Borrows: transport and events, which outlive its use. Threads: the link's events on the transport's thread, the rest any.
class chunk_links final : public link_events, public blob_links {
public:
  /// Before the transport tells anything.
  void connect(mesh_transport* transport, blob_link_events* events, std::size_t queue_bytes_max);

  /// Who is behind which key. A link to a key that is not among them is not let in.
  void set_members(std::map<transport_key, node_id> members);
  bool linked(const node_id& peer) const;
  /// Begins to connect to a member, unless that is under way.
  void dial(const node_id& peer, dial_request request);

  std::size_t room_bytes(const node_id& to) const override;
  outcome<void> send(const node_id& to, byte_buffer frame) override;
  void cut(const node_id& peer, const error& why) override;

  void up(link_id link, const transport_key& peer, bool dialled) override;
  void down(link_id link, const error& why) override;
  void frame(link_id link, byte_view bytes) override;
  void refused(const link_refusal&) override {} // The same key was refused on the links for messages.

private:
  std::optional<node_id> forget(link_id link);

  mesh_transport* transport_ = nullptr;
  blob_link_events* events_ = nullptr;
  std::size_t queue_bytes_max_ = 0; ///< Of one link of the transport.
  mutable std::mutex mutex_;
  std::map<transport_key, node_id> members_; ///< At most twice cluster_members_max.
  std::map<node_id, link_id> by_node_;
  std::map<link_id, node_id> by_link_;
  std::map<node_id, link_id> dialling_;
};

} // namespace lucid
