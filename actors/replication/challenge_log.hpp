// actors/replication/challenge_log.hpp - the signed results of challenges, in challenges.db.
#pragma once

#include <filesystem>
#include <vector>

#include "adapters/sqlite/database.hpp"
#include "messages/replication.hpp"

namespace lucid {

/// Owns: the database. Threads: one at a time.
/// Errors: those of `database`; `corrupted` for a row that is not what was written.
class challenge_log {
public:
  /// The oldest give way: 100,000 rows of about 500 bytes are 50 MB, two years of two holders asked every ten minutes.
  static constexpr std::uint64_t results_max = 100'000;

  static outcome<challenge_log> open(const std::filesystem::path& file, std::uint64_t count_max = results_max);

  outcome<void> add(const challenge_result& result);
  /// The newest first.
  outcome<std::vector<challenge_result>> newest(std::uint32_t count);
  outcome<std::uint64_t> count();

private:
  challenge_log(database db, std::uint64_t count_max) : db_(std::move(db)), count_max_(count_max) {}
  database db_;
  std::uint64_t count_max_;
};

} // namespace lucid
