// messages/ports/store.hpp - metadata and chunk files, as a part a test can make fail.
#pragma once

#include <vector>

#include "messages/outcome.hpp"
#include "messages/pipeline.hpp"

namespace lucid {

/// What the store actor asks of the disk. Every call is durable when it returns without an error, and idempotent.
/// Threads: one owner.
class store_port {
public:
  virtual ~store_port() = default;

  /// File first, then row. A chunk that is there already keeps its bytes: its record is the answer.
  virtual outcome<chunk_record> put_chunk(const sealed_chunk& chunk) = 0;
  virtual outcome<std::vector<chunk_record>> chunks(const session_id& session) = 0; ///< Tracks in order.

  virtual outcome<session_summary> put_session(const session_put_request& request) = 0;
  virtual outcome<session_summary> update_session(const session_summary& news) = 0;
  virtual outcome<session_row> session(const session_id& id) = 0;
  virtual outcome<std::vector<session_summary>> sessions(const session_list_request& which) = 0; ///< Newest first.
  virtual outcome<session_summary> remove_session(const session_id& id) = 0;

  virtual outcome<signed_manifest> put_manifest(const manifest_put_request& request) = 0;
  /// The first place that was put wins, and is the answer.
  virtual outcome<stored_anchor> put_anchor(const stored_anchor& anchor) = 0;
  virtual outcome<std::vector<anchor_entry>> unanchored() = 0; ///< Oldest first, at most `unanchored_count_max`.

  /// 10,000 entries of about 120 bytes are 1.2 MB.
  static constexpr std::size_t unanchored_count_max = 10'000;
};

} // namespace lucid
