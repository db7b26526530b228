// actors/mesh/tunnel.hpp - carries the middleman's streams over the links: one Unix socket, one stream a link.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "actors/mesh/tunnel_stream.hpp"
#include "messages/ports/mesh_transport.hpp"

namespace lucid {

struct tunnel_settings {
  std::uint64_t credit_bytes = 1 << 20;      ///< mesh.tunnel_credit_bytes; at least 64 KiB.
  std::uint64_t message_bytes_max = 1 << 24; ///< mesh.message_bytes_max
};

/// Told of the streams, on the transport's thread: be quick, never block.
class tunnel_events {
public:
  virtual ~tunnel_events() = default;
  /// Both middlemen have shaken hands.
  virtual void stream_up(link_id link) = 0;
  /// The stream has ended; the link may live on. `permission_denied`, `limit_exceeded`, `protocol_violation`: the peer
  /// broke the rules. Once for each stream that was begun.
  virtual void stream_down(link_id link, const error& why) = 0;
};

/// A connected Unix stream socket that leads to our middleman; the tunnel owns it from then on.
/// Called on the transport's thread. `dialled`: our middleman is to connect through it (give the other end of a pair to
/// `connect_gateway`); else: a connection to the socket that the gateway is published on (`connect_local`).
using local_end = std::function<outcome<int>(link_id link, bool dialled)>;

struct tunnel_counters {
  std::uint64_t streams = 0;   ///< At present.
  std::uint64_t breaches = 0;  ///< Streams that ended since the peer broke the rules.
  basp_dropped dropped;        ///< Of all streams that have ended.
};

/// Owns: the local sockets, and at most `credit_bytes` a stream. Borrows: transport and events.
/// Threads: `attach`, `detach`, `export_actor` and `counters` any; the rest on the transport's thread.
/// Destroyed after the transport's thread has ended.
class tunnel final {
public:
  tunnel(mesh_transport& transport, tunnel_settings settings, local_end make_local, tunnel_events& events);
  ~tunnel();
  tunnel(const tunnel&) = delete;
  tunnel& operator=(const tunnel&) = delete;

  /// The peer of this link may have a stream. The dialler opens it now, again after `stream_down`; the other side waits for
  /// the peer's, and takes the one that has been waiting for this call.
  void attach(link_id link, bool dialled);
  /// Ends the stream of the link, if there is one, and allows no other.
  void detach(link_id link);
  /// Peers may speak to this actor: the gateway, under each of its lives. Holds for streams that are there and to come.
  void export_actor(std::uint64_t actor_id);

  /// From `link_events`: a frame of the tunnel's channel, and the end of every link, attached or not.
  void frame(link_id link, byte_view bytes);
  void down(link_id link, const error& why);

  tunnel_counters counters() const;

private:
  struct stream;
  struct shared;

  std::shared_ptr<shared> shared_;
};

} // namespace lucid
