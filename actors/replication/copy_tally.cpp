// actors/replication/copy_tally.cpp - good copies, chunk by chunk.
#include "actors/replication/copy_tally.hpp"

#include <algorithm>
#include <utility>

namespace lucid {

copy_tally::copy_tally(std::vector<chunk_mark> part, std::uint32_t wished)
  : part_(std::move(part)), copies_(part_.size(), 0), wished_(wished) {}

void copy_tally::verified(const std::vector<chunk_mark>& held, const replica_verify& found) {
  std::vector<bool> is_good(held.size(), true);
  for (auto* places : {&found.damaged, &found.missing})
    for (auto place : *places)
      if (place < is_good.size()) is_good[place] = false;
  count(held, is_good);
}

void copy_tally::unasked(const std::vector<chunk_mark>& held) { count(held, std::vector<bool>(held.size(), true)); }

/// `held` is in the part's order, as the core makes it; what is not of the part is passed over.
void copy_tally::count(const std::vector<chunk_mark>& held, const std::vector<bool>& is_good) {
  auto at = part_.begin();
  for (std::size_t i = 0; i < held.size(); ++i) {
    at = std::find(at, part_.end(), held[i]);
    if (at == part_.end()) return;
    if (is_good[i]) ++copies_[static_cast<std::size_t>(at - part_.begin())];
  }
}

std::uint32_t copy_tally::short_count() const {
  return static_cast<std::uint32_t>(std::count_if(copies_.begin(), copies_.end(), [&](auto n) { return n < wished_; }));
}

} // namespace lucid
