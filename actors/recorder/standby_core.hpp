// actors/recorder/standby_core.hpp - who is told of which running session, and when a lost recorder is stood in for; pure.
//
// A recorder tells its running sessions to all who may record; whoever has the lease "capture" when it is lost records on.
// What was told is told again now and then: so whatever was lost on the way, or forgotten by a restart, mends itself, and a
// plan of which nothing is heard although its recorder is up is over. An overlap of two recordings is better than a gap.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "actors/recorder/standby_plan.hpp"
#include "messages/ports/cluster.hpp"

namespace lucid {

inline constexpr std::string_view capture_role = "capture"; ///< Its lease says who stands in; place 0 is its only one.

inline constexpr std::size_t standby_plans_max = 64;       ///< Of one recorder.
inline constexpr std::size_t standby_plans_all_max = 1024; ///< Of all recorders.
inline constexpr std::size_t standby_asks_max = 4;         ///< Under way to one member.
inline constexpr std::size_t standby_drops_max = 64;       ///< Sessions that are over and of which not all have heard.

/// A session by the node that records it.
struct standby_key {
  node_id recorder{};
  session_id session{};
  auto operator<=>(const standby_key&) const = default;
};

/// Another node of the cluster.
struct standby_member {
  node_id id{};
  std::string name;
  bool up = false;
  bool may_record = false; ///< placement.capture names it.
  std::uint64_t road = 0;  ///< Of its standby: another one whenever that, or the way there, is another. 0: none.
};

/// What the core wants done, each with a number under which it is told what came of it.
namespace standby_action {
/// Put the plan at a member, or drop it there: -> `told`, `not_told`.
struct tell {
  std::uint64_t number = 0;
  node_id to{};
  standby_key what;
  bool drop = false; ///< Else the plan is `plan_to_tell(what)`.
};
/// Begin a session here: -> `started`, `not_started`.
struct start {
  std::uint64_t number = 0;
  standby_key instead_of;
  std::string recorder_name;
  session_create_request wish; ///< Its password is `password_of(action)`.
};
/// End a session of this node: -> `stopped`, `not_stopped`.
struct stop {
  std::uint64_t number = 0;
  standby_key instead_of;
  session_id own{};
  std::string reason;
};
} // namespace standby_action
using standby_command = std::variant<standby_action::tell, standby_action::start, standby_action::stop>;

struct standby_counts {
  std::size_t sessions = 0;    ///< Of this node, that others are told of.
  std::size_t told = 0;        ///< Pairs of a session and a member that knows it.
  std::size_t to_tell = 0;     ///< Pairs that are not told yet, of members that are up.
  std::size_t plans = 0;       ///< Of other recorders.
  std::size_t standing_in = 0; ///< Sessions that this node records in place of another.
};

struct standby_settings {
  node_id self{};
  /// How long a recorder is down before it counts as lost: links that break are made anew within a moment.
  std::chrono::nanoseconds lost_after = std::chrono::milliseconds(500);
};

/// Both sides: what this node tells, and what it was told.
///
/// One plan is begun at most once, and only while its recorder is down and this node has the lease. Whoever begins one tells
/// the others first of its own session, then that the old plan is done: so the heir of a heir does not begin both.
/// Owns: the plans of others, and of its own sessions, with their passwords. Threads: none. One owner calls it.
class standby_core {
public:
  using time = std::chrono::nanoseconds; ///< Of a monotonic clock.
  static constexpr time retry_min = std::chrono::milliseconds(250);
  static constexpr time retry_max = std::chrono::seconds(30);
  static constexpr time retell_after = std::chrono::seconds(10);
  static constexpr time silence_max = std::chrono::seconds(30); ///< Of a recorder that is up, about a plan of its.

  explicit standby_core(const standby_settings& settings) : settings_(settings) {}

  /// All other members of the cluster, and whether this node has the lease. Plans of those who are no members any more go:
  /// a removed node was not lost.
  void set_members(const std::vector<standby_member>& members, bool has_lease, time now);

  // As a recorder.

  /// A session that is being recorded here. False, and nobody is told of it: there are `standby_plans_max` already.
  bool set_session(const standby_plan& plan);
  /// It is being recorded no more.
  void end_session(const session_id& session);
  std::vector<session_id> sessions() const;
  /// Null: it was ended meanwhile.
  const standby_plan* plan_to_tell(const standby_key& what) const;

  // As a stand-in.

  /// Errors: those of `check_plan`; `permission_denied` where the recorder is no other member that may record; `limit_exceeded`.
  outcome<standby_status> put(const standby_plan& plan, time now, unix_time_us wall);
  standby_status drop(const standby_key& what);
  /// For its recorder, whose process ended and is back; it stays known here until that one records on, or is lost again.
  /// Valid until the next call. Errors: `not_found`; `wrong_state` for one that is gone on with.
  outcome<const standby_plan*> give_back(const standby_key& what, time now);

  // What is to be done now. Wake-up: call it a few times a second.

  std::vector<standby_command> next(time now, unix_time_us wall);

  /// Null: it is not wanted any more.
  const std::string* password_of(const standby_action::start& action) const;

  void told(const standby_action::tell& action, time now);
  void not_told(const standby_action::tell& action, time now);
  void started(const standby_action::start& action, const session_summary& own);
  /// `for_good`: it is of no use to try again.
  void not_started(const standby_action::start& action, bool for_good, time now);
  void stopped(const standby_action::stop& action);
  void not_stopped(const standby_action::stop& action, time now);

  standby_counts counts() const;
  /// "b5e6a537a7f1 of pi-1 as 1f2e...", for people.
  std::vector<std::string> standing_in_for() const;

private:
  struct member_state {
    standby_member seen;
    time since{}; ///< Of `up`.
  };
  /// What one member was told of one session.
  struct hearing {
    std::uint64_t ask = 0;  ///< Under way; 0: none.
    std::uint64_t road = 0; ///< Of that ask, or of the last answer.
    bool asked = false;     ///< Ever: it may know of it.
    bool known = false;     ///< Answered, over `road`.
    time told_at{}, not_before{};
    time pause = retry_min;
  };
  /// A session that others are told of, or that it is over.
  struct word {
    std::optional<kept_plan> plan;   ///< None: it is over, to be dropped.
    std::optional<session_id> after; ///< Not before this session of ours is known there.
    std::uint64_t age = 0;           ///< Of a drop: the oldest give way.
    std::map<node_id, hearing> at;
  };
  enum class phase : std::uint8_t {
    waiting,  ///< For its recorder to be lost.
    starting,
    going_on, ///< As `own`.
    stopping, ///< `own` ends, since the recorder is back with its own.
    done,     ///< It was gone on with, or could not be.
  };
  struct watch {
    kept_plan plan;
    phase now = phase::waiting;
    session_id own{};
    std::uint64_t attempt = 0; ///< Under way; 0: none.
    bool put_again = false;    ///< While it was being started.
    bool replaced = false;     ///< Its recorder goes on with another session.
    time heard_at{}, not_before{};
    time pause = retry_min;
  };

  void tell_all(std::vector<standby_command>& out, time now);
  bool wants_to_hear(const standby_key& what, const word& said, const member_state& member, time now);
  void make_drop(const standby_key& what, std::optional<session_id> after);
  void forget_heard_drops();
  bool watch_over(const standby_key& key, watch& one, std::vector<standby_command>& out, time now, unix_time_us wall);
  bool begin(const standby_key& key, watch& one, std::vector<standby_command>& out, time now, unix_time_us wall);
  void replace(const standby_key& key, time now);
  static void stop_own(watch& one, time now);
  static void ended_own(watch& one);
  void end_own(const standby_key& key, watch& one, std::vector<standby_command>& out, time now);
  hearing* under_way(const standby_action::tell& action);
  template <class Action> watch* under_way(const Action& action);
  standby_status status_of(const node_id& recorder) const;
  static void back_off(time& not_before, time& pause, time now);

  standby_settings settings_;
  bool has_lease_ = false;
  std::uint64_t last_number_ = 0;
  std::map<node_id, member_state> members_;  // Bounded by cluster_members_max.
  std::map<standby_key, word> words_;        // At most standby_plans_max plans and standby_drops_max drops.
  std::map<standby_key, watch> watches_;     // At most standby_plans_all_max.
};

} // namespace lucid
