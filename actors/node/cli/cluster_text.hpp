// actors/node/cli/cluster_text.hpp - the cluster as the control API tells it, read and put to people; pure.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "actors/node/cli/terminal.hpp"
#include "messages/outcome.hpp"
#include "messages/ports/cluster.hpp"

namespace lucid {

/// The members of the answer are those of cluster_view, ids and keys in hexadecimal digits.
/// Errors: `protocol_violation`.
outcome<cluster_view> read_cluster_view(const nlohmann::json& answer);

/// "a1b2c3d4e5f6"
std::string short_node_id(const node_id& id);

/// The member that has this name, or whose id begins so; removed ones are not looked at.
/// Errors: `not_found` with the nearest name, `invalid_input` if several begin so.
outcome<member_view> find_member(const cluster_view& cluster, std::string_view written);

table members_table(const cluster_view& cluster, unix_time_us now);

/// Roles and who runs them.
table leases_table(const cluster_view& cluster);

/// "12 s", "3 min", "5 h", "2 d": how long ago, in its largest unit.
std::string age_text(unix_time_us since_us, unix_time_us now);

} // namespace lucid
