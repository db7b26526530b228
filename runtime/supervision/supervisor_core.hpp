// runtime/supervision/supervisor_core.hpp - every decision of a supervisor; pure logic.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/inspection.hpp"
#include "messages/outcome.hpp"
#include "runtime/supervision/rules.hpp"

namespace lucid {

/// Time as the core is told it: monotonic, only differences mean anything.
using supervisor_time = std::chrono::nanoseconds;

/// How a child ended.
struct child_end {
  bool normal = false; ///< Ended by itself without error, or was asked to stop.
  std::string reason;
};

/// What the shell is to do, in this order.
struct supervisor_command {
  enum class kind : std::uint8_t {
    start,     ///< Start `id`; answer by `child_started` or `start_failed`.
    stop,      ///< Ask `id` to stop; answer by `child_down`.
    kill,      ///< End `id` without asking; answer by `child_down`.
    set_timer, ///< Call `timer(token)` after `delay`.
    report,    ///< `id` failed or ended by itself: `reason`. For log and history.
    abandon,   ///< `id` did not even die when killed; what it does from now on is ignored.
    show,      ///< `id` is in `state` from now on. For whoever looks at the tree.
    forget,    ///< `id` is no child any more.
    end,       ///< All children are gone: end with `error`, or normally without one.
  };
  kind what{};
  std::string id{};
  std::uint64_t incarnation = 0;
  std::uint64_t token = 0;
  std::chrono::milliseconds delay{0};
  std::string reason{};
  bool restarts = false;              ///< report: the child will be started again.
  bool requested = false;             ///< report: because somebody asked for it.
  actor_state state{};
  std::optional<lucid::error> error{};
};
using supervisor_commands = std::vector<supervisor_command>;

enum class child_state : std::uint8_t { idle, waiting, starting, running, stopping };
std::string_view to_string(child_state state) noexcept;

/// One child as the core sees it.
struct child_status {
  std::string id;
  child_state state = child_state::idle;
  std::uint64_t incarnation = 0;
  std::uint64_t restart_count = 0;
};

/// One supervisor.
///
/// Threads: none. One owner calls it. Each call returns what is to be done because of it; the shell does it in
/// order, and a `start` is answered before the next event is told.
/// Errors: reported in `end`: `crashed`, naming child, reason and count.
/// Source: OTP's supervisor. Beyond it: back-off, a failed first start is a failure like any other, a child that
/// does not die is abandoned, and giving up is an abnormal end (OTP's is "shutdown", which a transient parent ignores).
class supervisor_core {
public:
  /// After a kill, how long until the child is abandoned: it blocks its thread inside a handler.
  static constexpr std::chrono::milliseconds kill_patience{2000};

  /// `path` names the supervisor in its last word. `seed` is for the jitter.
  supervisor_core(std::string path, supervisor_rules rules, std::vector<child_rules> children, std::uint64_t seed);

  supervisor_commands start(supervisor_time now);
  supervisor_commands child_started(std::string_view id, std::uint64_t incarnation, supervisor_time now);
  supervisor_commands start_failed(std::string_view id, std::uint64_t incarnation, const error& why, supervisor_time now);
  supervisor_commands child_down(std::string_view id, std::uint64_t incarnation, const child_end& end, supervisor_time now);
  supervisor_commands timer(std::uint64_t token, supervisor_time now);
  /// Stops all children, then ends normally. Harmless when repeated.
  supervisor_commands stop(supervisor_time now);

  /// Dynamic: a new child. If its first start fails it is forgotten.
  /// Errors: `already_exists`, `busy` at `children_max`, `wrong_state` when ending.
  outcome<supervisor_commands> add_child(child_rules rules, supervisor_time now);
  /// Dynamic: stops and forgets a child. Errors: `not_found`.
  outcome<supervisor_commands> remove_child(std::string_view id, supervisor_time now);

  /// Starts a child anew because somebody asks for it: stopped in order first, together with the siblings that the
  /// strategy names, and no failure. One that has ended in order is started, one that waits is started now.
  /// Errors: `not_found`; `wrong_state` when ending, and for a temporary child, which nobody starts again.
  outcome<supervisor_commands> restart_child(std::string_view id, supervisor_time now);

  std::vector<child_status> children() const;
  bool ending() const noexcept { return ending_; }
  bool ended() const noexcept { return ended_; }

private:
  struct child {
    child_rules rules;
    child_state state = child_state::idle;
    std::uint64_t incarnation = 0;
    std::uint64_t restart_count = 0;
    std::uint64_t token = 0; ///< Of its timer; others are stale.
    unsigned failures_in_row = 0;
    std::optional<supervisor_time> started_at{};
    bool wanted = false;      ///< To be started when its turn comes.
    bool leaving = false;     ///< To be forgotten once it is down.
    bool first_start = false; ///< Added at run time and never yet running.
    bool killed = false;
    bool again = false;       ///< Its end was asked for, to start it anew.
    actor_state shown = actor_state::stopped;
  };
  using position = std::size_t;

  std::optional<position> find(std::string_view id) const;
  bool active(const child& c) const noexcept;
  bool stays(const child& c) const noexcept;
  actor_state state_of(position at) const noexcept;
  supervisor_command& emit(supervisor_command::kind what, const child& c);
  std::uint64_t set_timer(std::chrono::milliseconds delay);

  void ended(position at, const child_end& end, supervisor_time now);
  void went_down(position at);
  void failed(position at, const child_end& end, supervisor_time now);
  void open_group(position from, std::chrono::milliseconds delay);
  void check_auto_shutdown(bool any_left);
  bool too_many_restarts(supervisor_time now);
  std::chrono::milliseconds next_delay(child& c, supervisor_time now);
  std::uint64_t next_random() noexcept;
  void stop_child(position at);
  void kill_child(position at);
  void forget(position at);
  void begin_end(std::optional<error> why);

  supervisor_commands step();
  void step_end();
  bool step_group();
  void step_starts();
  void show_changes();

  std::string path_;
  supervisor_rules rules_;
  std::vector<child> children_;
  std::deque<supervisor_time> restarts_; ///< Within the period; at most restarts_max + 1.
  std::uint64_t random_state_;
  std::uint64_t tokens_ = 0;
  std::optional<position> group_from_; ///< Group strategies: all from here on are stopped, then started.
  std::uint64_t group_token_ = 0;      ///< Timer that must pass before the starts; 0: passed.
  bool ending_ = false;
  bool ended_ = false;
  std::optional<error> why_;
  supervisor_commands out_;
};

} // namespace lucid
