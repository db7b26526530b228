// messages/pipeline_api.hpp - the typed interfaces of a session's actors. Errors are `errc` values with context.
#pragma once

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include "messages/type_ids.hpp"

namespace lucid {

/// Encrypted tail of one session on disk.
using journal_api = caf::typed_actor<
  /// Answers the fragment's sequence once it is synced. Repeats are answered and not written again;
  /// a hole in the sequence is refused (`wrong_state`).
  caf::replies_to<fragment>::with<std::uint64_t>,
  caf::replies_to<journal_sync_request>::with<capture_position>,
  caf::replies_to<journal_read_request>::with<journal_page>,
  caf::replies_to<journal_drop_request>::with<std::uint64_t>>;

/// Runs the worker process of one session.
using capture_api = caf::typed_actor<
  caf::replies_to<capture_start_request>::with<capture_position>,
  caf::replies_to<capture_stop_request>::with<capture_position>>;

/// Cuts fragments into chunks and keeps each until it is stored.
using chunk_api = caf::typed_actor<
  /// Answers the fragment's sequence once it is in the journal: it is acknowledged.
  caf::replies_to<fragment>::with<std::uint64_t>,
  caf::replies_to<chunk_finish_request>::with<chunk_totals>>;

/// Compresses, seals and hashes; answers once the store has the chunk.
using seal_api = caf::typed_actor<caf::replies_to<plain_chunk>::with<chunk_record>>;

/// Makes the signed manifest.
using manifest_api = caf::typed_actor<caf::replies_to<manifest_build_request>::with<anchor_entry>>;

/// Life cycle of one session.
using session_api = caf::typed_actor<
  caf::replies_to<session_stop_request>::with<session_summary>,
  caf::replies_to<session_extend_request>::with<session_summary>,
  caf::replies_to<session_status_request>::with<session_summary>,
  caf::reacts_to<capture_end>,
  caf::reacts_to<session_progress>,
  caf::reacts_to<pipeline_trouble>>;

/// Starts sessions, finishes those that a node left behind, and clears away what is final.
using recorder_api = caf::typed_actor<
  caf::replies_to<session_create_request>::with<session_summary>,
  caf::reacts_to<session_end>>;

} // namespace lucid
