// actors/node/cli/doctor_disk.cpp - space in the data folder, and how fast it syncs.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/core.h>

#include "actors/node/cli/doctor.hpp"
#include "runtime/config/quantity.hpp"

namespace lucid {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t sync_count = 20;             // 20 x 64 KiB: about a second even on an SD card.
constexpr std::size_t sync_size_bytes = 64u << 10; // What a second of a busy desktop comes to.
constexpr std::size_t stream_size_bytes = 16u << 20; // One chunk of the largest size.

/// The folder itself or, before the first start, the nearest one above it that exists.
std::filesystem::path existing(std::filesystem::path folder) {
  std::error_code ec;
  folder = std::filesystem::absolute(folder, ec);
  while (!std::filesystem::exists(folder, ec) && folder.has_parent_path() && folder != folder.parent_path()) folder = folder.parent_path();
  return folder;
}

/// A file without a name in `folder`: it is gone when it is closed, however the process ends.
int open_nameless(const std::filesystem::path& folder) {
  int file = open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (file >= 0) return file;
  auto name = (folder / "lucid-doctor-XXXXXX").string();
  file = mkostemp(name.data(), O_CLOEXEC);
  if (file >= 0) unlink(name.c_str());
  return file;
}

bool write_and_sync(int file, const std::vector<char>& bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    auto count = write(file, bytes.data() + at, bytes.size() - at);
    if (count <= 0) return false;
    at += static_cast<std::size_t>(count);
  }
  return fdatasync(file) == 0;
}

std::vector<doctor_line> measure(int file, std::chrono::milliseconds sync_interval) {
  std::vector<std::int64_t> times_us;
  std::vector<char> small(sync_size_bytes, 'l'), large(stream_size_bytes, 'u');
  auto timed = [&](const std::vector<char>& bytes) -> std::int64_t {
    auto begun = clock::now();
    if (!write_and_sync(file, bytes)) return -1;
    return std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - begun).count();
  };
  for (std::size_t i = 0; i < sync_count; ++i) times_us.push_back(timed(small));
  auto stream_us = timed(large);
  if (stream_us < 0 || std::find(times_us.begin(), times_us.end(), -1) != times_us.end())
    return {{"disk sync", verdict::fail, "writing or syncing failed", "look at the system log and at the disk"}};
  std::sort(times_us.begin(), times_us.end());
  auto rate = static_cast<double>(stream_size_bytes) * 1e6 / static_cast<double>(std::max<std::int64_t>(stream_us, 1));
  return {judge_sync(times_us[sync_count / 2], sync_interval),
          {"disk write", verdict::ok, fmt::format("{}/s, synced", show_size_rounded(static_cast<std::uint64_t>(rate))), {}}};
}

} // namespace

doctor_line judge_sync(std::int64_t median_us, std::chrono::milliseconds sync_interval) {
  auto found = fmt::format("{:.1f} ms a sync of 64 KiB (median of {})", static_cast<double>(median_us) / 1000, sync_count);
  auto interval_us = std::chrono::microseconds(sync_interval).count();
  if (median_us > interval_us)
    return {"disk sync", verdict::fail, found, "slower than journal.sync_interval: recordings would slow down; use another disk"};
  if (median_us > interval_us / 10)
    return {"disk sync", verdict::warn, found, "more than a tenth of journal.sync_interval: raise it, or use a faster disk"};
  return {"disk sync", verdict::ok, found, {}};
}

std::vector<doctor_line> check_disk(const configuration& settings) {
  auto folder = existing(settings.node.data_dir);
  std::error_code ec;
  auto space = std::filesystem::space(folder, ec);
  if (ec) return {{"disk space", verdict::fail, folder.string() + ": " + ec.message(), "set node.data_dir to a folder that can be used"}};
  auto found = fmt::format("{} free in {}", show_size_rounded(space.available), folder.string());
  std::vector<doctor_line> lines;
  if (space.available < settings.store.free_bytes_min)
    lines.push_back({"disk space", verdict::fail, found,
                     fmt::format("below store.free_bytes_min ({}): no session would start", show_size(settings.store.free_bytes_min))});
  else if (space.available < 4 * settings.store.free_bytes_min)
    lines.push_back({"disk space", verdict::warn, found, "near store.free_bytes_min"});
  else lines.push_back({"disk space", verdict::ok, found, {}});

  int file = open_nameless(folder);
  if (file < 0) {
    lines.push_back({"disk sync", verdict::fail, folder.string() + " cannot be written", "change its owner, or set node.data_dir"});
    return lines;
  }
  for (auto& line : measure(file, settings.journal.sync_interval)) lines.push_back(std::move(line));
  close(file);
  return lines;
}

} // namespace lucid
