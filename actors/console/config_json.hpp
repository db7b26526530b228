// actors/console/config_json.hpp - the settings in force and where each comes from, as the console tells them.
#pragma once

#include <map>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "runtime/config/load.hpp"

namespace lucid {

/// All keys in the order of docs/configuration.md. Quantities are plain numbers of the unit that stands beside them.
/// A secret's value and default are empty, whether it is set or not. A key without an origin is told as a default.
/// Source: docs/api/console.openapi.yaml, GET /v1/config.
nlohmann::json config_json(const configuration& values, const std::map<std::string, value_origin>& origins);

} // namespace lucid
