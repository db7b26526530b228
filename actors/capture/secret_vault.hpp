// actors/capture/secret_vault.hpp - passwords of running sessions, in memory only.
#pragma once

#include <cstring>
#include <map>
#include <mutex>
#include <string>

#include "messages/identity.hpp"

namespace lucid {

/// Survives a restart of the capture actor, not of the node. What is forgotten is wiped.
/// Threads: safe to call from any thread.
class secret_vault {
public:
  secret_vault() = default;
  secret_vault(const secret_vault&) = delete;
  secret_vault& operator=(const secret_vault&) = delete;
  ~secret_vault() {
    for (auto& entry : secrets_) wipe(entry.second);
  }

  void keep(const session_id& session, const std::string& secret) {
    std::lock_guard lock(mutex_);
    auto& place = secrets_[session];
    wipe(place);
    place = secret;
  }

  /// Empty when there is none.
  std::string find(const session_id& session) const {
    std::lock_guard lock(mutex_);
    auto found = secrets_.find(session);
    return found == secrets_.end() ? std::string() : found->second;
  }

  void forget(const session_id& session) {
    std::lock_guard lock(mutex_);
    auto found = secrets_.find(session);
    if (found == secrets_.end()) return;
    wipe(found->second);
    secrets_.erase(found);
  }

  static void wipe(std::string& secret) noexcept {
    if (!secret.empty()) ::explicit_bzero(secret.data(), secret.size());
    secret.clear();
  }

private:
  mutable std::mutex mutex_;
  std::map<session_id, std::string> secrets_;
};

} // namespace lucid
