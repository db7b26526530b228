// actors/node/cli/output_file.hpp - files that commands make for people: whole or not at all, never over another by accident.
#pragma once

#include <filesystem>

#include "adapters/files/posix_file_system.hpp"

namespace lucid {

/// A file under way beside its final place, mode 0600. Gone with this object unless it was kept.
///
/// Owns: the temporary file. Threads: none.
/// Errors: `already_exists` without `force`; `not_found` for a folder that is not there; the file system's.
class output_file {
public:
  static outcome<output_file> begin(const std::filesystem::path& final_path, bool force);
  output_file(output_file&& other) noexcept;
  output_file& operator=(output_file&&) = delete;
  ~output_file();

  /// Where to write; exists and is empty. Absolute, so that no library takes it for a URL.
  const std::filesystem::path& temporary() const noexcept { return temporary_; }

  /// Adds to the temporary file.
  outcome<void> append(byte_view bytes);

  /// Makes it the file that was asked for, on disk when this returns.
  outcome<void> keep();

private:
  output_file(std::filesystem::path final_path, std::filesystem::path temporary, bool force)
    : final_(std::move(final_path)), temporary_(std::move(temporary)), force_(force) {}

  posix_file_system files_;
  std::filesystem::path final_;
  std::filesystem::path temporary_; ///< Empty: kept, or moved from.
  bool force_;
};

} // namespace lucid
