// actors/manifest/manifest_actor.hpp - builds, signs and stores the manifest of one session.
#pragma once

#include <memory>

#include "actors/manifest/manifest_core.hpp"
#include "adapters/sodium/sign.hpp"
#include "runtime/supervision/specs.hpp"

namespace lucid {

struct manifest_options {
  session_id session{};
  digest key_commitment{}; ///< Zero: the one in the session's row. Then it serves any session.
  std::shared_ptr<const sign_key> recorder;
};

/// Child spec of the manifest actor of one session, or of those whose keys are not known here. A restarted one remembers nothing; everything is in the store.
child_spec manifest_child(manifest_options options);

} // namespace lucid
