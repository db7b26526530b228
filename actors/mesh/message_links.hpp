// actors/mesh/message_links.hpp - what comes over the links for messages: to the tunnel, or to mesh/links.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <set>

#include "actors/mesh/tunnel.hpp"
#include "messages/ports/mesh_transport.hpp"

namespace lucid {

/// Stands between the transport's thread and the actor mesh/links, which may be another incarnation at each call.
///
/// Borrows: the tunnel, which outlives the transport.
/// Threads: the events on the transport's thread, the rest any.
class message_links final : public link_events {
public:
  /// Before the transport tells anything.
  void connect(tunnel* road) { tunnel_ = road; }

  /// Called on the transport's thread: quick.
  struct calls {
    std::function<void(link_id, const transport_key&, bool dialled)> up;
    std::function<void(link_id, const error&)> down;
    std::function<void(link_id, byte_buffer envelope)> envelope;
    std::function<void(const link_refusal&)> refused;
    std::function<void(byte_buffer statement)> beacon; ///< From the local network, from anybody.
  };

  /// From now on news goes there. Links of before are not told of again: what they are is the caller's to end.
  std::set<link_id> attach(calls present);

  /// Something that was heard on the local network. Threads: any.
  void beacon(byte_view bytes);
  /// What this node says there; empty: nothing.
  void set_own_beacon(byte_buffer bytes);
  byte_buffer own_beacon() const;

  void up(link_id link, const transport_key& peer, bool dialled) override;
  void down(link_id link, const error& why) override;
  void frame(link_id link, byte_view bytes) override;
  void refused(const link_refusal& refusal) override;

private:
  std::shared_ptr<const calls> present() const;

  tunnel* tunnel_ = nullptr;
  mutable std::mutex mutex_;
  std::shared_ptr<const calls> calls_ = std::make_shared<const calls>();
  std::set<link_id> live_;
  byte_buffer own_beacon_;
};

} // namespace lucid
