// messages/inspection.hpp - what every supervised actor tells of itself when asked.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "messages/identity.hpp"

namespace lucid {

/// Bounds of an answer, so that no actor can make one large.
inline constexpr std::size_t inspection_fields_max = 64;        ///< Own state: rows.
inline constexpr std::size_t inspection_types_max = 16;         ///< Message types told apart; the rest is "other".
inline constexpr std::size_t inspection_restarts_max = 16;      ///< Last reasons kept for each path.

/// One row of an actor's own state, as its shell words it.
struct state_field {
  std::string key;
  std::string value;
  friend bool operator==(const state_field&, const state_field&) = default;
};
using state_fields = std::vector<state_field>;

/// How often one type of message was handled by this incarnation.
struct message_count {
  std::string type; ///< Registered name; several elements are joined by ", ".
  std::uint64_t count = 0;
  friend bool operator==(const message_count&, const message_count&) = default;
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
  unix_time_us started_us = 0;
  std::uint64_t mailbox_length = 0;  ///< At the start of the last handler.
  std::uint64_t handled_count = 0;   ///< Messages and replies, this incarnation.
  std::vector<message_count> handled;
  handler_times times;
  double busy_share = 0;             ///< 0 .. 1, over the last 10 to 20 s.
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
  return f(x.type, x.count);
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
  return f(x.path, x.kind, x.incarnation, x.present, x.started_us, x.mailbox_length, x.handled_count, x.handled,
           x.times, x.busy_share, x.running_ns, x.restart_count, x.restarts, x.dead_letter_count, x.answered, x.state);
}

} // namespace lucid
