// actors/mesh/message_links.hpp - what comes over the links for messages: to the tunnel, or to mesh/links.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "actors/mesh/tunnel.hpp"
#include "messages/ports/mesh_transport.hpp"

namespace lucid {

/// Frames of one link that mesh/links has not handled yet: a list of full length, or about a thousand small ones, which
/// take it a tenth of a second: so no link holds up the heartbeats of the others.
inline constexpr std::size_t inbox_bytes_max = 2u << 20;
inline constexpr std::size_t inbox_frame_overhead_bytes = 2048; ///< What a frame counts beside its bytes.

/// Stands between the transport's thread and the actor mesh/links, which may be another incarnation at each call.
///
/// Borrows: the tunnel, which outlives the transport.
/// Threads: the events on the transport's thread, the rest any.
class message_links final : public link_events {
public:
  /// Before the transport tells anything.
  void connect(tunnel* road) { tunnel_ = road; }

  /// Nodes of other operators: they may send envelopes and nothing else. Before `attach`.
  void set_outsiders(std::set<transport_key> keys);

  /// Called on the transport's thread: quick.
  struct calls {
    std::function<void(link_id, const transport_key&, bool dialled)> up;
    std::function<void(link_id, const error&)> down;
    std::function<void(link_id, byte_buffer envelope)> envelope;
    std::function<void(const link_refusal&)> refused;
    std::function<void(byte_buffer statement)> beacon; ///< From the local network, from anybody.
    /// The peer broke a rule of frames, or sent more than could be handled; nothing more of the link is passed on.
    std::function<void(link_id, const error&)> breach;
  };

  /// From now on news goes there. Links of before are not told of again: what they are is the caller's to end.
  std::set<link_id> attach(calls present);

  /// Something that was heard on the local network. Threads: any.
  void beacon(byte_view bytes);
  /// What this node says there; empty: nothing.
  void set_own_beacon(byte_buffer bytes);
  byte_buffer own_beacon() const;
  /// A frame of so many bytes that `envelope` was called with is done with: there is room for others.
  void handled(link_id link, std::size_t frame_bytes);

  void up(link_id link, const transport_key& peer, bool dialled) override;
  void down(link_id link, const error& why) override;
  void frame(link_id link, byte_view bytes) override;
  void refused(const link_refusal& refusal) override;

private:
  std::shared_ptr<const calls> present() const;

  tunnel* tunnel_ = nullptr;
  mutable std::mutex mutex_;
  std::shared_ptr<const calls> calls_ = std::make_shared<const calls>();
  struct inbox {
    bool outside = false;
    bool broken = false;
    std::size_t bytes = 0;
  };
  outcome<void> admit(link_id link, byte_view frame);

  std::set<transport_key> outsiders_;
  std::map<link_id, inbox> live_;
  byte_buffer own_beacon_;
};

} // namespace lucid
