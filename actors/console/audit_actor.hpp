// actors/console/audit_actor.hpp - the one who writes the log of actions.
#pragma once

#include <filesystem>
#include <memory>

#include "adapters/sodium/sign.hpp"
#include "messages/ports/file_system.hpp"
#include "runtime/supervision/specs.hpp"

namespace lucid {

struct audit_log_options {
  std::filesystem::path file;
  std::shared_ptr<file_system> files;
  std::shared_ptr<const sign_key> key;
};

/// Child spec of the audit actor, which has a thread of its own. A log that cannot be opened does not end it: the node
/// goes on recording, and every action is refused with the reason until the log can be opened again.
child_spec audit_child(audit_log_options options);

} // namespace lucid
