// actors/recorder/recorder_core.hpp - what becomes of a wish to record: checked, named, keyed; pure.
#pragma once

#include <chrono>
#include <vector>

#include "actors/format/keys.hpp"
#include "messages/outcome.hpp"
#include "messages/pipeline.hpp"
#include "messages/ports/random.hpp"

namespace lucid {

/// What the node adds to a wish.
struct recorder_facts {
  sign_public_key node_sign{};
  box_public_key node_box{};                       ///< The node itself, until the recording is anchored.
  std::vector<box_public_key> default_recipients;  ///< When the wish names none.
};

/// A session ready to be put into the store and started.
struct new_session {
  session_put_request row;
  session_key key;
};

/// Whether the session's key was wrapped for `node`: as long as one of this node's own recordings is not final, it is.
bool has_key_for(const session_row& row, const box_public_key& node);

/// Those of `sessions` that are final and ended longer than `retention` ago. A retention of 0 keeps all.
std::vector<session_summary> expired(const std::vector<session_summary>& sessions, std::chrono::seconds retention,
                                     unix_time_us now);

/// Checks the wish and makes the session's id, key and first row.
/// Errors: `invalid_input` for a source that cannot be read, or when nobody could open the recording.
outcome<new_session> make_session(const session_create_request& wish, const recorder_facts& facts, random_port& random,
                                  unix_time_us now);

} // namespace lucid
