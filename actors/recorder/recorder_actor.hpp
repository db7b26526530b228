// actors/recorder/recorder_actor.hpp - starts sessions, finishes those a crash left behind, clears away final ones.
#pragma once

#include <chrono>
#include <memory>

#include "actors/recorder/recorder_core.hpp"
#include "actors/recorder/session_vault.hpp"
#include "runtime/supervision/specs.hpp"

namespace lucid {

struct recorder_options {
  recorder_facts facts;
  std::shared_ptr<const secret_key> node_box_secret; ///< Opens the keys of sessions that were left behind.
  std::shared_ptr<session_vault> vault;
  std::uint32_t session_count_max = 8;               ///< Running at the same time.
  std::chrono::seconds retention{0};                 ///< Final sessions older than this are removed; 0 keeps them.
  bool may_record = true;                            ///< False: placement.capture gives the role to other nodes.
};

/// Child spec of the recorder. A restarted one asks the store which sessions are not final and the supervisor of
/// sessions which run, and brings the two together.
child_spec recorder_child(recorder_options options);

} // namespace lucid
