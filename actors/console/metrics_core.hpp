// actors/console/metrics_core.hpp - what of the node is measured over months: names and help that stay as they are.
//
// Sessions come and go, and a series for each of their actors would fill a time-series database: the actors of all
// sessions are told of together, by their role, as "sessions/*/seal".
#pragma once

#include <array>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adapters/prometheus/metrics_text.hpp"
#include "messages/inspection.hpp"
#include "messages/ports/cluster.hpp"
#include "messages/ports/machine.hpp"
#include "messages/replication.hpp"
#include "messages/session.hpp"

namespace lucid {

/// What of the node is told beside its actors. What is not known stays empty, and is left out.
struct node_measures {
  std::string version;
  unix_time_us started_us = 0;
  bool draining = false;
  std::uint64_t memory_bound_bytes = 0;
  std::optional<machine_facts> machine;
  std::map<session_state, std::uint64_t> sessions; ///< How many are in each state.
  struct recording_sums {
    std::uint64_t captured_bytes = 0, stored_bytes = 0, gaps = 0;
  };
  std::optional<recording_sums> running; ///< Over the sessions that are not final.
  std::optional<std::uint64_t> ledger_height;
  std::optional<std::uint64_t> ledger_entries;
  std::optional<cluster_view> cluster;           ///< Empty: the node stands alone, and wishes for no copies.
  std::optional<replication_status> replication; ///< As its actor told since it started.
  std::uint64_t console_logins = 0;   ///< Now.
  std::uint64_t console_streams = 0;  ///< Now.
  std::uint64_t console_refusals = 0; ///< Since the start.
  std::uint64_t audit_entries = 0;
};

/// Counts on over restarts and ends of actors, so that a counter never falls.
///
/// Threads: none; one owner. Memory: three numbers for each actor of the last list, and those of the roles.
/// What an actor did between the last list and its end is not counted.
class metrics_core {
public:
  /// The present actors.
  void take_actors(std::span<const inspection> actors);

  /// All families, always in the same order.
  std::vector<metric_family> families(const node_measures& node) const;

  /// "sessions/<id>/seal" as "sessions/*/seal"; other paths as they are.
  static std::string role_of(std::string_view path);

private:
  /// Numbers of one incarnation, or the sums over a role.
  struct counts {
    std::uint64_t incarnation = 0;
    std::uint64_t messages = 0, restarts = 0, dead_letters = 0;
  };
  struct role {
    counts sums;                       ///< Since the start; they stay when nobody is there.
    std::uint64_t present = 0, absent = 0;
    std::uint64_t mailbox = 0;         ///< The longest.
    double busy = 0;                   ///< The busiest.
    handler_times times = {};          ///< The slowest.
  };

  static void add_growth(counts& sums, const counts& before, const counts& now);
  void write_actors(std::vector<metric_family>& into) const;

  std::map<std::string, counts> known_; // By path.
  std::map<std::string, role> roles_;
};

} // namespace lucid
