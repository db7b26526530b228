// messages/ports/replica_source.hpp - recordings as they are copied from node to node, for reading only.
#pragma once

#include <optional>
#include <vector>

#include "messages/manifest.hpp"
#include "messages/outcome.hpp"
#include "messages/pipeline.hpp"

namespace lucid {

/// Reads what the store has written, without going through the store's actor.
/// Threads: safe to call from any; all calls block on the disk.
/// Errors: `not_found`; those of the store and of the disk.
class replica_source {
public:
  virtual ~replica_source() = default;
  virtual outcome<std::vector<session_summary>> sessions(const session_list_request& which) = 0;

  /// Without keys of nodes and without a password: as others may have it.
  virtual outcome<session_row> row(const session_id& session) = 0;

  /// Chunks of a track from index `from` on, at most `count`.
  virtual outcome<std::vector<chunk_record>> chunks(const session_id& session, track on, std::uint32_t from,
                                                    std::uint32_t count) = 0;
  virtual outcome<payload> chunk(const chunk_key& key) = 0;
  virtual outcome<std::optional<manifest_put_request>> manifest(const session_id& session) = 0;
  virtual outcome<std::optional<stored_anchor>> anchor(const session_id& session) = 0;
  /// The node whose recording it is; none: this one's own.
  virtual outcome<std::optional<node_id>> origin(const session_id& session) = 0;
};

} // namespace lucid
