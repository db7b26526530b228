// actors/mesh/basp_guard.hpp - reads the byte streams of CAF's middleman and lets pass what is allowed; pure logic.
//
// The middleman of CAF 0.17.6 believes whoever speaks to it: without a handshake a message reaches any actor whose number
// is guessed, any service by its name, and a header that claims a gigabyte is given a gigabyte. The guard stands on the
// side that listens and reads both directions: what our side says decides what the other side may say.
// Source of the format: CAF 0.17.6, caf/io/basp/header.hpp and instance.cpp. Numbers are big-endian.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

#include "messages/bytes.hpp"
#include "messages/outcome.hpp"

namespace lucid {

inline constexpr std::size_t basp_header_bytes = 32;
inline constexpr std::size_t basp_handshake_bytes_max = 16 * 1024; ///< Node id, application ids, names of an interface.
inline constexpr std::size_t basp_notice_bytes_max = 4 * 1024;     ///< Of a monitor or down message: two node ids, one error.
inline constexpr std::size_t basp_node_bytes = 32;                 ///< CAF's name of a node: kind, process, host.
inline constexpr std::size_t basp_peek_bytes_max = 2 * basp_node_bytes; ///< Of what follows a header, read before it passes.
inline constexpr std::size_t basp_known_ids_max = 65'536;          ///< Actors that a peer may know, or that we know of it.

/// Which half of the handshake our middleman plays.
enum class basp_side : std::uint8_t {
  client, ///< It connects: the peer speaks first.
  server, ///< It was connected to, and speaks first.
};

/// What our own middleman said and was not passed on; not an error, since CAF says some of it on its own.
struct basp_dropped {
  std::uint64_t named = 0;   ///< To a service by name.
  std::uint64_t routed = 0;  ///< On behalf of, or to, a third node.
  std::uint64_t system = 0;  ///< Links and exits.
  std::uint64_t large = 0;   ///< Longer than the bound: the peer would have ended the stream.
};

/// Numbers of actors, with a bound. Those that have ended are forgotten first, the oldest before all others.
/// Threads: none.
class id_book {
public:
  /// False: full of actors that live.
  bool add(std::uint64_t id);
  /// It has ended; what is still under way for it is no breach.
  void retire(std::uint64_t id);
  bool contains(std::uint64_t id) const { return ids_.contains(id); }
  std::size_t size() const noexcept { return ids_.size(); }

private:
  std::unordered_map<std::uint64_t, bool> ids_; ///< Number to "has ended".
  std::deque<std::uint64_t> retired_;
};

/// Both directions of one stream between two middlemen.
///
/// Nothing of a message is passed on before its header, and the beginning of its content, were found to be allowed. The
/// result does not depend on how the stream is cut into pieces.
/// Owns: at most one header and `basp_peek_bytes_max` a direction, and two books of ids.
/// Threads: none. One owner calls it.
class basp_guard {
public:
  basp_guard(basp_side side, std::uint64_t message_bytes_max);

  /// The peer may speak to this actor (the gateway; others by name). Errors: `limit_exceeded`.
  outcome<void> export_actor(std::uint64_t actor_id);

  /// Bytes from the peer. What may be passed on is appended to `to_local`.
  /// Errors (the stream has to end; each later call returns the same): `limit_exceeded` for a length beyond the bound,
  /// `permission_denied` for an actor, service or kind of message that the peer may not use, `protocol_violation`.
  outcome<void> from_peer(byte_view bytes, byte_buffer& to_local);

  /// Bytes from our middleman. What may be passed on is appended to `to_peer`; some is dropped, see `dropped`.
  /// Errors: as above, for what CAF never says.
  outcome<void> from_local(byte_view bytes, byte_buffer& to_peer);

  const basp_dropped& dropped() const noexcept { return dropped_; }
  /// Both halves of the handshake have passed.
  bool shaken() const noexcept { return in_.shaken && out_.shaken; }
  /// Bytes of our middleman that are not yet judged, and may still be passed on.
  std::size_t held_from_local() const noexcept { return out_.held_bytes; }

private:
  using node_name = std::array<std::uint8_t, basp_node_bytes>;

  struct header {
    std::uint8_t operation = 0, flags = 0;
    std::uint32_t content_bytes = 0;
    std::uint64_t operation_data = 0, source = 0, target = 0;
  };
  enum class verdict : std::uint8_t { pass, drop };
  struct direction {
    bool from_peer = false;
    std::array<std::uint8_t, basp_header_bytes + basp_peek_bytes_max> held{};
    std::size_t held_bytes = 0;
    std::size_t wanted_bytes = basp_header_bytes; ///< Held before the next decision.
    std::uint64_t remaining_bytes = 0;            ///< Of a message that was judged.
    bool dropping = false;
    bool shaken = false;
    node_name speaker{}; ///< Who this side said it was.
    bool failed = false;
    error failure;
  };

  outcome<void> read(direction& d, byte_view bytes, byte_buffer& into);
  outcome<void> read_header(direction& d);
  outcome<void> read_peek(direction& d, byte_buffer& into);
  outcome<verdict> judge_header(const direction& d, const header& h) const;
  outcome<verdict> judge_content(direction& d, const header& h, byte_view peek);
  outcome<verdict> judge_message(const direction& d, byte_view peek) const;
  outcome<void> take_note(const direction& d, const header& h);
  outcome<verdict> unwanted(const direction& d, std::uint64_t basp_dropped::*counter, errc code, const char* what) const;
  static header decode(byte_view bytes);

  basp_side side_;
  std::uint64_t message_bytes_max_;
  direction in_, out_;
  id_book exported_;  ///< Actors of ours that the peer may speak to.
  id_book monitored_; ///< Actors of the peer whose end we want to hear of.
  mutable basp_dropped dropped_;
};

} // namespace lucid
