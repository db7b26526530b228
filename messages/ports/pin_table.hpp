// messages/ports/pin_table.hpp - which certificate each server showed first.
#pragma once

#include <optional>
#include <string>

#include "messages/outcome.hpp"

namespace lucid {

/// Remembers a server's certificate from its first use on.
/// Threads: implementations are safe to call from any thread. Errors: `io_failed`, `corrupted`, `read_only`.
class pin_table {
public:
  virtual ~pin_table() = default;

  /// The fingerprint pinned for `host`; empty when there is none yet.
  virtual outcome<std::optional<std::string>> find(const std::string& host) = 0;

  /// Pins `fingerprint`, on disk before it answers. A host that is pinned already keeps its pin: `already_exists`.
  virtual outcome<void> pin(const std::string& host, const std::string& fingerprint) = 0;
};

} // namespace lucid
