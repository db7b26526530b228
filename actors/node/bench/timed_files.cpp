// actors/node/bench/timed_files.cpp - two calls are noted, the rest is passed on.
#include "actors/node/bench/timed_files.hpp"

#include "adapters/files/atomic_write.hpp"

namespace lucid {

timed_files::moment timed_files::opened_at(const std::string& name) const {
  std::lock_guard lock(mutex_);
  auto found = opened_.find(name);
  return found == opened_.end() ? moment{} : found->second;
}

std::chrono::duration<double> timed_files::writing() const {
  std::lock_guard lock(mutex_);
  return writing_;
}

outcome<std::unique_ptr<append_file>> timed_files::open(const path& file, open_mode mode) {
  auto name = file.filename().string();
  if (name.ends_with(part_suffix)) {
    std::lock_guard lock(mutex_);
    last_ = std::chrono::steady_clock::now();
    opened_[name.substr(0, name.size() - part_suffix.size())] = last_;
  }
  return files_.open(file, mode);
}

outcome<void> timed_files::sync_folder(const path& folder) {
  auto synced = files_.sync_folder(folder);
  std::lock_guard lock(mutex_);
  if (last_ != moment{}) writing_ += std::chrono::steady_clock::now() - last_;
  last_ = {};
  return synced;
}

} // namespace lucid
