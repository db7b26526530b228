// adapters/files/hard_link.hpp - a second name for a file, so that its bytes are on the disk once.
#pragma once

#include <filesystem>

#include "messages/outcome.hpp"

namespace lucid {

/// Gives `file` the name `to` as well, durably. Only for files that are never changed in place.
/// Errors: `already_exists`; `unsupported` where the file system has none, or for another file system; else as of
/// posix_file_system.
/// Source: link(2).
outcome<void> hard_link(const std::filesystem::path& file, const std::filesystem::path& to);

} // namespace lucid
