// adapters/zmq/curve_socket.hpp - links to other nodes over ZeroMQ with CURVE: one ROUTER, one DEALER a dialled peer.
//
// ZeroMQ reconnects, queues and forgets who is who on its own; a recorder's links may not. So each DEALER connects once
// and is thrown away; each accepted connection is known by its descriptor, which the monitor and the message both name,
// and by the key that the ZAP handler has seen; and queues are ours, with bounds in bytes.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "messages/ports/mesh_transport.hpp"

namespace lucid {

/// Queued for one link, not yet taken by ZeroMQ. Then `send` says `busy`. 32 frames.
inline constexpr std::size_t link_queue_bytes_default = 32 * mesh_frame_bytes_max;

struct curve_settings {
  transport_secret secret;                           ///< The node's.
  std::uint32_t links_max = 256;                     ///< Both directions, dials under way included. 1 .. 4096.
  std::uint32_t unknown_max = 32;                    ///< Accepted connections that have not yet said who they are. 1 .. 1024.
  std::size_t queue_bytes_max = link_queue_bytes_default; ///< Of one link; only what is queued takes memory.
  std::uint32_t frames_queued_max = 32;               ///< By ZeroMQ, for each link and direction: its high-water mark.
  std::chrono::milliseconds handshake_timeout{5'000};  ///< From the connection to the first frame.
  std::chrono::milliseconds heartbeat_interval{1'000}; ///< Of ZeroMQ, in both directions.
  std::chrono::milliseconds silence_timeout{5'000};    ///< A link that says nothing for so long is down.
};

/// A `mesh_transport` with a thread of its own.
///
/// Owns: its ZeroMQ context, sockets, thread, and what is queued. Borrows: `events`, until it is destroyed.
/// Threads: see `mesh_transport`. Destroyed on any thread but its own; all links are cut without a further event.
class curve_socket final : public mesh_transport {
public:
  /// Errors: `invalid_input` (a setting out of its range), `unsupported` (no CURVE), `io_failed`.
  static outcome<std::unique_ptr<curve_socket>> open(curve_settings settings, link_events& events);
  ~curve_socket() override;

  outcome<std::string> listen(const std::string& address) override;
  void allow(std::vector<transport_key> keys) override;
  outcome<link_id> dial(dial_request request) override;
  void close(link_id link) override;
  outcome<void> send(link_id link, byte_buffer frame) override;
  outcome<void> rekey(transport_secret secret) override;
  transport_counters counters() const override;
  void post(std::function<void()> work) override;
  void watch(int fd, bool read, bool write, descriptor_events* events) override;
  std::size_t queued_bytes(link_id link) const override;

private:
  class engine;
  explicit curve_socket(std::unique_ptr<engine> started);

  std::unique_ptr<engine> engine_;
};

} // namespace lucid
