// actors/node/cli/top/top_data.cpp - JSON of the control API to rows.
#include "actors/node/cli/top/top_data.hpp"

#include <algorithm>
#include <unordered_map>

#include <nlohmann/json.hpp>

#include "actors/node/cli/top/top_actors.hpp"

namespace lucid {
namespace {

using nlohmann::json;

std::string state_of(const json& actor) {
  if (auto told = actor.find("state_now"); told != actor.end()) return told->get<std::string>();
  if (actor.at("present").get<bool>()) return "running";
  return actor.at("incarnation").get<std::uint64_t>() == 0 ? "starting" : "stopped";
}

top_actor read_actor(const json& from) {
  top_actor actor;
  from.at("path").get_to(actor.path);
  from.at("kind").get_to(actor.kind);
  actor.state = state_of(from);
  from.at("incarnation").get_to(actor.incarnation);
  from.at("mailbox_length").get_to(actor.mailbox_length);
  from.at("handled_count").get_to(actor.handled_count);
  from.at("restart_count").get_to(actor.restart_count);
  from.at("dead_letter_count").get_to(actor.dead_letter_count);
  from.at("busy_share").get_to(actor.busy_share);
  auto& times = from.at("handler_ns");
  times.at("p50").get_to(actor.p50_ns);
  times.at("p99").get_to(actor.p99_ns);
  times.at("max").get_to(actor.max_ns);
  for (auto& [key, value] : from.at("state").items()) actor.own_state.emplace_back(key, value.get<std::string>());
  for (auto& [type, count] : from.at("handled").items()) actor.handled.emplace_back(type, count.get<std::uint64_t>());
  for (auto& one : from.at("restarts"))
    actor.restarts.push_back({one.at("at_us").get<std::int64_t>(), one.at("incarnation").get<std::uint64_t>(),
                              one.at("reason").get<std::string>()});
  std::reverse(actor.restarts.begin(), actor.restarts.end());
  actor.rate = from.value("rate", 0.0);
  actor.strategy = from.value("strategy", "");
  actor.restart_kind = from.value("restart_kind", "");
  for (auto& one : from.value("senders", json::array()))
    actor.senders.emplace_back(one.at("path").get<std::string>(), one.at("count").get<std::uint64_t>());
  for (auto& one : from.value("handler_by_type", json::array()))
    actor.by_type.push_back({one.at("type").get<std::string>(), one.at("count").get<std::uint64_t>(),
                             one.at("p50_ns").get<std::uint64_t>(), one.at("p99_ns").get<std::uint64_t>(),
                             one.at("max_ns").get<std::uint64_t>()});
  for (auto& id : from.value("capsules", json::array())) actor.capsules.push_back(id.get<std::string>());
  return actor;
}

bool stands_before(const top_actor& a, const top_actor& b) {
  auto rank = [](const top_actor& actor) { return actor.path == "root" ? 0 : is_elsewhere(actor.path) ? 2 : 1; };
  return std::pair(rank(a), a.path) < std::pair(rank(b), b.path);
}

tl::unexpected<error> unreadable(const json::exception& e) {
  return fail(errc::protocol_violation, "top", std::string("the node's answer cannot be read: ").append(e.what()));
}

} // namespace

outcome<top_actor> read_top_actor(const json& actor) {
  try {
    return read_actor(actor);
  } catch (const json::exception& e) {
    return unreadable(e);
  }
}

outcome<std::vector<top_actor>> read_top_actors(const json& actors) {
  std::vector<top_actor> read;
  try {
    for (auto& actor : actors.at("actors")) read.push_back(read_actor(actor));
  } catch (const json::exception& e) {
    return unreadable(e);
  }
  std::sort(read.begin(), read.end(), stands_before);
  return read;
}

outcome<top_data> read_top_data(const json& node, const json& actors, std::vector<session_summary> sessions) {
  top_data data;
  try {
    node.at("name").get_to(data.node_name);
    node.at("software").get_to(data.software);
    node.at("uptime_us").get_to(data.uptime_us);
    data.ledger_height = node.value("ledger_height", std::uint64_t{0});
    data.draining = node.value("draining", false);
  } catch (const json::exception& e) {
    return unreadable(e);
  }
  auto read = read_top_actors(actors);
  if (!read) return pass_on(std::move(read));
  data.actors = std::move(*read);
  data.sessions = std::move(sessions);
  return data;
}

void add_rates(top_data& now, const top_data& before, double seconds) {
  if (seconds <= 0) return;
  std::unordered_map<std::string_view, const top_actor*> known;
  for (auto& actor : before.actors) known.emplace(actor.path, &actor);
  for (auto& actor : now.actors) {
    auto found = known.find(actor.path);
    if (found == known.end()) continue;
    auto same = found->second->incarnation == actor.incarnation;
    auto base = same ? std::min(found->second->handled_count, actor.handled_count) : 0;
    actor.rate = static_cast<double>(actor.handled_count - base) / seconds;
  }
}

} // namespace lucid
