// actors/node/cli/node_client.hpp - asks a running node, over its control socket.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "actors/node/cli/node_action.hpp"
#include "adapters/http/stream_client.hpp"
#include "messages/outcome.hpp"
#include "messages/replication.hpp"
#include "messages/session.hpp"
#include "runtime/config/configuration.hpp"

namespace lucid {

/// Speaks the control API. A value; every call is one exchange.
/// Errors: the node's own answer, or `unreachable` when no node serves the socket.
class node_client {
public:
  explicit node_client(const configuration& settings) : socket_(settings.control.socket) {}

  bool reachable() const;
  outcome<nlohmann::json> status() const;
  outcome<nlohmann::json> actors() const;
  outcome<void> stop_node() const;

  outcome<session_summary> create(const capture_request& what, const session_policy& policy) const;
  outcome<session_summary> session(const session_id& id) const;
  outcome<session_summary> stop(const session_id& id, const std::string& reason) const;
  outcome<session_summary> extend(const session_id& id, std::uint32_t seconds) const;
  outcome<session_summary> remove(const session_id& id) const;
  outcome<std::vector<session_summary>> sessions() const; ///< All of them, newest first.
  /// At most `count` from the `offset`th newest on; at most 1,000.
  outcome<std::vector<session_summary>> sessions(std::size_t offset, std::size_t count) const;

  outcome<std::string> consequence(const node_action& action) const;     ///< A sentence for people.
  outcome<nlohmann::json> carry_out(const node_action& action) const;    ///< As the contract answers it.

  outcome<nlohmann::json> actor(const std::string& path) const;          ///< With its history and its capsules' ids.
  outcome<nlohmann::json> log_lines(const std::string& path, std::uint32_t count) const; ///< Empty path: of all.
  outcome<nlohmann::json> capsules() const;
  outcome<nlohmann::json> capsule(const std::string& id) const;
  outcome<nlohmann::json> letters() const;
  outcome<nlohmann::json> audit(std::uint32_t count) const;              ///< The newest entries.
  outcome<replication_status> replication() const;
  /// A part of the chunks, read and hashed by all who hold them. Takes as long as that takes.
  outcome<replication_audit> audit_copies(const session_id& id, std::uint32_t from) const;
  /// Answered when it is finished; `timeout` while it goes on: ask again.
  outcome<session_summary> adopt(const session_id& id) const;
  outcome<std::string> login_link() const;                               ///< For a browser; works once.
  outcome<nlohmann::json> cluster() const;                               ///< Its view; messages/ports/cluster.hpp.
  outcome<nlohmann::json> found_cluster(const std::string& name) const;
  outcome<nlohmann::json> invite(std::uint64_t valid_seconds) const;
  outcome<nlohmann::json> invitations() const;                           ///< Those of this node that are open.
  outcome<nlohmann::json> uninvite(const std::string& id) const;         ///< Or "all".
  outcome<nlohmann::json> join_cluster(const std::string& invitation) const;
  outcome<nlohmann::json> remove_member(const std::string& id) const;
  outcome<nlohmann::json> rotate_keys(bool onion) const;
  /// What the node tells by itself, such as the messages of one actor.
  outcome<std::unique_ptr<stream_client>> open_stream() const;

  outcome<void> set_log_level(const std::string& subsystem, const std::string& level) const;

private:
  outcome<nlohmann::json> ask(const std::string& method, const std::string& target, const std::string& body = {}) const;
  outcome<nlohmann::json> ask(const std::string& method, const std::string& target, const std::string& body,
                              std::chrono::milliseconds patience) const;
  outcome<session_summary> ask_session(const std::string& method, const std::string& target,
                                       const std::string& body = {}) const;

  std::filesystem::path socket_;
};

} // namespace lucid
