// messages/pipeline.hpp - what the actors of a session ask of each other, beside fragments and chunks.
//
// A wish ends in _request, a fact is a noun. Every request is idempotent: asked twice, it has the effect of once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "messages/chunk.hpp"
#include "messages/fragment.hpp"
#include "messages/manifest.hpp"
#include "messages/session.hpp"

namespace lucid {

// --- capture ---------------------------------------------------------------------------------------------------

/// Starts capturing where the journal ends. Answered once the worker delivers its first fragment.
struct capture_start_request {
  session_id session{};
  capture_request what;
};

/// Ends capturing after what is under way; the answer comes when the last fragment is acknowledged.
struct capture_stop_request {
  std::string reason;
};

/// Where a source stands: enough for a source that can be repeated to go on exactly there.
struct source_position {
  std::uint64_t frame_count = 0;   ///< Video frames already acknowledged.
  unix_time_us recorded_until_us = 0; ///< End of the last acknowledged fragment; 0 before the first.
};

/// Where capture must go on. Everything up to `last_sequence` is on disk.
struct capture_position {
  std::uint64_t last_sequence = 0;
  source_position source;
};

/// Capture has ended by itself: the source is at its end, or an error that trying again cannot mend.
struct capture_end {
  std::string reason; ///< For people.
  errc code = errc::internal;
  bool failed = false; ///< False at the regular end of a source.
};

// --- journal ---------------------------------------------------------------------------------------------------

/// The synced records after `after_sequence`, at most `size_bytes` of them (at least one if there is one).
struct journal_read_request {
  std::uint64_t after_sequence = 0;
  std::uint32_t size_bytes = 4u << 20;
};
struct journal_page {
  std::vector<fragment> fragments; ///< In order. Empty at the end.
};

/// Everything of each track up to here is in stored chunks and may go. Each track has its own bound, since the events
/// of hours fit into one chunk.
struct journal_drop_request {
  std::uint64_t video_up_to = 0;
  std::uint64_t events_up_to = 0;
};

/// Syncs now; answers the position on disk.
struct journal_sync_request {};

// --- chunk -----------------------------------------------------------------------------------------------------

/// Cuts what is open and answers when every chunk of the session is stored.
struct chunk_finish_request {};
struct chunk_totals {
  std::uint32_t chunk_count = 0;
  std::uint64_t last_sequence = 0;
};

// --- store -----------------------------------------------------------------------------------------------------

/// A new session, or the news of an old one: state, counters, reason.
struct session_put_request {
  session_summary summary;
  capture_request what;   ///< Stored without its password.
  session_policy policy;
  std::vector<wrapped_key> keys; ///< The session key, for its recipients and, until the end, for the node itself.
  digest key_commitment{};       ///< To the session key; zero in rows of earlier versions.
};
struct session_row {
  session_summary summary;
  capture_request what;
  session_policy policy;
  std::vector<wrapped_key> keys;
  digest key_commitment{};
};

/// Moves a session on. Refused (`wrong_state`) where the transition table forbids it.
struct session_update_request {
  session_summary summary;
};
struct session_get_request {
  session_id session{};
};
struct session_list_request {
  bool unfinished_only = false;
  std::uint32_t offset = 0;
  std::uint32_t count = 1000; ///< At most 1000 rows a page.
};
struct chunk_list_request {
  session_id session{};
};
struct manifest_put_request {
  session_id session{};
  signed_manifest document;
  anchor_entry entry; ///< What is to be anchored; same session, `manifest_hash` equal to the document's.
};
/// Answered with where it is anchored: the first place that was stored wins.
struct anchor_put_request {
  stored_anchor what;
};
/// Removes a finished session: rows, chunk files, journal. What is in the chain stays.
struct session_remove_request {
  session_id session{};
};
/// Makes this node the owner of a recording whose recorder is lost for good and of which it keeps a copy, and finishes it.
struct session_adopt_request {
  session_id session{};
};
/// Manifests that are stored but not yet in the chain.
struct unanchored_list_request {};

// --- manifest --------------------------------------------------------------------------------------------------

/// Builds, signs and stores the manifest from what the store has.
struct manifest_build_request {
  session_id session{};
  bool interrupted = false;
};

// --- ledger ----------------------------------------------------------------------------------------------------

/// Puts a batch into the chain. An entry that is there already keeps its place. Answers each with the block it stands in.
struct ledger_append_request {
  std::vector<anchor_entry> entries; ///< 1 .. ledger_entries_max
};
inline constexpr std::size_t ledger_entries_max = 1000;

struct ledger_status_request {};
struct ledger_status {
  std::uint64_t height = 0;
  std::uint64_t entry_count = 0;
  unix_time_us last_block_us = 0;
};

// --- session ---------------------------------------------------------------------------------------------------

struct session_stop_request {
  std::string reason;
};
struct session_extend_request {
  std::uint32_t seconds = 0;
};
struct session_status_request {};

/// Asks the recorder for a new session. Answered once its actors run; the source may still refuse.
struct session_create_request {
  capture_request what;
  session_policy policy;
};

/// A session is in a final state: its actors may end.
struct session_end {
  session_summary summary;
};

/// How far the pipeline of a session is. Chunk tells it to session whenever it changes, at most a few times a second.
struct session_progress {
  unix_time_us started_us = 0;
  unix_time_us ended_us = 0;
  std::uint64_t frame_count = 0;
  std::uint64_t fragment_count = 0;
  std::uint64_t gap_count = 0;
  std::uint64_t captured_bytes = 0;
  std::uint64_t stored_bytes = 0;
  std::uint32_t chunk_count = 0;
};

/// A step of the pipeline cannot go on for now; it keeps what it has. Session ends the capture and tries again later.
struct pipeline_trouble {
  errc code = errc::internal;
  std::string who;
  std::string what;
};

} // namespace lucid
