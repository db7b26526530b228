// messages/session.cpp - names of the session states and which may follow which.
#include "messages/session.hpp"

#include <array>

namespace lucid {
namespace {

constexpr std::array<std::string_view, 9> names{"none",      "created",   "recording",   "sealing", "storing",
                                                "anchoring", "completed", "interrupted", "failed"};

} // namespace

std::string_view to_string(session_state state) noexcept {
  auto index = static_cast<std::size_t>(state);
  return index < names.size() ? names[index] : "unknown";
}

std::optional<session_state> session_state_from(std::string_view text) noexcept {
  for (std::size_t i = 1; i < names.size(); ++i)
    if (names[i] == text) return static_cast<session_state>(i);
  return std::nullopt;
}

bool may_follow(session_state from, session_state to) noexcept {
  using enum session_state;
  if (from == to) return from >= created && from <= failed;
  switch (from) {
    case created: return to == recording || to == failed;
    case recording: return to == sealing || to == failed;
    case sealing: return to == storing || to == failed;
    case storing: return to == anchoring || to == failed;
    case anchoring: return to == completed || to == interrupted || to == failed;
    case completed:
    case interrupted:
    case failed: return false;
  }
  return false;
}

} // namespace lucid
