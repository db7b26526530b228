// adapters/files/folder_lock.hpp - one node for each data folder.
#pragma once

#include <filesystem>
#include <optional>

#include "adapters/files/descriptor.hpp"
#include "messages/outcome.hpp"

namespace lucid {

/// Holds `<folder>/lock` for as long as it lives. The system frees it when the process ends, however it ends.
///
/// Owns: the lock. The file stays, and says which process had it last.
/// Errors: `busy` if another process holds it, naming its process id; else those of opening the file.
class folder_lock {
public:
  static outcome<folder_lock> acquire(const std::filesystem::path& folder);

  /// Which process holds the lock of `folder`; none if nobody does.
  static outcome<std::optional<long>> holder(const std::filesystem::path& folder);

private:
  explicit folder_lock(descriptor fd) : fd_(std::move(fd)) {}
  descriptor fd_;
};

} // namespace lucid
