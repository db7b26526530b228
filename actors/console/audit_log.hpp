// actors/console/audit_log.hpp - what operators did to this node, on disk before it is done.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "actors/console/audit_entry.hpp"
#include "messages/ports/file_system.hpp"

namespace lucid {

/// 64 MiB are more than 100,000 actions. A full log refuses actions: an operator moves it away, and a new one begins.
inline constexpr std::uint64_t audit_log_bytes_max = 64u << 20;

/// The log in one file, an entry a line.
///
/// Nobody can change, insert or remove an entry unseen, but for cutting off the newest ones: that the chain alone does
/// not show. What a crash left half-written at the end was never answered and is cut off.
///
/// Owns: the open file, and 8 bytes of memory an entry. Uses: file system and key, which must outlive it.
/// Threads: one owner.
/// Errors: the file system's; `limit_exceeded` when it is full; `corrupted` naming an entry that cannot be read. After a
/// failed write or sync it answers errors only, until it is opened anew: what the disk has is not known.
class audit_log {
public:
  using path = file_system::path;

  /// Creates the file if it is not there. A last entry that cannot be read keeps the log from opening: nothing may be
  /// chained to it.
  static outcome<audit_log> open(file_system& files, const path& file, const sign_key& key);

  /// Durable when it returns.
  outcome<audit_entry> append(const audit_action& what, unix_time_us at_us);

  /// At most `count` entries before entry `before`, newest first. `before` 0: the newest.
  outcome<std::vector<audit_entry>> read(std::uint64_t before, std::uint32_t count) const;

  std::uint64_t count() const noexcept { return ends_.size(); }

private:
  audit_log(file_system& files, path file, const sign_key& key) : files_(&files), file_(std::move(file)), key_(&key) {}

  outcome<void> settle();
  outcome<std::string> line(std::uint64_t number) const;
  std::uint64_t begin_of(std::uint64_t number) const { return number == 1 ? 0 : ends_[number - 2]; }

  file_system* files_;
  path file_;
  const sign_key* key_;
  std::unique_ptr<append_file> open_;
  std::vector<std::uint64_t> ends_; // Offset behind each line.
  digest last_hash_{};
  std::optional<error> broken_;
};

/// How a log stands.
struct audit_verdict {
  std::uint64_t intact_count = 0;    ///< Entries from the first on that are as they were written.
  std::optional<error> first_broken; ///< What is wrong with the one behind them, by its number.
};

/// Reads the whole log. Errors: the file system's. A log that is not there is intact.
/// Threads: any; blocks for about 60 us an entry.
outcome<audit_verdict> verify_audit_log(file_system& files, const file_system::path& file, const sign_public_key& key);

} // namespace lucid
