// actors/console/api_request.hpp - the control API: requests decoded and checked, answers written; pure functions.
//
// Source: docs/api/console.openapi.yaml.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include <nlohmann/json_fwd.hpp>

#include "messages/inspection.hpp"
#include "messages/outcome.hpp"
#include "messages/session.hpp"

namespace lucid {

/// What a client of the control API can ask for.
namespace api {
struct node_status {};                                             ///< GET /v1/node
struct node_stop {};                                               ///< POST /v1/node/stop
struct actor_tree {};                                              ///< GET /v1/actors
struct set_log_level { std::string subsystem; std::string level; }; ///< POST /v1/log
struct list_sessions { bool unfinished_only = false; std::uint32_t offset = 0, count = 1000; }; ///< GET /v1/sessions
struct create_session { capture_request what; session_policy policy; };                         ///< POST /v1/sessions
struct get_session { session_id id{}; };                           ///< GET /v1/sessions/ID
struct stop_session { session_id id{}; std::string reason; };      ///< POST /v1/sessions/ID/stop
struct extend_session { session_id id{}; std::uint32_t seconds = 0; }; ///< POST /v1/sessions/ID/extend
struct remove_session { session_id id{}; };                        ///< DELETE /v1/sessions/ID
} // namespace api

using api_request =
  std::variant<api::node_status, api::node_stop, api::actor_tree, api::set_log_level,
               api::list_sessions, api::create_session, api::get_session, api::stop_session,
               api::extend_session, api::remove_session>;

/// Bounds of what a request may say.
inline constexpr std::size_t source_bytes_max = 4096;   ///< A file path or URL.
inline constexpr std::size_t text_bytes_max = 200;      ///< Title, owner, reason.
inline constexpr std::size_t password_bytes_max = 1024;
inline constexpr std::uint32_t extend_seconds_max = 7 * 24 * 3600;

/// Decodes one request. Errors: `not_found` for a path or method that is not there, `invalid_input` naming the field.
outcome<api_request> decode_api_request(std::string_view method, std::string_view target, std::string_view body);

/// The request body that `decode_api_request` reads as `create_session`.
std::string encode_create_session(const capture_request& what, const session_policy& policy);

} // namespace lucid
