// actors/node/cli/node_action.hpp - what people may have a node do, and the requests that ask for it; pure.
//
// Source: docs/api/console.openapi.yaml.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lucid {

/// A change a person wishes. The node tells its consequence before, and writes it to the audit log.
struct node_action {
  enum class kind : std::uint8_t { restart, kill, suspend, resume, drain, accept, stop_node, stop_session, extend_session };
  kind what = kind::restart;
  std::string target; ///< An actor's path or a session's id in full; empty: the node.
};

inline constexpr std::uint32_t extension_seconds = 600; ///< By `extend_session`.

/// "restart storage/store", "drain the node": as it is put to people.
std::string to_string(const node_action& action);

struct node_request {
  std::string method;
  std::string target;
  std::string body = {};
};

/// What asks for the consequence, and what has it done.
node_request consequence_request(const node_action& action);
node_request action_request(const node_action& action);

/// `text` as one segment of an address: all but letters, digits and "-._~" in percent.
std::string percent_encoded(std::string_view text);

} // namespace lucid
