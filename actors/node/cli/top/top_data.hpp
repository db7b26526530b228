// actors/node/cli/top/top_data.hpp - actors and sessions as the node told them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "messages/outcome.hpp"
#include "messages/session.hpp"

namespace lucid {

/// One actor, and how it changed since it was asked last.
struct top_actor {
  std::string path;
  std::string kind;
  std::string state;              ///< "running", "restarting", "suspended" ...
  std::string strategy;           ///< Of a supervisor; else empty.
  std::string restart_kind;       ///< "permanent", "transient", "temporary"; empty where nobody told.
  std::uint64_t incarnation = 0;
  std::uint64_t mailbox_length = 0;
  std::uint64_t handled_count = 0;
  std::uint64_t restart_count = 0;
  std::uint64_t dead_letter_count = 0;
  std::uint64_t p50_ns = 0, p99_ns = 0, max_ns = 0;
  double busy_share = 0;          ///< 0 .. 1
  double rate = 0;                ///< Messages a second, as the node told; `add_rates` puts that since the answer before.
  std::vector<std::pair<std::string, std::string>> own_state;
  std::vector<std::pair<std::string, std::uint64_t>> handled;
  struct handler {
    std::string type;
    std::uint64_t count = 0, p50_ns = 0, p99_ns = 0, max_ns = 0;
  };
  std::vector<handler> by_type;
  std::vector<std::pair<std::string, std::uint64_t>> senders; ///< The most frequent first; an empty path: no actor.
  struct restart {
    std::int64_t at_us = 0;
    std::uint64_t incarnation = 0;
    std::string reason;
  };
  std::vector<restart> restarts;  ///< Newest first.
  std::vector<std::string> capsules; ///< Ids, newest first; only where this actor alone was asked for.
};

/// One answer of a node.
struct top_data {
  std::string node_name;
  std::string software;
  std::int64_t uptime_us = 0;
  std::uint64_t ledger_height = 0; ///< 0 while the ledger does not answer.
  bool draining = false;
  std::vector<top_actor> actors;  ///< Sorted by path, the root first.
  std::vector<session_summary> sessions;
};

/// Reads one Actor of the contract, or the answer of `GET /v1/actors`. Errors: `protocol_violation` when a member is missing.
outcome<top_actor> read_top_actor(const nlohmann::json& actor);
outcome<std::vector<top_actor>> read_top_actors(const nlohmann::json& actors);

/// Reads the answers of `GET /v1/node` and `GET /v1/actors`. Errors: as above.
outcome<top_data> read_top_data(const nlohmann::json& node, const nlohmann::json& actors,
                                std::vector<session_summary> sessions);

/// Fills in the rates of `now`, `seconds` after `before`. A new incarnation starts from nothing.
void add_rates(top_data& now, const top_data& before, double seconds);

} // namespace lucid
