// actors/node/cli/cluster_text.cpp - JSON to cluster_view, cluster_view to tables.
#include "actors/node/cli/cluster_text.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "runtime/config/nearest.hpp"
#include "runtime/log/text.hpp"

namespace lucid {
namespace {

using answer = nlohmann::json;

constexpr std::size_t id_digits_min = 4; ///< Fewer would hit by chance.

/// Reads members of an object; the first that is missing or of another kind spoils all.
class answer_reader {
public:
  explicit answer_reader(const answer& from) : from_(from) {}

  std::string text(const char* name) {
    auto found = find(name, [](auto& v) { return v.is_string(); });
    return found ? found->template get<std::string>() : std::string();
  }
  template <class Number>
  Number number(const char* name) {
    auto fits = [](const answer& v) {
      if (!v.is_number_integer()) return false;
      if (v.is_number_unsigned()) return std::in_range<Number>(v.get<std::uint64_t>());
      return std::in_range<Number>(v.get<std::int64_t>());
    };
    auto found = find(name, fits);
    return found ? found->template get<Number>() : Number();
  }
  template <std::size_t N>
  std::array<std::uint8_t, N> hex(const char* name) {
    std::array<std::uint8_t, N> bytes{};
    auto digits = text(name);
    if (good() && !from_hex_into(digits, bytes)) spoil(name);
    return bytes;
  }
  /// Zero for an empty text: nobody.
  template <std::size_t N>
  std::array<std::uint8_t, N> hex_or_none(const char* name) {
    auto found = from_.is_object() ? from_.find(name) : from_.end();
    if (found != from_.end() && found->is_string() && found->template get_ref<const std::string&>().empty()) return {};
    return hex<N>(name);
  }
  std::vector<std::string> texts(const char* name) {
    std::vector<std::string> all;
    for (auto& one : list(name)) {
      if (!one.is_string()) spoil(name);
      else all.push_back(one.get<std::string>());
    }
    return all;
  }
  answer list(const char* name) {
    auto found = find(name, [](auto& v) { return v.is_array(); });
    return found ? *found : answer::array();
  }
  void spoil(const char* name) {
    if (wrong_.empty()) wrong_ = name;
  }
  bool good() const noexcept { return wrong_.empty(); }
  outcome<void> finish() const {
    if (good()) return {};
    return fail(errc::protocol_violation, "control", "the node's answer about the cluster has no proper \"" + wrong_ + "\"");
  }

private:
  template <class Fits>
  const answer* find(const char* name, Fits fits) {
    auto found = from_.is_object() ? from_.find(name) : from_.end();
    if (found != from_.end() && fits(*found)) return &*found;
    spoil(name);
    return nullptr;
  }

  const answer& from_;
  std::string wrong_;
};

std::optional<member_state> state_of(std::string_view name) {
  for (auto state : {member_state::self, member_state::up, member_state::down, member_state::removed})
    if (name == to_string(state)) return state;
  return std::nullopt;
}

outcome<member_view> read_member(const answer& from) {
  answer_reader in(from);
  member_view member;
  member.id = in.hex<32>("id");
  member.name = in.text("name");
  member.sign_key = in.hex<32>("sign_key");
  member.box_key = in.hex<32>("box_key");
  member.addresses = in.texts("addresses");
  auto state = state_of(in.text("state"));
  if (!state) in.spoil("state");
  member.state = state.value_or(member_state::down);
  member.since_us = in.number<unix_time_us>("since_us");
  member.round_trip_us = in.number<std::uint32_t>("round_trip_us");
  member.software = in.text("software");
  if (auto done = in.finish(); !done) return pass_on(std::move(done));
  return member;
}

outcome<lease_view> read_lease(const answer& from) {
  answer_reader in(from);
  lease_view lease;
  lease.role = in.text("role");
  lease.place = in.number<std::uint32_t>("place");
  lease.holder = in.hex_or_none<32>("holder");
  lease.fence = in.number<std::uint64_t>("fence");
  lease.remaining_ms = in.number<std::int64_t>("remaining_ms");
  if (auto done = in.finish(); !done) return pass_on(std::move(done));
  return lease;
}

std::string round_trip_text(const member_view& member) {
  if (member.state != member_state::up || member.round_trip_us == 0) return "-";
  return fmt::format("{:.1f} ms", member.round_trip_us / 1000.0);
}

std::string joined(const std::vector<std::string>& parts) {
  std::string all;
  for (auto& part : parts) all.append(all.empty() ? "" : " ").append(part);
  return all.empty() ? "-" : all;
}

} // namespace

outcome<cluster_view> read_cluster_view(const nlohmann::json& from) {
  answer_reader in(from);
  cluster_view cluster;
  cluster.name = in.text("name");
  if (in.good() && cluster.name.empty()) return cluster; // It stands alone: there is nothing more to tell.
  cluster.cluster_id = in.hex<32>("cluster_id");
  cluster.list_version = in.number<std::uint64_t>("list_version");
  cluster.self = in.hex<32>("self");
  auto members = in.list("members"), leases = in.list("leases");
  auto former = from.contains("former") ? in.list("former") : answer::array(); // Nodes of earlier versions do not tell.
  if (auto done = in.finish(); !done) return pass_on(std::move(done));
  for (auto& one : members) {
    auto member = read_member(one);
    if (!member) return pass_on(std::move(member));
    cluster.members.push_back(std::move(*member));
  }
  for (auto& one : leases) {
    auto lease = read_lease(one);
    if (!lease) return pass_on(std::move(lease));
    cluster.leases.push_back(std::move(*lease));
  }
  for (auto& one : former) {
    answer_reader of(one);
    former_member gone{of.hex<32>("id"), of.text("name"), of.number<unix_time_us>("since_us")};
    if (auto done = of.finish(); !done) return pass_on(std::move(done));
    cluster.former.push_back(std::move(gone));
  }
  return cluster;
}

std::string short_node_id(const node_id& id) { return to_hex(byte_view(id).first(6)); }

outcome<member_view> find_member(const cluster_view& cluster, std::string_view written) {
  std::vector<const member_view*> found;
  std::vector<std::string> names;
  for (auto& member : cluster.members) {
    if (member.state == member_state::removed) continue;
    if (member.name == written) return member;
    names.push_back(member.name);
    if (written.size() >= id_digits_min && to_hex(member.id).starts_with(written)) found.push_back(&member);
  }
  if (found.size() == 1) return *found.front();
  if (found.size() > 1)
    return fail(errc::invalid_input, "lucid",
                fmt::format("{} stands for {} members; write more of the id, or the name", printable(written), found.size()));
  auto near = nearest(written, names);
  auto hint = near.empty() ? std::string("`lucid cluster members` lists them") : fmt::format("did you mean \"{}\"?", near);
  return fail(errc::not_found, "lucid", fmt::format("the cluster has no member {}; {}", printable(written), hint));
}

table members_table(const cluster_view& cluster, unix_time_us now) {
  table rows({{"name"}, {"id"}, {"state"}, {"since", table::align::right}, {"round trip", table::align::right}, {"addresses"},
              {"software"}});
  for (auto& member : cluster.members)
    rows.add({member.name, short_node_id(member.id), std::string(to_string(member.state)), age_text(member.since_us, now),
              round_trip_text(member), joined(member.addresses), member.software.empty() ? "-" : member.software});
  return rows;
}

table leases_table(const cluster_view& cluster) {
  table rows({{"role"}, {"place", table::align::right}, {"runs on"}, {"number", table::align::right}, {"renewed within"}});
  for (auto& lease : cluster.leases) {
    bool held = lease.holder != node_id{};
    auto holder = std::ranges::find(cluster.members, lease.holder, &member_view::id);
    auto name = !held ? std::string("nobody") : holder != cluster.members.end() ? holder->name : short_node_id(lease.holder);
    rows.add({lease.role, std::to_string(lease.place), name, std::to_string(lease.fence),
              held ? fmt::format("{} ms", std::max<std::int64_t>(lease.remaining_ms, 0)) : "-"});
  }
  return rows;
}

std::string age_text(unix_time_us since_us, unix_time_us now) {
  if (since_us <= 0) return "-";
  auto seconds = std::max<std::int64_t>(0, (now - since_us) / 1'000'000);
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < 2 * 3600) return fmt::format("{} min", seconds / 60);
  if (seconds < 48 * 3600) return fmt::format("{} h", seconds / 3600);
  return fmt::format("{} d", seconds / 86400);
}

} // namespace lucid
