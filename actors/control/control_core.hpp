// actors/control/control_core.hpp - the control API: requests decoded and checked, answers written; pure functions.
//
// Source: docs/api.md. Every answer is a JSON object; an error is {"error": {"code", "who", "what", "because"?}}.
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
namespace control {
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
} // namespace control

using control_command =
  std::variant<control::node_status, control::node_stop, control::actor_tree, control::set_log_level,
               control::list_sessions, control::create_session, control::get_session, control::stop_session,
               control::extend_session, control::remove_session>;

/// Bounds of what a request may say.
inline constexpr std::size_t source_bytes_max = 4096;   ///< A file path or URL.
inline constexpr std::size_t text_bytes_max = 200;      ///< Title, owner, reason.
inline constexpr std::size_t password_bytes_max = 1024;
inline constexpr std::uint32_t extend_seconds_max = 7 * 24 * 3600;

/// Decodes one request. Errors: `not_found` for a path or method that is not there, `invalid_input` naming the field.
outcome<control_command> decode_control(std::string_view method, std::string_view target, std::string_view body);

/// The request body that `decode_control` reads as `create_session`.
std::string encode_create_session(const capture_request& what, const session_policy& policy);

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
