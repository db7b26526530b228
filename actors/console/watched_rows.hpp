// actors/console/watched_rows.hpp - actors and sessions as a page sees them: the members, one line each.
#pragma once

#include "actors/console/change_table.hpp"
#include "messages/inspection.hpp"
#include "messages/session.hpp"

namespace lucid {

/// Source: docs/api/console.openapi.yaml, Actor and Session.
std::span<const row_member<inspection>> actor_members();
std::span<const row_member<session_summary>> session_members();

std::string key_of_actor(const inspection& actor);          ///< Its path.
std::string key_of_session(const session_summary& session); ///< Its id in hexadecimal digits.

} // namespace lucid
