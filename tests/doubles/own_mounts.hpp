// tests/doubles/own_mounts.hpp - mounts that nobody else sees, and that go with this process.
#pragma once

#include <cerrno>
#include <filesystem>

#include <sched.h>
#include <sys/mount.h>

namespace lucid::testing {

/// Gives this process mounts of its own below the folder for temporary files; false with errno set if it may not.
/// Below a changed root, "/" is no mount point: then the nearest one above that folder is what is made private.
inline bool enter_own_mounts() {
  if (::unshare(CLONE_NEWNS) != 0) return false;
  for (auto at = std::filesystem::temp_directory_path();; at = at.parent_path()) {
    if (::mount("none", at.c_str(), nullptr, MS_REC | MS_PRIVATE, nullptr) == 0) return true;
    if (errno != EINVAL || at == at.parent_path()) return false;
  }
}

} // namespace lucid::testing
