// actors/node/cli/node_client.cpp - requests and answers of the control API, from the client's side.
#include "actors/node/cli/node_client.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "actors/console/api_json.hpp"
#include "actors/console/api_request.hpp"
#include "actors/console/replication_json.hpp"
#include "adapters/http/http_client.hpp"

namespace lucid {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr auto answer_patience = 60s;
constexpr auto join_patience = 3min;  ///< Over Tor an onion service is looked for first.
constexpr auto audit_patience = 3min; ///< 64 MiB from a slow card, behind what it has to do besides.
constexpr auto stream_patience = 5s;
constexpr std::uint32_t page_count = 1000;

std::string target_of(const session_id& id, const std::string& action = {}) {
  return "/v1/sessions/" + to_hex(id) + (action.empty() ? "" : "/" + action);
}

outcome<std::string> text_of(outcome<json> answer, const char* member) {
  if (!answer) return pass_on(std::move(answer));
  auto found = answer->find(member);
  if (found == answer->end() || !found->is_string())
    return fail(errc::protocol_violation, "control", std::string("the node's answer has no ").append(member));
  return found->get<std::string>();
}

} // namespace

bool node_client::reachable() const { return status().has_value(); }

outcome<json> node_client::status() const { return ask("GET", "/v1/node"); }
outcome<json> node_client::actors() const { return ask("GET", "/v1/actors"); }

outcome<void> node_client::stop_node() const {
  auto answer = ask("POST", "/v1/node/stop");
  if (!answer) return pass_on(std::move(answer));
  return {};
}

outcome<session_summary> node_client::create(const capture_request& what, const session_policy& policy) const {
  return ask_session("POST", "/v1/sessions", encode_create_session(what, policy));
}

outcome<session_summary> node_client::session(const session_id& id) const { return ask_session("GET", target_of(id)); }

outcome<session_summary> node_client::stop(const session_id& id, const std::string& reason) const {
  return ask_session("POST", target_of(id, "stop"), json{{"reason", reason}}.dump());
}

outcome<session_summary> node_client::extend(const session_id& id, std::uint32_t seconds) const {
  return ask_session("POST", target_of(id, "extend"), json{{"seconds", seconds}}.dump());
}

outcome<session_summary> node_client::remove(const session_id& id) const {
  return ask_session("DELETE", target_of(id));
}

outcome<std::vector<session_summary>> node_client::sessions() const {
  std::vector<session_summary> all;
  for (;;) {
    auto page = sessions(all.size(), page_count);
    if (!page) return page;
    std::move(page->begin(), page->end(), std::back_inserter(all));
    if (page->size() < page_count) return all;
  }
}

outcome<std::vector<session_summary>> node_client::sessions(std::size_t offset, std::size_t count) const {
  auto page = ask("GET", "/v1/sessions?offset=" + std::to_string(offset) + "&count=" + std::to_string(count));
  if (!page) return pass_on(std::move(page));
  if (!page->contains("sessions") || !(*page)["sessions"].is_array())
    return fail(errc::protocol_violation, "control", "the node's list of sessions cannot be read");
  std::vector<session_summary> listed;
  for (auto& row : (*page)["sessions"]) {
    auto summary = session_summary_from_json(row);
    if (!summary) return pass_on(std::move(summary));
    listed.push_back(std::move(*summary));
  }
  return listed;
}

outcome<std::string> node_client::consequence(const node_action& action) const {
  auto request = consequence_request(action);
  return text_of(ask(request.method, request.target), "text");
}

outcome<json> node_client::carry_out(const node_action& action) const {
  auto request = action_request(action);
  return ask(request.method, request.target, request.body);
}

outcome<json> node_client::actor(const std::string& path) const { return ask("GET", "/v1/actors/" + percent_encoded(path)); }

outcome<json> node_client::log_lines(const std::string& path, std::uint32_t count) const {
  auto of_path = path.empty() ? "" : "&path=" + percent_encoded(path);
  return ask("GET", "/v1/log?count=" + std::to_string(count) + of_path);
}

outcome<json> node_client::capsules() const { return ask("GET", "/v1/capsules"); }
outcome<json> node_client::capsule(const std::string& id) const { return ask("GET", "/v1/capsules/" + percent_encoded(id)); }
outcome<json> node_client::letters() const { return ask("GET", "/v1/letters"); }
outcome<json> node_client::audit(std::uint32_t count) const { return ask("GET", "/v1/audit?count=" + std::to_string(count)); }
outcome<std::string> node_client::login_link() const { return text_of(ask("POST", "/v1/console/login"), "url"); }

outcome<json> node_client::cluster() const { return ask("GET", "/v1/cluster"); }
outcome<json> node_client::found_cluster(const std::string& name) const {
  return ask("POST", "/v1/cluster/init", json{{"name", name}}.dump());
}
outcome<json> node_client::invite(std::uint64_t valid_seconds) const {
  return ask("POST", "/v1/cluster/invitations", json{{"valid_seconds", valid_seconds}}.dump());
}
outcome<json> node_client::invitations() const { return ask("GET", "/v1/cluster/invitations"); }
outcome<json> node_client::uninvite(const std::string& id) const {
  return ask("DELETE", "/v1/cluster/invitations/" + percent_encoded(id));
}
outcome<json> node_client::join_cluster(const std::string& invitation) const {
  return ask("POST", "/v1/cluster/join", json{{"invitation", invitation}}.dump(), join_patience);
}
outcome<json> node_client::remove_member(const std::string& id) const {
  return ask("DELETE", "/v1/cluster/members/" + percent_encoded(id));
}
outcome<json> node_client::rotate_keys(bool onion) const {
  return ask("POST", "/v1/keys/rotate", json{{"onion", onion}}.dump());
}

outcome<std::unique_ptr<stream_client>> node_client::open_stream() const {
  return stream_client::open(socket_, "/v1/stream", stream_patience);
}

outcome<void> node_client::set_log_level(const std::string& subsystem, const std::string& level) const {
  auto answer = ask("POST", "/v1/log", json{{"subsystem", subsystem}, {"level", level}}.dump());
  if (!answer) return pass_on(std::move(answer));
  return {};
}

outcome<replication_status> node_client::replication() const {
  auto answer = ask("GET", "/v1/replication");
  if (!answer) return pass_on(std::move(answer));
  return replication_status_from_json(*answer);
}

outcome<replication_audit> node_client::audit_copies(const session_id& id, std::uint32_t from) const {
  auto answer = ask("POST", "/v1/replication/audit", json{{"session", to_hex(id)}, {"from", from}}.dump(), audit_patience);
  if (!answer) return pass_on(std::move(answer));
  return replication_audit_from_json(*answer);
}

outcome<session_summary> node_client::adopt(const session_id& id) const {
  auto answer = ask("POST", target_of(id, "adopt"), "{}", audit_patience);
  if (!answer) return pass_on(std::move(answer));
  return session_summary_from_json(*answer);
}

outcome<json> node_client::ask(const std::string& method, const std::string& target, const std::string& body) const {
  return ask(method, target, body, answer_patience);
}

outcome<json> node_client::ask(const std::string& method, const std::string& target, const std::string& body,
                               std::chrono::milliseconds patience) const {
  auto response = http_call(socket_, method, target, body, patience);
  if (!response) return pass_on(std::move(response));
  auto answer = json::parse(response->body, nullptr, false);
  if (!answer.is_object())
    return fail(errc::protocol_violation, "control",
                "the node answered " + std::to_string(response->status) + " with something that is no JSON object");
  if (response->status < 400) return answer;
  if (auto e = error_from_json(answer.value("error", json::object()))) return tl::unexpected(std::move(*e));
  return fail(errc::protocol_violation, "control", "the node answered " + std::to_string(response->status));
}

outcome<session_summary> node_client::ask_session(const std::string& method, const std::string& target,
                                                  const std::string& body) const {
  auto answer = ask(method, target, body);
  if (!answer) return pass_on(std::move(answer));
  return session_summary_from_json(*answer);
}

} // namespace lucid
