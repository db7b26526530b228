// actors/node/cli/chain_members.cpp - asks only where it is needed.
#include "actors/node/cli/chain_members.hpp"

#include <algorithm>

#include "actors/node/cli/cluster_text.hpp"

namespace lucid {

chain_names names_for(const node_client& client, const std::vector<session_summary>& sessions) {
  bool needed = std::any_of(sessions.begin(), sessions.end(), [](auto& s) { return s.block_producer != sign_public_key{}; });
  if (!needed) return {};
  auto answer = client.cluster();
  auto view = answer ? read_cluster_view(*answer) : pass_on(std::move(answer));
  return view ? chain_names_of(*view) : chain_names();
}

} // namespace lucid
