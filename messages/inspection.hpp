// messages/inspection.hpp - what every supervised actor tells of itself when asked.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "messages/identity.hpp"

namespace lucid {

/// Bounds of an answer, so that no actor can make one large.
inline constexpr std::size_t inspection_fields_max = 64;        ///< Own state: rows.
inline constexpr std::size_t inspection_types_max = 16;         ///< Message types told apart; the rest is "other".
inline constexpr std::size_t inspection_restarts_max = 16;      ///< Last reasons kept for each path.
inline constexpr std::size_t inspection_senders_max = 8;        ///< Senders told apart.
inline constexpr std::size_t actor_path_bytes_max = 256;         ///< Of what somebody asks for; paths are shorter.

/// One row of an actor's own state, as its shell words it.
struct state_field {
  std::string key;
  std::string value;
  friend bool operator==(const state_field&, const state_field&) = default;
};
using state_fields = std::vector<state_field>;

/// What an actor is doing, as its supervisor sees it.
enum class actor_state : std::uint8_t {
  stopped,    ///< Ended in order, or not yet wanted.
  starting,   ///< Its first incarnation is on its way.
  running,
  restarting, ///< Ended together with a sibling or by request; a new incarnation is on its way.
  waiting,    ///< It failed; its back-off has to pass.
  suspended,  ///< Handles nothing but the system's messages; the others wait in its mailbox.
};

constexpr std::string_view to_string(actor_state state) noexcept {
  constexpr std::array<std::string_view, 6> names{"stopped", "starting", "running", "restarting", "waiting", "suspended"};
  return names[static_cast<std::size_t>(state)];
}

/// How an actor is supervised, and how it supervises: its child spec as data.
struct spec_summary {
  std::string parent;                   ///< Path of its supervisor; empty for the root.
  std::uint32_t position = 0;           ///< Among its siblings, in start order.
  std::string restart;                  ///< "permanent", "transient" or "temporary"; empty for the root.
  bool significant = false;
  std::int64_t shutdown_timeout_ms = 0;
  bool supervisor = false;
  // Of a supervisor:
  std::string strategy = {};            ///< "one_for_one", "one_for_all" or "rest_for_one".
  bool dynamic = false;                 ///< Its children come and go.
  std::uint32_t restarts_max = 0;       ///< More than this many within `period_ms` end it.
  std::int64_t period_ms = 0;
  friend bool operator==(const spec_summary&, const spec_summary&) = default;
};

/// How often one type of message was handled by this incarnation, and how long that took.
struct message_count {
  std::string type; ///< Registered name; several elements are joined by ", ".
  std::uint64_t count = 0;
  std::uint64_t p50_ns = 0;
  std::uint64_t p99_ns = 0;
  std::uint64_t max_ns = 0;
  friend bool operator==(const message_count&, const message_count&) = default;
};

/// Who sent how many of the messages that were handled. With more senders than rows a count may be too high, by what
/// the row's earlier holder had: the most frequent ones are always among them (Metwally et al. 2005, "space saving").
struct sender_count {
  std::uint64_t actor_id = 0; ///< The actor system's number of the incarnation; 0: nobody named, such as a timer.
  std::string path;           ///< Empty: none of the supervised actors.
  std::uint64_t count = 0;
  friend bool operator==(const sender_count&, const sender_count&) = default;
};

/// Why an earlier incarnation of a path ended.
struct restart_record {
  unix_time_us at_us = 0;
  std::uint64_t incarnation = 0;
  std::string reason;
  friend bool operator==(const restart_record&, const restart_record&) = default;
};

/// Quantiles of the time spent in a handler, from a histogram of 4 buckets an octave (at most 19 % high).
struct handler_times {
  std::uint64_t p50_ns = 0;
  std::uint64_t p90_ns = 0;
  std::uint64_t p99_ns = 0;
  std::uint64_t max_ns = 0;
  friend bool operator==(const handler_times&, const handler_times&) = default;
};

/// Asks a supervised actor for its `inspection`.
struct inspection_request {};

/// The present incarnation of one path.
struct inspection {
  std::string path;                  ///< "storage/store"; the root is "root".
  std::string kind;                  ///< The actor's name, e.g. "store".
  std::uint64_t incarnation = 0;     ///< 1, 2, 3 ...; 0: never started.
  bool present = false;              ///< False: between two incarnations, or ended.
  actor_state state_now = actor_state::stopped;
  spec_summary spec;
  std::uint32_t child_count = 0;     ///< Of a supervisor, at present. Only where the whole tree was looked at.
  unix_time_us started_us = 0;
  std::uint64_t mailbox_length = 0;  ///< At the start of the last handler.
  std::uint64_t handled_count = 0;   ///< Messages and replies, this incarnation.
  std::vector<message_count> handled;
  handler_times times;
  double busy_share = 0;             ///< 0 .. 1, over the last 10 to 20 s.
  double rate = 0;                   ///< Messages a second, over the same time.
  std::vector<sender_count> senders; ///< The most frequent first, at most inspection_senders_max.
  std::uint64_t running_ns = 0;      ///< How long the present handler has been running; 0 when idle.
  std::uint64_t restart_count = 0;   ///< Of the path, over all incarnations.
  std::vector<restart_record> restarts; ///< The last ones, oldest first.
  std::uint64_t dead_letter_count = 0;  ///< Messages sent to this path while nobody was there.
  bool answered = false;             ///< False: measured from outside; `state` is empty.
  state_fields state;                ///< What the actor itself adds.
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, state_field& x) {
  return f(x.key, x.value);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, message_count& x) {
  return f(x.type, x.count, x.p50_ns, x.p99_ns, x.max_ns);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, sender_count& x) {
  return f(x.actor_id, x.path, x.count);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, spec_summary& x) {
  return f(x.parent, x.position, x.restart, x.significant, x.shutdown_timeout_ms, x.supervisor, x.strategy, x.dynamic,
           x.restarts_max, x.period_ms);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, restart_record& x) {
  return f(x.at_us, x.incarnation, x.reason);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, handler_times& x) {
  return f(x.p50_ns, x.p90_ns, x.p99_ns, x.max_ns);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, inspection_request&) {
  return f();
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, inspection& x) {
  return f(x.path, x.kind, x.incarnation, x.present, x.state_now, x.spec, x.child_count, x.started_us, x.mailbox_length,
           x.handled_count, x.handled, x.times, x.busy_share, x.rate, x.senders, x.running_ns, x.restart_count,
           x.restarts, x.dead_letter_count, x.answered, x.state);
}

} // namespace lucid
