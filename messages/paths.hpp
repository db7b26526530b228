// messages/paths.hpp - where the actors of a node live in its tree.
#pragma once

#include <string>
#include <string_view>

#include "messages/identity.hpp"

namespace lucid::paths {

inline constexpr std::string_view store = "storage/store";
inline constexpr std::string_view ledger = "storage/ledger";
inline constexpr std::string_view anchor = "storage/anchor";
inline constexpr std::string_view sessions = "sessions";
inline constexpr std::string_view recorder = "recorder";
inline constexpr std::string_view control = "control";
inline constexpr std::string_view console = "console";
inline constexpr std::string_view audit = "audit";

/// "sessions/<64 hexadecimal digits>/<role>"
inline std::string of_session(const session_id& id, std::string_view role) {
  return std::string(sessions) + "/" + to_hex(id) + "/" + std::string(role);
}

} // namespace lucid::paths
