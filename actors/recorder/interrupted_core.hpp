// actors/recorder/interrupted_core.hpp - sessions that an earlier process of this node left behind are gone on with; pure.
//
// Their passwords went with that process. But whoever was told of a session, to record on if this node is lost, can give its
// plan back. If another node records on already, it is left to that one.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "actors/recorder/standby_plan.hpp"
#include "messages/ports/cluster.hpp"

namespace lucid {

inline constexpr std::size_t interrupted_sessions_max = 64; ///< As many as others know of one recorder.

/// Another node that may know a plan.
struct plan_keeper {
  node_id id{};
  std::uint64_t road = 0; ///< Another one whenever that node, or the way there, is another. 0: it cannot be asked.
};

/// What the core wants done, each with a number under which it is told what came of it.
namespace interrupted_action {
/// Ask for the plan: -> `given`, `not_given`.
struct ask {
  std::uint64_t number = 0;
  node_id of{};
  session_id session{};
};
/// Begin a session that goes on with it: -> `started`, `not_started`.
struct start {
  std::uint64_t number = 0;
  session_id session{};
  session_create_request wish; ///< Its password is `password_of(action)`.
};
} // namespace interrupted_action
using interrupted_command = std::variant<interrupted_action::ask, interrupted_action::start>;

/// One session is begun at most once for each that was left behind, within `patience` of the start.
/// Owns: plans that were given back, with their passwords. Threads: none. One owner calls it.
class interrupted_core {
public:
  using time = std::chrono::nanoseconds; ///< Of a monotonic clock.
  static constexpr time patience = std::chrono::seconds(60);
  static constexpr time retry_after = std::chrono::seconds(1);

  explicit interrupted_core(std::string self_name) : self_name_(std::move(self_name)) {}

  /// This node recorded it when its process ended. Beyond `interrupted_sessions_max` they are only finished.
  void add(const session_id& session, time now);
  void set_keepers(std::vector<plan_keeper> keepers) { keepers_ = std::move(keepers); }

  /// What is to be done now. Call it a few times a second.
  std::vector<interrupted_command> next(time now, unix_time_us wall);

  /// `plan` with its password; the caller wipes its own.
  void given(const interrupted_action::ask& action, const standby_plan& plan);
  /// `wrong_state`: another node records on. `not_found`: this one knows nothing. Else it is asked again.
  void not_given(const interrupted_action::ask& action, errc why, time now);

  /// Null: it is not wanted any more.
  const std::string* password_of(const interrupted_action::start& action) const;
  /// The plan of the session that was begun, for others to know. None: it was not wanted any more.
  std::optional<kept_plan> started(const interrupted_action::start& action, const session_summary& own);
  /// `for_good`: it is of no use to try again.
  void not_started(const interrupted_action::start& action, bool for_good, time now);

  std::size_t count() const noexcept { return left_.size(); }

private:
  struct left_behind {
    time until{}, not_before{};
    std::uint64_t number = 0;                ///< Of what is under way; 0: nothing.
    plan_keeper asked{};                     ///< Under way.
    std::map<node_id, std::uint64_t> useless; ///< Roads to those that know nothing of it.
    std::optional<kept_plan> plan;           ///< Given back.
  };

  std::optional<interrupted_command> next_of(const session_id& session, left_behind& one, time now, unix_time_us wall);
  bool is_keeper(const plan_keeper& keeper) const;
  left_behind* under_way(const session_id& session, std::uint64_t number);

  std::string self_name_;
  std::vector<plan_keeper> keepers_;          // Bounded by cluster_members_max.
  std::map<session_id, left_behind> left_;    // At most interrupted_sessions_max.
  std::uint64_t last_number_ = 0;
};

} // namespace lucid
