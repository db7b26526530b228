// adapters/files/capsule_folder.hpp - crash capsules as JSON files in one folder.
#pragma once

#include <filesystem>
#include <mutex>

#include "messages/ports/capsule_store.hpp"
#include "messages/ports/file_system.hpp"

namespace lucid {

/// One file a capsule, named by time, so that the oldest is the first in the folder. What a crash left half written is
/// cleared away with the oldest.
/// Threads: any; one call at a time has the folder.
/// Errors: the file system's; `limit_exceeded` for a capsule above `file_size_bytes_max`.
class capsule_folder final : public capsule_store {
public:
  static constexpr std::size_t file_size_bytes_max = 1u << 20; ///< With `capsules_max` of them: 64 MiB.

  capsule_folder(file_system& files, std::filesystem::path folder) : files_(files), folder_(std::move(folder)) {}

  outcome<std::string> put(crash_capsule capsule) override;
  outcome<std::vector<capsule_summary>> list() override;
  outcome<crash_capsule> get(const std::string& id) override;

private:
  outcome<std::vector<std::string>> ids();
  outcome<void> clear_away();
  std::filesystem::path file_of(const std::string& id) const { return folder_ / (id + ".json"); }
  outcome<crash_capsule> read(const std::string& id);

  file_system& files_;
  const std::filesystem::path folder_;
  std::mutex mutex_;
  std::uint32_t count_ = 0; ///< Tells apart what happens in the same microsecond.
};

} // namespace lucid
