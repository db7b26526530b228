// messages/mesh_lease.hpp - what the nodes of a cluster tell each other about leases.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "messages/identity.hpp"

namespace lucid {

inline constexpr std::size_t lease_roles_max = 16;      ///< Roles of a cluster.
inline constexpr std::uint32_t lease_places_max = 8;    ///< Of one role.
inline constexpr std::size_t lease_role_bytes_max = 31; ///< Of [a-z0-9-].
inline constexpr std::size_t leases_max = lease_roles_max * lease_places_max;
inline constexpr std::uint64_t lease_number_max = 1ull << 62; ///< So that a signed 64-bit column holds every number.

/// What one lease is for: one instance of a role.
struct lease_name {
  std::string role;        ///< "seal"
  std::uint32_t place = 0; ///< 0 .. lease_places_max - 1.
  auto operator<=>(const lease_name&) const = default;
};

/// Whether `lease` is within its bounds.
constexpr bool is_sound(std::string_view role, std::uint32_t place) noexcept {
  if (role.empty() || role.size() > lease_role_bytes_max || place >= lease_places_max) return false;
  for (char c : role)
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return false;
  return true;
}
inline bool is_sound(const lease_name& lease) noexcept { return is_sound(lease.role, lease.place); }

/// "Grant me this lease under that number", to begin it or to renew it.
struct lease_ask {
  lease_name lease;
  std::uint64_t number = 0; ///< From 1.
  bool held = false;        ///< The asker holds the lease now; for those who only watch.
  bool operator==(const lease_ask&) const = default;
};

/// "I do not hold it, and shall never again under that number."
struct lease_release {
  lease_name lease;
  std::uint64_t number = 0;
  bool operator==(const lease_release&) const = default;
};

enum class lease_verdict : std::uint8_t {
  granted,
  held,   ///< Another node has a grant that has not expired.
  stale,  ///< A number as high was granted before; `highest` says which.
  quiet,  ///< Started less than a lease time ago, and may have granted before that.
  behind, ///< The asker's list of members is older than the granter's.
};
inline constexpr auto lease_verdict_last = lease_verdict::behind;

struct lease_answer {
  lease_name lease;
  lease_verdict verdict = lease_verdict::granted;
  std::uint64_t number = 0;      ///< Asked for.
  std::uint64_t highest = 0;     ///< That this member ever granted.
  std::uint64_t incarnation = 0; ///< Of the ask's message.
  std::uint64_t sequence = 0;    ///< Of the ask's message: says when it was sent.
  bool operator==(const lease_answer&) const = default;
};

/// All that one member tells another at a time. Each list at most leases_max long, and a lease once in a list.
struct lease_message {
  std::uint64_t incarnation = 0;  ///< Of the sender: another at each start.
  std::uint64_t sequence = 0;     ///< Rises with each heartbeat of the sender.
  std::uint64_t list_version = 0; ///< Of the sender's list of members.
  std::vector<lease_ask> asks;
  std::vector<lease_release> releases;
  std::vector<lease_answer> answers;
  bool operator==(const lease_message&) const = default;
};

} // namespace lucid
