// messages/ports/mesh_transport.hpp - one node's end of its links to other nodes: authenticated, encrypted, bounded.
#pragma once

#include <string.h> // explicit_bzero

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "messages/bytes.hpp"
#include "messages/identity.hpp"
#include "messages/mesh_frames.hpp"
#include "messages/outcome.hpp"

namespace lucid {

/// A connection to one peer, from the moment it was dialled or heard from to its end. Never used twice in a process.
using link_id = std::uint64_t;

/// CURVE's secret key. Wiped when destroyed or moved from; never logged.
/// Threads: as a plain value.
class transport_secret {
public:
  transport_secret() = default;
  explicit transport_secret(std::span<const std::uint8_t, 32> from) { std::copy(from.begin(), from.end(), bytes_.begin()); }
  ~transport_secret() { wipe(); }
  transport_secret(const transport_secret&) = default;
  transport_secret& operator=(const transport_secret&) = default;
  transport_secret(transport_secret&& other) noexcept : bytes_(other.bytes_) { other.wipe(); }
  transport_secret& operator=(transport_secret&& other) noexcept {
    if (this == &other) return *this;
    bytes_ = other.bytes_;
    other.wipe();
    return *this;
  }

  std::span<const std::uint8_t, 32> view() const noexcept { return bytes_; }
  std::span<std::uint8_t, 32> span() noexcept { return bytes_; }

private:
  void wipe() noexcept { explicit_bzero(bytes_.data(), bytes_.size()); }

  std::array<std::uint8_t, 32> bytes_{};
};

/// Whom to reach, and how.
struct dial_request {
  transport_key peer_key{};                   ///< Only the holder of its secret is taken for the peer.
  std::string address{};                      ///< "tcp://10.0.0.2:7800", "tor://<56 letters>.onion:7800"
  std::string socks{};                        ///< "IP:port" of a SOCKS5 proxy; empty: a direct connection.
  std::optional<transport_secret> own_secret{}; ///< Another than the node's; for invitations.
  std::chrono::milliseconds timeout{10'000};  ///< Until the link is up; 100 ms .. 10 min.
};

/// Somebody who was not let in.
struct link_refusal {
  transport_key key{};  ///< Zero: it did not come so far as to show one.
  std::string address;  ///< "10.0.0.9", as far as it is known.
  error why;
};

/// Totals since the start.
struct transport_counters {
  std::uint64_t links = 0;           ///< At present.
  std::uint64_t refused = 0;         ///< Connections without a key on the list, failed handshakes, too many at once.
  std::uint64_t dropped = 0;         ///< Frames of links that were cut, or to them.
  std::uint64_t frames_sent = 0, frames_received = 0;
  std::uint64_t bytes_sent = 0, bytes_received = 0;
};

/// Told of what happens to the links, on the transport's own thread: be quick, never block.
/// For each link: `up` once, `frame` any number of times, `down` once, in this order; `down` alone for a dial in vain.
class link_events {
public:
  virtual ~link_events() = default;
  virtual void up(link_id link, const transport_key& peer, bool dialled) = 0;
  virtual void down(link_id link, const error& why) = 0;
  /// The bytes live until the call returns. At most `mesh_frame_bytes_max`, at least one.
  virtual void frame(link_id link, byte_view bytes) = 0;
  virtual void refused(const link_refusal& refusal) = 0;
};

/// Told, on the transport's own thread, that a watched descriptor is ready.
class descriptor_events {
public:
  virtual ~descriptor_events() = default;
  virtual void ready(int fd, bool readable, bool writable) = 0;
};

/// The links of one kind (messages, or chunks) of one node.
/// Threads: any, unless a function says otherwise. Nothing blocks, except `listen` and `rekey`, for milliseconds.
class mesh_transport {
public:
  virtual ~mesh_transport() = default;

  /// Takes connections at "tcp://IP:port"; port "*": one that is free. Gives the address that it listens at.
  /// Errors: `invalid_input`, `io_failed` (in use), `wrong_state` (listens already).
  virtual outcome<std::string> listen(const std::string& address) = 0;

  /// Who may connect. Replaces the list; a link to a key that is not on it any more is cut at once: when this call has
  /// returned nothing more of it is passed on, nothing sent to it. Dialled links under a secret of their own stay.
  virtual void allow(std::vector<transport_key> keys) = 0;

  /// Begins to connect; `up` or `down` tells how it went. There is no attempt beyond the first.
  /// Errors: `invalid_input`, `permission_denied` (the key is not on the list, and no secret of its own is given),
  /// `limit_exceeded` (too many links).
  virtual outcome<link_id> dial(dial_request request) = 0;

  /// Ends a link; `down` follows, with `wrong_state`. A link that is no more is no error.
  virtual void close(link_id link) = 0;

  /// Queues one frame; frames of a link arrive in order or not at all.
  /// Errors: `limit_exceeded` (longer than `mesh_frame_bytes_max`), `invalid_input` (empty, or of the control channel),
  /// `busy` (the queue of the link is full), `unreachable` (no such link, or not any more).
  virtual outcome<void> send(link_id link, byte_buffer frame) = 0;

  /// Takes another key for the node: all links end, and listening goes on under the new key.
  virtual outcome<void> rekey(transport_secret secret) = 0;

  virtual transport_counters counters() const = 0;

  // --- for those who live on the transport's thread ---------------------------------------------------------------

  /// Runs `work` on the transport's thread, after what was posted before. Dropped when the transport ends.
  virtual void post(std::function<void()> work) = 0;

  /// Looks at `fd` as well while it waits; neither read nor write: not any more. Only on the transport's thread.
  /// Borrowed: `events` and `fd`, until it is not watched any more.
  virtual void watch(int fd, bool read, bool write, descriptor_events* events) = 0;

  /// Bytes queued for a link and not yet given to the network; 0 for one that is no more.
  virtual std::size_t queued_bytes(link_id link) const = 0;
};

} // namespace lucid
