// actors/mesh/placement_core.hpp - which places of which roles this node should take or hand back.
//
// Every node decides for itself, from what it sees; leases decide between those that see different things. The preferred
// node claims at once, the others step by step later, so that they rarely meet. A place is handed back only to a node
// that has been up steadily; if that node then fails to keep it, it has to be up for twice as long the next time.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "messages/mesh_lease.hpp"
#include "messages/outcome.hpp"
#include "messages/ports/cluster.hpp"

namespace lucid {

struct placement_rule {
  std::string role;
  std::vector<std::string> nodes; ///< Names, the preferred first; "*" stands for all others, by name.
  std::uint32_t count = 1;        ///< Places, 1 .. lease_places_max.
};

struct placement_settings {
  node_id self{};
  std::chrono::nanoseconds step{};         ///< Between the claims of one node and the next.
  std::chrono::nanoseconds return_after{}; ///< How long a preferred node is up before it gets its place back.
};

/// A member as this node sees it.
struct placement_member {
  node_id id{};
  std::string name;
  bool up = false;
  std::chrono::nanoseconds since{}; ///< Of `up`, on this node's monotonic clock.
};

struct placement_wish {
  lease_name lease;
  bool wanted = false;
  bool operator==(const placement_wish&) const = default;
};

/// Pure; remembers since when places are free, and whom it handed them to. Threads: one at a time.
class placement_core {
public:
  using time = std::chrono::nanoseconds;
  static constexpr std::uint32_t doublings_max = 7; ///< 30 s x 2^7: an hour.

  explicit placement_core(const placement_settings& settings) : settings_(settings) {}

  /// Replaces the rules. Errors: `invalid_input` for a bad or doubled role or a count of 0, `limit_exceeded` for more
  /// than lease_roles_max roles, lease_places_max places or cluster_members_max names.
  [[nodiscard]] outcome<void> set_rules(std::vector<placement_rule> rules);

  /// What this node should want or not want now, for every lease of the rules; call on each tick and pass on to lease_core.
  /// `members`: all of the list, this node among them (always up). `held`: who holds what, as lease_core::view says.
  [[nodiscard]] std::vector<placement_wish> decide(const std::vector<placement_member>& members,
                                                   const std::vector<lease_view>& held, time now);

private:
  struct candidate {
    const placement_member* member = nullptr;
    std::uint32_t places = 0; ///< That it holds.
    std::uint32_t share = 0;  ///< That it should hold.
  };
  /// How it went with a preferred node that could have had a place.
  struct experience {
    time handed_at{};
    time failed_at{};  ///< When it was seen not to take or keep a place.
    std::uint32_t doublings = 0;
    bool open = false; ///< It was given a place, and has not shown yet that it keeps it.
  };

  [[nodiscard]] std::vector<candidate> candidates_of(const placement_rule& rule,
                                                     const std::vector<placement_member>& members) const;
  [[nodiscard]] bool is_steady(const std::string& role, const placement_member& node, time now) const;
  void decide_role(const placement_rule& rule, const std::vector<placement_member>& members,
                   const std::vector<lease_view>& held, bool quorum, time now, std::vector<placement_wish>& out);
  void learn(const std::string& role, const std::vector<node_id>& holders, time now);

  placement_settings settings_;
  std::vector<placement_rule> rules_;
  std::map<lease_name, time> free_since_; // At most leases_max.
  std::map<std::pair<std::string, node_id>, experience> experiences_; // Roles x members; pruned with both.
};

} // namespace lucid
