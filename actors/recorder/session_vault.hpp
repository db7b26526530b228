// actors/recorder/session_vault.hpp - the secrets of the sessions that run in this process. Never on disk.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "actors/format/keys.hpp"
#include "messages/session.hpp"

namespace lucid {

/// What a session's actors are started with, the first time and after each restart.
struct session_plan {
  session_id session{};
  std::shared_ptr<const session_key> key;
  bool recovered = false;                ///< The recording was begun by a process that is gone.
  std::uint32_t length_seconds_max = 0;  ///< 0: as configured.
  /// By how much it was made longer since; shared with the session's actor, and remembered when that is restarted.
  std::shared_ptr<std::atomic<std::uint32_t>> extended_seconds = std::make_shared<std::atomic<std::uint32_t>>(0);
};

/// The plans and passwords of running sessions, for as long as they run.
/// Threads: any.
class session_vault {
public:
  ~session_vault();

  void put(session_plan plan, std::string password);
  std::optional<session_plan> plan(const session_id& session) const;
  /// A copy; the caller wipes it. Empty when there is none.
  std::string password(const session_id& session) const;
  void erase(const session_id& session);
  std::size_t count() const;
  std::vector<session_id> running() const;

  /// A session that was being recorded when an earlier process ended: to be gone on with, if its plan comes back.
  void put_interrupted(const session_id& session);
  /// Those that were put since it was last asked.
  std::vector<session_id> take_interrupted();

  /// Whether new sessions are refused, while those that run go on to their end. Lasts until the process ends.
  void set_draining(bool on);
  bool draining() const;

private:
  struct entry {
    session_plan plan;
    std::string password;
  };
  mutable std::mutex mutex_;
  std::map<session_id, entry> entries_;
  std::vector<session_id> interrupted_; ///< Bounded by what is found unfinished at the start.
  bool draining_ = false;
};

} // namespace lucid
