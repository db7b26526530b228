// actors/node/bench/timed_files.hpp - the machine's files, with a note of when each chunk reached them.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>

#include "adapters/files/posix_file_system.hpp"

namespace lucid {

/// Notes when a file is opened for writing, that is: when a chunk was handed to the disk, and how long writing and
/// syncing then took. Threads: any.
class timed_files final : public file_system {
public:
  using moment = std::chrono::steady_clock::time_point;

  /// When `file` (or its temporary form) was last opened; the epoch if never.
  moment opened_at(const std::string& name) const;
  /// From opening a temporary file to the sync of its folder, summed.
  std::chrono::duration<double> writing() const;

  outcome<std::unique_ptr<append_file>> open(const path& file, open_mode mode) override;
  outcome<byte_buffer> read(const path& file, std::uint64_t offset, std::size_t size_bytes) override {
    return files_.read(file, offset, size_bytes);
  }
  outcome<std::uint64_t> size_of(const path& file) override { return files_.size_of(file); }
  outcome<void> make_folder(const path& folder) override { return files_.make_folder(folder); }
  outcome<void> rename(const path& from, const path& to) override { return files_.rename(from, to); }
  outcome<void> remove(const path& what) override { return files_.remove(what); }
  outcome<std::vector<std::string>> list(const path& folder) override { return files_.list(folder); }
  outcome<void> sync_folder(const path& folder) override;
  outcome<std::uint64_t> free_bytes(const path& folder) override { return files_.free_bytes(folder); }

private:
  posix_file_system files_;
  mutable std::mutex mutex_;
  std::map<std::string, moment> opened_; ///< By name without ".part". As many as chunks in one measurement.
  moment last_{};
  std::chrono::duration<double> writing_{};
};

} // namespace lucid
