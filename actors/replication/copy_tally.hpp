// actors/replication/copy_tally.hpp - how many good copies each chunk of an audited part has; pure.
#pragma once

#include <cstdint>
#include <vector>

#include "messages/replication.hpp"

namespace lucid {

/// Counts by chunk: one chunk's copy too many does not make up for another's that is missing.
/// Threads: none. One owner calls it.
class copy_tally {
public:
  /// `wished`: copies of each chunk.
  copy_tally(std::vector<chunk_mark> part, std::uint32_t wished);

  /// A holder of `held`, chunks of the part, has read them.
  void verified(const std::vector<chunk_mark>& held, const replica_verify& found);
  /// A holder of `held` could not be asked. It counts by what it should hold: that it is short is not known.
  void unasked(const std::vector<chunk_mark>& held);

  /// Chunks with fewer copies than are wished for.
  std::uint32_t short_count() const;

private:
  void count(const std::vector<chunk_mark>& held, const std::vector<bool>& is_good);

  std::vector<chunk_mark> part_;
  std::vector<std::uint32_t> copies_; ///< Of each chunk of the part.
  std::uint32_t wished_;
};

} // namespace lucid
