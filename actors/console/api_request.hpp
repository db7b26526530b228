// actors/console/api_request.hpp - what one may ask of a node: requests decoded and checked, answers written; pure functions.
//
// Source: docs/api/console.openapi.yaml.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "messages/chunk.hpp"
#include "messages/inspection.hpp"
#include "messages/outcome.hpp"
#include "messages/session.hpp"
#include "messages/supervision.hpp"

namespace lucid {

/// What one can ask for, by the operations of the contract.
namespace api {
// Of the node.
struct get_node {};
struct get_machine {};
struct get_config {};
struct drain_node { bool on = true; };
struct stop_node {};
struct get_log {
  std::string path;                    ///< Empty: of all.
  std::optional<session_id> session;
  std::string level = "trace";         ///< The least.
  std::uint32_t count = 200;
};
struct set_log_level { std::string subsystem; std::string level; };
struct node_consequence { std::string action; };
struct get_health {};
struct get_readiness {};
struct get_metrics {};

// Of its actors.
struct list_actors {};
struct get_actor { std::string path; };
struct actor_consequence { std::string path; child_action action = child_action::restart; };
struct act_on_actor { std::string path; child_action action = child_action::restart; };

// Of sessions.
struct list_sessions { bool unfinished_only = false; std::uint32_t offset = 0, count = 1000; };
struct create_session { capture_request what; session_policy policy; };
struct get_session { session_id id{}; };
struct stop_session { session_id id{}; std::string reason; };
struct extend_session { session_id id{}; std::uint32_t seconds = 0; };
struct remove_session { session_id id{}; };
struct session_consequence { session_id id{}; std::string action; };
struct adopt_session { session_id id{}; };
struct get_flow { session_id id{}; };
struct get_manifest { session_id id{}; };
struct get_keys { session_id id{}; };
struct list_chunks { session_id id{}; };
struct get_chunk { session_id id{}; track on = track::video; std::uint32_t index = 0; };
struct get_proof { session_id id{}; };
struct verify_session { session_id id{}; };

// Of what is kept.
struct list_blocks { std::optional<std::uint64_t> before; std::uint32_t count = 100; };
struct get_block { std::uint64_t height = 0; };
struct search_ledger { std::string prefix; };
struct get_letters {};
struct list_capsules {};
struct get_capsule { std::string id; };
struct get_audit { std::uint64_t before = 0; std::uint32_t count = 200; };

// Of the cluster.
struct get_cluster {};
struct cluster_consequence { std::string action; };
struct begin_cluster { std::string name; };
struct make_invitation { std::uint32_t valid_seconds = 3600; };
struct list_invitations {};
struct take_back_invitation { std::string id; }; ///< Or "all".
struct join_cluster { std::string invitation; };
struct remove_member { std::string who; };
struct rotate_keys { bool onion = false; };
struct get_replication {};
struct audit_copies { session_id session{}; std::uint32_t from = 0; };

// Coming in and going out.
struct open_stream {};
struct make_login {};
struct log_in { std::string token; };
struct log_out {};
struct get_me {};
struct get_page { std::string path; }; ///< "/" or "/assets/NAME".
} // namespace api

using api_request =
  std::variant<api::get_node, api::get_machine, api::get_config, api::drain_node, api::stop_node, api::get_log,
               api::set_log_level, api::node_consequence, api::get_health, api::get_readiness, api::get_metrics,
               api::list_actors, api::get_actor, api::actor_consequence, api::act_on_actor, api::list_sessions,
               api::create_session, api::get_session, api::stop_session, api::extend_session, api::remove_session,
               api::session_consequence, api::adopt_session, api::get_flow, api::get_manifest, api::get_keys, api::list_chunks,
               api::get_chunk, api::get_proof, api::verify_session, api::list_blocks, api::get_block,
               api::search_ledger, api::get_letters, api::list_capsules, api::get_capsule, api::get_audit,
               api::get_cluster, api::cluster_consequence, api::begin_cluster, api::make_invitation,
               api::list_invitations, api::take_back_invitation, api::join_cluster, api::remove_member, api::rotate_keys,
               api::get_replication, api::audit_copies,
               api::open_stream, api::make_login, api::log_in, api::log_out, api::get_me, api::get_page>;

/// Bounds of what a request may say.
inline constexpr std::size_t source_bytes_max = 4096;   ///< A file path or URL.
inline constexpr std::size_t text_bytes_max = 200;      ///< Title, owner, reason.
inline constexpr std::size_t password_bytes_max = 1024;
inline constexpr std::uint32_t extend_seconds_max = 7 * 24 * 3600;
inline constexpr std::uint32_t log_lines_max = 1000;

/// Decodes one request. Errors: `not_found` for a path that is not there, or not with this method; `invalid_input` naming
/// the member or parameter.
outcome<api_request> decode_api_request(std::string_view method, std::string_view target, std::string_view body);

/// The methods that the path of `target` knows: "GET, POST"; empty if there is no such path.
std::string allowed_methods(std::string_view target);

/// The request body that `decode_api_request` reads as `create_session`.
std::string encode_create_session(const capture_request& what, const session_policy& policy);

} // namespace lucid
