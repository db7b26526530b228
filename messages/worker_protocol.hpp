// messages/worker_protocol.hpp - what node and worker process say to each other over their socket, and its bytes.
//
// A message is {u32 body length, u8 type, body}, all numbers little-endian, strings as {u16 length, bytes}.
// The worker digests hostile bytes: the node believes nothing it says beyond these bounds.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "messages/fragment.hpp"
#include "messages/outcome.hpp"
#include "messages/pipeline.hpp"
#include "messages/ports/frame_source.hpp"

namespace lucid {

/// Both sides are the same binary; a difference means a mixed installation.
inline constexpr std::uint32_t worker_protocol_version = 2;

/// Largest body: one fragment and its fields (under 64 bytes, rounded up to 4 KiB).
inline constexpr std::size_t worker_body_size_bytes_max = fragment_size_bytes_max + 4096;
inline constexpr std::size_t worker_head_size_bytes = 5;

/// Longest strings. All of a `worker_start` fit 8 KiB, a `source_event` fits 32 KiB.
inline constexpr std::size_t worker_source_size_bytes_max = 4096;
inline constexpr std::size_t worker_word_size_bytes_max = 256;
inline constexpr std::size_t worker_secret_size_bytes_max = 1024;
inline constexpr std::size_t worker_text_size_bytes_max = 4096;
inline constexpr std::size_t worker_detail_size_bytes_max = 16384;

// --- node to worker ----------------------------------------------------------------------------------------------

/// Whether the worker gives up its privileges.
enum class worker_sandbox : std::uint8_t {
  off,
  on,      ///< As far as the kernel can.
  require, ///< All of it, or there is no recording.
};

/// What the worker keeps to.
struct worker_limits {
  std::chrono::milliseconds fragment_interval{500};  ///< Longest fragment while things move. 50 .. 10000.
  std::chrono::milliseconds key_frame_interval{10000}; ///< Longest time between key frames. 100 .. 60000.
  std::uint32_t encoder_threads = 1;                 ///< 0 .. 16; 0 lets the encoder choose.
  std::string encoder_preset = "veryfast";           ///< The encoder's own name for speed against size.
  worker_sandbox sandbox = worker_sandbox::on;
  std::uint64_t memory_bytes_max = 3ull << 30;       ///< Private memory, kept to by the sandbox. 128 MiB .. 64 GiB.
  std::chrono::milliseconds connect_time_max{15'000}; ///< For one attempt, login included. 100 .. 300000.
  std::uint32_t reconnect_attempts_max = 20;         ///< In a row without a frame, before the source is given up. 0 .. 10000.
  std::chrono::milliseconds reconnect_pause_min{500}; ///< Before the first new attempt; it doubles. 10 .. 60000.
  std::chrono::milliseconds reconnect_pause_max{30'000}; ///< 10 .. 3600000.
};

/// Start, or go on where an earlier worker stopped. The first message, sent once.
struct worker_start {
  capture_request what;
  source_position resume;
  unix_time_us base_us = 0;       ///< Time zero of the video track: the session's creation.
  std::uint64_t credit_bytes = 0; ///< The first credit.
  worker_limits limits;
};

/// So many more bytes may be sent.
struct worker_credit {
  std::uint64_t bytes = 0;
};

/// Finish what is under way and end.
struct worker_stop {};

/// The answer to a `worker_certificate`.
struct worker_certificate_verdict {
  bool accepted = false;
  std::string reason; ///< Why not.
};

// --- worker to node ----------------------------------------------------------------------------------------------

struct worker_hello {
  std::uint32_t version = worker_protocol_version;
};

/// The server showed this certificate; the connection waits for the verdict.
struct worker_certificate {
  std::string host;        ///< As asked for: "host" or "host:port".
  std::string fingerprint; ///< SHA-256, lower-case hexadecimal.
  std::string subject;
  std::string issuer;
};

/// How the worker is doing. Sent every 2 s, so silence means it hangs.
struct worker_stats {
  std::uint64_t frame_count = 0;     ///< Encoded since the worker's start.
  std::uint64_t sent_bytes = 0;
  std::uint64_t merged_count = 0;    ///< Frames not taken for want of credit.
  std::uint64_t cpu_us = 0;          ///< Processor time of the worker.
  std::uint64_t credit_bytes = 0;    ///< Left.
};

enum class worker_log_level : std::uint8_t { debug = 1, info, warning, error };

struct worker_log {
  worker_log_level level = worker_log_level::info;
  std::string text;
};

/// The last message.
struct worker_end {
  std::string reason;
  errc code = errc::internal; ///< Means something only when `failed`.
  bool failed = false;
};

using node_message = std::variant<worker_start, worker_credit, worker_stop, worker_certificate_verdict>;
using worker_message =
  std::variant<worker_hello, fragment, source_event, worker_certificate, worker_stats, worker_log, worker_end>;

// --- bytes -------------------------------------------------------------------------------------------------------

/// A message on its way: `head`, then the bytes of `tail` (of a fragment; shared, not copied).
struct wire_message {
  byte_buffer head;
  payload tail;
};

/// Strings beyond their bound are cut: what is said matters less than that it arrives.
/// Errors: `limit_exceeded` for a fragment that is empty or too large.
outcome<wire_message> encode(const node_message& message);
outcome<wire_message> encode(const worker_message& message);

/// Turns a stream of bytes into messages.
///
/// Owns: at most one body, `worker_body_size_bytes_max`.
/// Threads: none. One owner calls it.
/// Errors: `limit_exceeded` for a length beyond the bound, `protocol_violation` for an unknown type or a value out
/// of its range, `truncated` for a body that is too short. After an error the stream cannot go on; each later call
/// returns the same error.
template <class Message>
class worker_decoder {
public:
  /// The messages that `bytes` complete, in order.
  outcome<std::vector<Message>> feed(byte_view bytes);

  /// True between two messages: the stream may end here.
  bool at_boundary() const noexcept { return head_.empty(); }

private:
  outcome<void> take(byte_view& bytes, std::vector<Message>& into);

  byte_buffer head_;
  byte_buffer body_;
  std::size_t body_size_bytes_ = 0;
  bool failed_ = false;
  error failure_;
};

extern template class worker_decoder<node_message>;
extern template class worker_decoder<worker_message>;

} // namespace lucid
