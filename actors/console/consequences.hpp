// actors/console/consequences.hpp - what an action on the node, its cluster or a session leads to; pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "messages/outcome.hpp"
#include "messages/session.hpp"

namespace lucid {

/// "drain", "accept", "stop" or "log". `running`: sessions that are not final. A sentence for people.
std::string consequence_for_node(std::string_view action, std::size_t running);

/// Of `log`, once it is known what is wanted; `subsystem` empty: all.
std::string consequence_of_log_level(std::string_view subsystem, std::string_view level);

/// "init", "invite", "join", "remove", "rotate", and "rotate-onion" with the onion address.
std::string consequence_for_cluster(std::string_view action);

/// "stop", "extend" or "remove". Errors: `wrong_state` where the session's state does not allow it.
outcome<std::string> consequence_for_session(std::string_view action, const session_summary& session,
                                             unix_time_us now_us);

} // namespace lucid
