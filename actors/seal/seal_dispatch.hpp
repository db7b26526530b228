// actors/seal/seal_dispatch.hpp - which chunk is sealed where, and when it is tried again; pure logic.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "messages/chunk.hpp"

namespace lucid {

/// Who may seal at present: the holder of the lease, its number, and the way there.
struct seal_holder {
  node_id node{};
  std::uint64_t fence = 0;
  std::uint64_t road = 0; ///< Another one whenever the connection to it is: what was asked over the old one is lost.
  friend bool operator==(const seal_holder&, const seal_holder&) = default;
};

/// One attempt to have a chunk sealed. What an older attempt brings is of no use: its number is not current any more.
struct seal_attempt {
  std::uint64_t number = 0;
  std::uint64_t chunk = 0; ///< As given to `add`.
  seal_holder where;
};

/// The chunks of one session on their way to whoever seals.
///
/// A chunk has at most one attempt that counts. When the role moves to another node, all attempts begin anew there: the
/// chunks are still here, so nothing depends on what the old one did.
/// Threads: none. One owner calls it.
class seal_dispatch {
public:
  using time = std::chrono::nanoseconds; ///< Of a monotonic clock.
  static constexpr time retry_min = std::chrono::milliseconds(100);
  static constexpr time retry_max = std::chrono::seconds(2);

  void add(std::uint64_t chunk, time now);

  /// The present holder; none: nobody, so nothing is begun. When it is another node, or the way there is another, all
  /// attempts begin anew; the same node under another number goes on with what it has.
  void set_holder(std::optional<seal_holder> holder, time now);

  /// The attempts to begin now.
  std::vector<seal_attempt> due(time now);

  bool current(const seal_attempt& attempt) const;

  /// Under which number what the attempt brings is written: the newest that its node is known to hold.
  std::uint64_t fence_of(const seal_attempt& attempt) const;

  /// The chunk is sealed and stored. False, and nothing changes: another attempt counts.
  bool done(const seal_attempt& attempt);

  /// It did not work; tried again after a pause that doubles. False as above.
  bool failed(const seal_attempt& attempt, time now);

  /// When `due` has something next; none: when the holder changes.
  std::optional<time> wake_at() const;

  std::size_t count() const noexcept { return waiting_.size(); }
  const std::optional<seal_holder>& holder() const noexcept { return holder_; }

private:
  struct entry {
    std::uint64_t attempt = 0; ///< 0: none under way.
    time not_before{};
    time pause = retry_min;
  };
  std::map<std::uint64_t, entry> waiting_; ///< By chunk: oldest first. Bounded by chunk's in_flight_max.
  std::optional<seal_holder> holder_;
  std::optional<seal_holder> last_; ///< The last one there was.
  std::uint64_t last_attempt_ = 0;
};

} // namespace lucid
