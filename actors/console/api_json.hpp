// actors/console/api_json.hpp - what the node's API answers with: sessions and errors as JSON, and back.
//
// Source: docs/api/console.openapi.yaml.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "messages/inspection.hpp"
#include "messages/outcome.hpp"
#include "messages/session.hpp"

namespace lucid {

nlohmann::json to_json(const session_summary& summary);
outcome<session_summary> session_summary_from_json(const nlohmann::json& object);

nlohmann::json to_json(const inspection& seen);

nlohmann::json to_json(const error& e);
outcome<error> error_from_json(const nlohmann::json& object);

/// The HTTP status that goes with an error.
unsigned http_status(errc code) noexcept;

/// An actor that is not there at present is no source that cannot be reached: `busy`, since asking again will do.
error as_told_outside(error e);

} // namespace lucid
