// actors/console/flow_core.hpp - the pipeline of one session as a page sees it: how much passes, what waits for what.
//
// Two looks make a rate; pure logic.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "messages/inspection.hpp"

namespace lucid {

/// A stage of the pipeline, in the order in which a fragment passes through it.
struct flow_stage {
  std::string path;
  std::string role;               ///< "capture", "journal", "chunk", "seal", "store"
  double rate_bytes_s = 0;        ///< What it passed on, over the last second.
  std::uint64_t queued_bytes = 0; ///< What it holds and has not passed on; of the store: of this session.
  std::uint64_t credit_bytes = 0; ///< What it may still take.
  std::uint64_t credit_max_bytes = 0; ///< 0: it knows no credit.
  std::string waits_for;          ///< Path of the stage that it cannot go on without; empty while it can.
};

/// Remembers what the stages of one session said of the last second.
///
/// Who waits for whom. Capture without credit waits for whoever owes it an answer: chunk, when that has no room or
/// handles nothing, else the journal. Chunk without room waits for seal. Seal, when all it holds is with the store and
/// the store has not moved, waits for the store. Journal and store wait for the disk alone.
///
/// Times are of the monotonic clock. Threads: none; one owner. Memory: `looks_max` numbers for each of five stages.
/// Source: docs/api/console.openapi.yaml, Flow; messages/flow_fields.hpp.
class flow_core {
public:
  using time = std::chrono::nanoseconds;

  static constexpr time rate_window = std::chrono::seconds(1);
  static constexpr time look_interval_min = std::chrono::milliseconds(200); ///< Sooner ones replace the last.
  static constexpr std::size_t looks_max = 12; ///< Those of the window, some of them closer together, and one before it.
  /// A handler that runs for longer is one that hangs: a sync of a worn card takes some hundred milliseconds.
  static constexpr time handler_patience = std::chrono::seconds(1);

  /// One look at the actors; those that are neither of the session's nor the store are passed over.
  void take(const session_id& session, std::span<const inspection> actors, time at);

  /// None before the first look, and none while the session has no actors: it is final.
  const std::vector<flow_stage>& stages() const noexcept { return stages_; }

  nlohmann::json report() const;

private:
  /// What a stage said of itself. One that does not answer keeps its numbers.
  struct numbers {
    std::uint64_t incarnation = 0;
    std::uint64_t passed = 0, queued = 0, credit = 0, credit_max = 0, at_store = 0;
    bool stuck = false; ///< Handles nothing: suspended, gone, or hanging in a handler.
  };
  struct look {
    time at;
    std::map<std::string, numbers, std::less<>> by_role;
  };

  numbers read(const inspection& seen, std::string_view role) const;
  void remember(look now);
  const look& second_ago() const;
  double rate_of(std::string_view role) const;
  std::string_view waited_for(std::string_view role) const;

  std::deque<look> looks_; ///< Oldest first.
  std::vector<flow_stage> stages_;
};

} // namespace lucid
