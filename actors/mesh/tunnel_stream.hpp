// actors/mesh/tunnel_stream.hpp - the middleman's byte stream to one peer as frames, under credit; pure logic.
//
// Format: docs/mesh.md, "Tunnel"; constants in messages/mesh_frames.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include "actors/mesh/basp_guard.hpp"
#include "messages/mesh_frames.hpp"
#include "runtime/flow/credit_window.hpp"

namespace lucid {

// --- frames ------------------------------------------------------------------------------------------------------

struct tunnel_open {
  std::uint32_t stream = 0;
  std::uint32_t version = tunnel_version;
  std::uint64_t credit_bytes = 0;
};
struct tunnel_data {
  std::uint32_t stream = 0;
  std::uint64_t sequence = 0; ///< Of the first byte.
  byte_view bytes;            ///< Borrowed from the frame.
};
struct tunnel_credit {
  std::uint32_t stream = 0;
  std::uint64_t bytes = 0;
};
struct tunnel_close {
  std::uint32_t stream = 0;
  errc code = errc::internal;
  std::string text;
};
using tunnel_frame = std::variant<tunnel_open, tunnel_data, tunnel_credit, tunnel_close>;

/// Errors: `protocol_violation`, `limit_exceeded`, `truncated`.
outcome<tunnel_frame> decode_tunnel_frame(byte_view frame);
/// `bytes` of a data frame: at most `tunnel_data_bytes_max`. The text of a close frame is cut to its bound.
byte_buffer encode(const tunnel_frame& frame);

// --- a stream ----------------------------------------------------------------------------------------------------

/// What may be under way to the peer at most, whatever it grants.
inline constexpr std::uint64_t tunnel_credit_bytes_max = 1 << 20;

struct tunnel_stream_settings {
  std::uint32_t stream = 1;
  basp_side side = basp_side::client;    ///< The dialler's middleman is the client.
  std::uint64_t credit_bytes = tunnel_credit_bytes_max; ///< Under way to us, or waiting for our middleman; 64 KiB .. 1 MiB.
  std::uint64_t message_bytes_max = 1 << 24; ///< Of one message of the middleman.
};

/// One stream. The shell gives it frames and the middleman's bytes, sends what it
/// answers, writes `to_local`.
///
/// Owns: two heads of messages (`basp_guard`). The shell keeps `to_local`, at most `credit_bytes`.
/// Threads: none. One owner calls it.
/// Errors of every call: the stream has ended; send `close_frame` of the error and let go of both ends.
class tunnel_stream {
public:
  explicit tunnel_stream(tunnel_stream_settings settings);

  outcome<void> export_actor(std::uint64_t actor_id) { return guard_.export_actor(actor_id); }

  /// The client's first frame.
  byte_buffer open_frame();
  /// The server's: the peer opened. Gives the credit frame that accepts. Errors: `unsupported`, `protocol_violation`.
  outcome<byte_buffer> accept(const tunnel_open& open);

  /// A data, credit or close frame of the peer. Bytes for the middleman are appended to `to_local`.
  /// Errors: a gap, a breach of credit, a breach of the guard's rules; `unreachable` and the peer's reason for a close.
  outcome<void> receive(const tunnel_frame& frame, byte_buffer& to_local);

  /// So many bytes of the middleman may be read at present; 0: wait for credit.
  std::size_t readable_bytes() const noexcept;
  /// Bytes that the middleman wrote, at most `readable_bytes()`, as a frame; empty if nothing is to be sent for now.
  /// Errors: `internal` for more; the guard's, for what CAF never says.
  outcome<byte_buffer> read_local(byte_view bytes);
  /// So many bytes of `to_local` were given to the middleman. A credit frame when it is worth one, else empty.
  byte_buffer wrote_local(std::uint64_t bytes);

  byte_buffer close_frame(const error& why) const;
  bool established() const noexcept { return established_; }
  const basp_guard& guard() const noexcept { return guard_; }

private:
  outcome<void> take_credit(std::uint64_t bytes);
  outcome<void> take_data(const tunnel_data& data, byte_buffer& to_local);

  tunnel_stream_settings settings_;
  basp_guard guard_;
  bool established_ = false;
  credit_window receiving_; ///< What the peer may send.
  std::uint64_t owed_bytes_ = 0;
  std::uint64_t sending_available_ = 0; ///< At most `tunnel_credit_bytes_max`, whatever the peer grants.
  std::uint64_t next_sent_ = 0, next_received_ = 0;
};

} // namespace lucid
