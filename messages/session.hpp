// messages/session.hpp - a recording session: what was asked for, where it stands, what happened.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/error.hpp"
#include "messages/identity.hpp"

namespace lucid {

/// Life cycle. The transition table is `may_follow`.
enum class session_state : std::uint8_t {
  created = 1, ///< Known to the store, nothing captured yet.
  recording,   ///< A worker captures.
  sealing,     ///< Capture has ended; the tail is chunked and sealed.
  storing,     ///< All chunks are on disk; the manifest is made and stored.
  anchoring,   ///< The manifest's hash is on its way into the chain.
  completed,   ///< Anchored. Final.
  interrupted, ///< Anchored, but the recording ended by a crash or loss of power. Final.
  failed,      ///< Nothing was recorded, or it could not be kept. Final; the reason says why.
};

std::string_view to_string(session_state state) noexcept;
std::optional<session_state> session_state_from(std::string_view text) noexcept;
constexpr bool is_final(session_state s) noexcept { return s >= session_state::completed; }

/// Whether a session may go from `from` to `to`. The same state again is allowed: news of its counters.
bool may_follow(session_state from, session_state to) noexcept;

/// What the user asked to record.
struct capture_request {
  std::string source;                 ///< rdp://..., x11://:N, file:..., generator:...; parsed by the worker.
  std::string username;               ///< Empty unless given apart from the source.
  std::string password;               ///< Secret: never stored, never logged; empty after a restart of the node.
  std::uint32_t width = 1280;         ///< Wished desktop size where the source lets one choose.
  std::uint32_t height = 720;
  std::uint32_t frame_rate_max = 15;  ///< Frames a second at most; damage decides below that.
  std::string encoder = "libx264";    ///< Name of an FFmpeg encoder, or "auto".
  std::uint32_t quality = 23;         ///< Constant rate factor, 0..51, lower is better.
};

/// What becomes of a session besides being recorded.
struct session_policy {
  std::string title;                         ///< Free text for people, at most 200 bytes.
  std::string owner;                         ///< Free text or key name, at most 200 bytes.
  std::vector<box_public_key> recipients;    ///< Who can open it. At least one, at most `recipient_count_max`.
  std::uint32_t length_seconds_max = 0;      ///< Recording stops by itself then; 0 is the configured maximum.
};
inline constexpr std::size_t recipient_count_max = 64;

/// One session as it is listed.
struct session_summary {
  session_id id{};
  session_state state = session_state::created;
  std::string title;
  std::string owner;
  std::string source;            ///< Without credentials.
  unix_time_us created_us = 0;
  unix_time_us started_us = 0;   ///< First frame; 0 before it.
  unix_time_us ended_us = 0;     ///< Last frame shown; 0 while recording.
  std::uint64_t frame_count = 0;
  std::uint64_t fragment_count = 0;
  std::uint64_t gap_count = 0;
  std::uint64_t captured_bytes = 0; ///< Plaintext bytes of all tracks.
  std::uint64_t stored_bytes = 0;   ///< Bytes of the chunk files.
  std::uint32_t chunk_count = 0;
  std::uint64_t block_height = 0;   ///< Of the anchor; 0 before it.
  sign_public_key block_producer{}; ///< Whose chain that block is of; zero: the node's own.
  std::string reason;               ///< Why it ended, for people.
  bool interrupted = false;         ///< The node went down while it recorded.
};

} // namespace lucid
