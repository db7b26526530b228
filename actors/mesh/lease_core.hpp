// actors/mesh/lease_core.hpp - who may run what: leases that a majority grants, with numbers that never fall.
//
// A node holds a lease while a majority of all members has granted it. A member grants to one node at a time, for
// lease_time on its own clock from when it was asked; the holder counts lease_time less a tenth from when it asked.
// So long as no clock runs a tenth faster than another, the grant outlives the holder's belief in it, and two majorities
// share a member: no two nodes hold one lease at one time, whatever becomes of the messages. Number and holder are on disk
// before the grant leaves, and a member that starts again waits for a lease time: what it forgot has ended by then.
//
// Changes of the list of members: majorities of two lists that differ by one member intersect, and a member refuses
// those whose list is older than its own. REQUIRES of whoever changes the list: the next change is made only when a
// majority of the present list has told that it has that list, on disk. Two changes made at two nodes at the same time break that
// rule; then only the numbers, and the stores that refuse older ones, keep the peace.
// A node that lost its disk must join as another node: it has forgotten what it granted.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "messages/mesh_lease.hpp"
#include "messages/outcome.hpp"
#include "messages/ports/cluster.hpp"

namespace lucid {

/// What a member must not forget: a row of the table `leases`.
struct lease_promise {
  lease_name lease;
  std::uint64_t number = 0;
  node_id holder{}; ///< Zero: not known; then that number is not granted again, to nobody.
  bool operator==(const lease_promise&) const = default;
};

struct lease_settings {
  node_id self{};
  std::uint64_t incarnation = 0;           ///< Another at each start: random.
  std::chrono::nanoseconds lease_time{};   ///< The same at all members.
  std::chrono::nanoseconds beat_interval{}; ///< How often leases are renewed; at most a quarter of lease_time.
};

enum class lease_loss : std::uint8_t {
  expired,  ///< No majority renewed it in time.
  released, ///< As wished.
  removed,  ///< This node is no longer on the list.
};

struct lease_event {
  lease_name lease;
  bool gained = false;                ///< Else lost.
  std::uint64_t fence = 0;            ///< The lease's number: goes with every write.
  lease_loss loss = lease_loss::expired;
};

struct lease_outputs {
  struct letter {
    node_id to{};
    lease_message message;
  };
  std::vector<letter> messages;        ///< At most one a peer; never to this node itself.
  std::vector<lease_promise> promises; ///< To be on disk; then `persisted`. At most one write under way for a lease.
  std::vector<lease_event> events;
};

/// The leases that this node grants, and those it wants. Times are of a monotonic clock that does not stop while the
/// machine sleeps. Ownership: values alone. Threads: one at a time.
class lease_core {
public:
  using time = std::chrono::nanoseconds;

  /// The part of a lease that its holder uses: the rest is for clocks that run at different rates.
  static constexpr time usable(time lease_time) noexcept { return lease_time / 10 * 9; }

  /// `on_disk`: all promises of earlier lives of this node.
  lease_core(const lease_settings& settings, const std::vector<lease_promise>& on_disk, time now);

  /// The list of members, this node among them if it is one. Version: of the list, never falls. `count_at_least`: how many
  /// members there are, where some are not known by id yet: without it, those who met first could be a majority twice.
  [[nodiscard]] lease_outputs set_members(std::uint64_t version, const std::vector<node_id>& members, time now,
                                          std::size_t count_at_least = 0);

  /// Whether this node wants the lease. Without it, the lease is handed back at once: stop what runs under it BEFORE.
  /// Errors: `invalid_input` for a bad name, `limit_exceeded` for more than leases_max of them.
  [[nodiscard]] outcome<lease_outputs> wish(const lease_name& lease, bool wanted, time now);

  /// A decoded message of a peer whose identity the link has checked. Of no member: ignored.
  [[nodiscard]] lease_outputs heard(const node_id& from, const lease_message& message, time now);

  /// The end of a write that `promises` asked for. Not `done`: it failed, and no answer leaves.
  [[nodiscard]] lease_outputs persisted(const std::vector<lease_promise>& promises, bool done, time now);

  /// To be called at least four times a beat.
  [[nodiscard]] lease_outputs tick(time now);

  struct holding {
    std::uint64_t fence = 0;
    time until{}; ///< Ends then unless it is renewed.
  };
  /// What this node holds at this moment. Ask again before each effect: the event `lost` comes with a later tick.
  [[nodiscard]] std::optional<holding> held(const lease_name& lease, time now) const;

  /// Who is known to hold what, by lease; this node among them. Others may have lost theirs meanwhile.
  [[nodiscard]] std::vector<lease_view> view(time now) const;

private:
  /// As one who grants.
  struct grant {
    std::uint64_t number = 0, durable = 0;
    node_id holder{};
    std::uint64_t incarnation = 0; ///< Of the holder; 0: granted in an earlier life.
    time until{};
    bool released = false;
    bool writing = false;
    std::optional<lease_answer> waiting; ///< For the disk.
  };
  /// As one who asks.
  struct claim {
    bool wanted = false;
    std::uint64_t number = 0;          ///< 0: none asked for.
    std::uint64_t highest = 0;         ///< Seen anywhere.
    std::map<node_id, time> granted;   ///< When the ask was sent that each member granted last.
    std::set<node_id> refused;
    std::optional<time> holds_until;
    time began{}, next_attempt{};
    std::optional<time> expired_at;    ///< When it was lost for want of answers; none: gained or handed back since.
    std::uint32_t failures = 0;
  };
  struct sighting {
    node_id holder{};
    std::uint64_t fence = 0;
    time until{};
  };

  [[nodiscard]] bool is_member(const node_id& id) const { return members_.contains(id); }
  [[nodiscard]] std::size_t majority() const { return count() / 2 + 1; }
  [[nodiscard]] std::size_t count() const { return std::max(members_.size(), count_at_least_); }
  lease_message& letter_to(const node_id& to, lease_outputs& out);
  [[nodiscard]] bool known_or_room(const lease_name& lease) const;

  void see(const node_id& holder, const lease_ask& ask, time now);
  std::optional<lease_answer> decide(const node_id& from, const lease_message& message, const lease_ask& ask, time now,
                                     lease_outputs& out);
  static std::uint64_t numbers_before(std::uint64_t list_version);
  void take_release(const node_id& from, std::uint64_t incarnation, const lease_release& release);
  void take_answer(const node_id& from, const lease_answer& answer, time now, lease_outputs& out);
  void answer(const node_id& to, lease_answer answer, time now, lease_outputs& out);
  void settle(const lease_name& lease, claim& c, time now, lease_outputs& out);
  void hand_back(const lease_name& lease, claim& c, time now, lease_outputs& out);
  void forget(const lease_name& lease, claim& c, time now);
  void expire(time now, lease_outputs& out);
  void beat(time now, lease_outputs& out);
  [[nodiscard]] time back_off(const lease_name& lease, const claim& c) const;
  [[nodiscard]] bool may_be_deaf(const claim& c, time now) const;

  lease_settings settings_;
  std::set<node_id> members_;
  std::size_t count_at_least_ = 0;
  std::uint64_t list_version_ = 0;
  std::map<lease_name, grant> grants_;     // At most leases_max.
  std::map<lease_name, claim> claims_;     // At most leases_max.
  std::map<lease_name, sighting> sightings_; // At most leases_max.
  std::map<std::uint64_t, time> sent_;     // By sequence; those of a lease time.
  std::uint64_t sequence_ = 0;
  time quiet_until_{};
  time next_beat_{};
  time heard_at_{};                        // Another member, last; the start before that.
};

} // namespace lucid
