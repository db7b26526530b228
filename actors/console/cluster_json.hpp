// actors/console/cluster_json.hpp - the cluster as JSON; pure functions.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "messages/mesh.hpp"

namespace lucid {

/// Source: docs/api/console.openapi.yaml, Cluster.
nlohmann::json to_json(const cluster_view& view);
nlohmann::json to_json(const cluster_ack& done);
nlohmann::json to_json(const cluster_invitation& made); ///< With the secret: for who asked for it.
nlohmann::json to_json(const cluster_invitations& found);

} // namespace lucid
