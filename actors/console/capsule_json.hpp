// actors/console/capsule_json.hpp - crash capsules and tapped messages as JSON.
//
// Source: docs/api/console.openapi.yaml.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "messages/ports/capsule_store.hpp"

namespace lucid {

nlohmann::json to_json(const seen_message& message);
nlohmann::json to_json(const capsule_summary& head);
nlohmann::json to_json(const crash_capsule& capsule);

} // namespace lucid
