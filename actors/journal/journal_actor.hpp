// actors/journal/journal_actor.hpp - the journal of one session as an actor: group commit.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "actors/journal/journal_file.hpp"
#include "messages/pipeline_api.hpp"
#include "runtime/actor_context.hpp"
#include "runtime/owed_answer.hpp"
#include "runtime/supervision/specs.hpp"

namespace lucid {

struct journal_settings {
  journal_options options;
  std::shared_ptr<file_system> files;
  std::shared_ptr<const session_key> key;
  std::function<void(const error&)> on_loss; ///< Told what damage recovery found. Must be quick; may be empty.
};

/// Path: "journal" below its session. Detached, since it syncs. A restarted one remembers every synced record, from
/// its files; what was not synced was not acknowledged, and is sent again.
child_spec journal_child(journal_settings settings);

/// The behaviour itself, for tests on the deterministic scheduler.
struct journal_actor_state {
  static inline const char* name = "journal";
  std::optional<journal_file> journal;
  std::multimap<std::uint64_t, owed_answer<std::uint64_t>> waiting; ///< Written, not yet synced.
  bool timer_set = false;
  std::uint64_t sync_count = 0;
  ~journal_actor_state();
};
journal_api::behavior_type journal_actor(journal_api::stateful_pointer<journal_actor_state> self, actor_context ctx,
                                         journal_settings settings);

} // namespace lucid
