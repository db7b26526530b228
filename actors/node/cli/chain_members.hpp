// actors/node/cli/chain_members.hpp - the names of those in whose chains sessions are anchored.
#pragma once

#include <vector>

#include "actors/node/cli/node_client.hpp"
#include "actors/node/session_text.hpp"
#include "messages/session.hpp"

namespace lucid {

/// As the running node knows them; none without one, or where all are anchored in its own chain.
chain_names names_for(const node_client& client, const std::vector<session_summary>& sessions);

} // namespace lucid
