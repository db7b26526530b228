// messages/audit.hpp - what operators did to a node, as it is kept: chained entry to entry, signed by the node.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "messages/identity.hpp"

namespace lucid {

inline constexpr std::size_t audit_name_bytes_max = 256;  ///< Operator, action, target.
inline constexpr std::size_t audit_text_bytes_max = 1000; ///< Consequence, outcome.
inline constexpr std::uint32_t audit_read_count_max = 1000;

/// What somebody did, in words for people.
struct audit_action {
  std::string by;          ///< The operator: "operator, console login 3", "operator, control socket".
  std::string action;      ///< "restart", "drain" ...
  std::string target;      ///< An actor's path, a session's id, "node".
  std::string consequence; ///< As it was shown before the confirmation.
  std::string result;      ///< "begun"; in a second entry, why it failed.
  friend bool operator==(const audit_action&, const audit_action&) = default;
};

struct audit_entry {
  std::uint64_t number = 0; ///< From 1 on, without gaps.
  unix_time_us at_us = 0;
  audit_action what;
  digest previous{};        ///< The hash of the entry before; zeros for the first.
  digest hash{};            ///< Of all above.
  signature by{};           ///< By the node's key, over the hash.
};

/// Asks for one more entry. Answered once it is on disk.
struct audit_append_request {
  audit_action what;
};

/// Asks for at most `count` entries before entry `before`, newest first; 0: the newest.
struct audit_read_request {
  std::uint64_t before = 0;
  std::uint32_t count = 200;
  bool verify = true; ///< Else `intact` stays false: reading the whole log takes time.
};

struct audit_page {
  std::vector<audit_entry> entries;
  bool intact = false;   ///< Every entry of the whole log is signed and follows the one before.
  std::string broken;    ///< What is wrong with the first that is not.
  std::uint64_t count = 0; ///< Of the whole log.
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, audit_action& x) {
  return f(x.by, x.action, x.target, x.consequence, x.result);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, audit_entry& x) {
  return f(x.number, x.at_us, x.what, x.previous, x.hash, x.by);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, audit_append_request& x) {
  return f(x.what);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, audit_read_request& x) {
  return f(x.before, x.count, x.verify);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, audit_page& x) {
  return f(x.entries, x.intact, x.broken, x.count);
}

} // namespace lucid
