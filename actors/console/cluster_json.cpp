// actors/console/cluster_json.cpp - ids as hexadecimal digits, times in microseconds.
#include "actors/console/cluster_json.hpp"

#include <algorithm>
#include <string>

#include <nlohmann/json.hpp>

namespace lucid {

using nlohmann::json;

namespace {

json to_json(const member_view& one) {
  return {{"id", to_hex(one.id)},
          {"name", one.name},
          {"sign_key", to_hex(one.sign_key)},
          {"box_key", to_hex(one.box_key)},
          {"addresses", one.addresses},
          {"state", std::string(to_string(one.state))},
          {"since_us", one.since_us},
          {"round_trip_us", one.round_trip_us},
          {"software", one.software}};
}

json to_json(const lease_view& one, const cluster_view& in) {
  auto holder = std::find_if(in.members.begin(), in.members.end(), [&](auto& m) { return m.id == one.holder; });
  return {{"role", one.role},
          {"place", one.place},
          {"holder", one.holder == node_id{} ? "" : to_hex(one.holder)},
          {"holder_name", holder == in.members.end() ? "" : holder->name},
          {"fence", one.fence},
          {"remaining_ms", one.remaining_ms}};
}

} // namespace

json to_json(const cluster_view& view) {
  auto members = json::array(), leases = json::array(), former = json::array();
  for (auto& one : view.members) members.push_back(to_json(one));
  for (auto& one : view.leases) leases.push_back(to_json(one, view));
  for (auto& one : view.former) former.push_back({{"id", to_hex(one.id)}, {"name", one.name}, {"since_us", one.since_us}});
  return {{"name", view.name},
          {"cluster_id", view.name.empty() ? "" : to_hex(view.cluster_id)},
          {"list_version", view.list_version},
          {"self", view.self == node_id{} ? "" : to_hex(view.self)},
          {"members", std::move(members)},
          {"leases", std::move(leases)},
          {"former", std::move(former)}};
}

json to_json(const cluster_ack& done) { return {{"text", done.text}, {"list_version", done.list_version}}; }

json to_json(const cluster_invitation& made) {
  return {{"invitation", made.text}, {"address", made.address}, {"expires_us", made.expires_us}, {"id", made.id}};
}

json to_json(const cluster_invitations& found) {
  auto open = json::array();
  for (auto& one : found.open) open.push_back({{"id", one.id}, {"issued_us", one.issued_us}, {"expires_us", one.expires_us}});
  return {{"invitations", std::move(open)}};
}

} // namespace lucid
