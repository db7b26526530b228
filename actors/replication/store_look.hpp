// actors/replication/store_look.hpp - what is new among the node's recordings, read through the port of the store.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "actors/replication/replication_core.hpp"
#include "messages/ports/replica_source.hpp"

namespace lucid {

/// What a look at the store found.
struct store_look {
  struct session_news {
    session_id id{};
    news_mark news;
    std::vector<chunk_record> chunks; ///< New ones, of each track in order.
  };
  bool full = false;
  std::vector<session_id> all;     ///< Only of a full look.
  std::vector<session_news> found;
};

/// How far a session is known already.
struct known_session {
  news_mark news;
  std::uint32_t video = 0, events = 0; ///< The next chunk of each track.
};
using known_sessions = std::map<session_id, known_session>;

/// What `core` knows; without those that are final, unless all sessions are looked at.
known_sessions known_to(const replication_core& core, bool full);

/// Sessions that are new or may have changed since; `full`: of all, else of those that are unfinished, or were.
/// Threads: any; blocks on the disk. Errors: those of the source.
outcome<store_look> look_at_store(replica_source& source, const known_sessions& known, bool full);

} // namespace lucid
