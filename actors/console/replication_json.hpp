// actors/console/replication_json.hpp - copies of recordings as the API tells of them, and back.
//
// Source: docs/api/console.openapi.yaml.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "messages/outcome.hpp"
#include "messages/replication.hpp"

namespace lucid {

nlohmann::json to_json(const replication_status& status);
nlohmann::json to_json(const replication_audit& audit);

/// Errors: `protocol_violation` for an answer that is none.
outcome<replication_status> replication_status_from_json(const nlohmann::json& object);
outcome<replication_audit> replication_audit_from_json(const nlohmann::json& object);

} // namespace lucid
