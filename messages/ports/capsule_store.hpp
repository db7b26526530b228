// messages/ports/capsule_store.hpp - where crash capsules are kept, as a part a test can replace.
#pragma once

#include <string>
#include <vector>

#include "messages/capsule.hpp"
#include "messages/outcome.hpp"

namespace lucid {

/// A capsule without its contents.
struct capsule_summary {
  std::string id;
  std::string path;
  std::uint64_t incarnation = 0;
  unix_time_us at_us = 0;
  std::string reason;
};

/// Keeps the newest `capsules_max` capsules.
/// Threads: implementations are safe to call from any thread; all calls may block on the disk.
class capsule_store {
public:
  virtual ~capsule_store() = default;

  /// Keeps `capsule` and gives it an id, which is the answer. The oldest gives way when there are too many.
  virtual outcome<std::string> put(crash_capsule capsule) = 0;

  /// The newest first. One that cannot be read is left out.
  virtual outcome<std::vector<capsule_summary>> list() = 0;

  /// Errors: `not_found`; `invalid_input` for what is no id; `corrupted` naming the file.
  virtual outcome<crash_capsule> get(const std::string& id) = 0;
};

} // namespace lucid
