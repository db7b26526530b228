// actors/mesh/invitation_book.hpp - the invitations of this node: open, used, expired; pure.
#pragma once

#include <map>
#include <optional>

#include "actors/mesh/invitation.hpp"
#include "messages/mesh.hpp"
#include "messages/ports/random.hpp"

namespace lucid {

/// What is kept of an invitation. The token is not: whoever reads the disk cannot join.
struct invitation_record {
  transport_key key{};                ///< The joiner's, for this one time.
  unix_time_us issued_us = 0;
  unix_time_us expires_us = 0;        ///< By this node's clock. Brought forward when it is used.
  std::optional<node_id> used_by;
  friend bool operator==(const invitation_record&, const invitation_record&) = default;
};

/// What people call an invitation by: the first eight digits of its key.
std::string invitation_id(const transport_key& key);

/// Threads: none. One owner calls it. What changes is to be on disk before it is told: `records()`.
class invitation_book {
public:
  static constexpr std::size_t open_max = 16;
  static constexpr std::size_t used_max = 64; ///< The one that expires first makes room.
  static constexpr std::int64_t valid_us_min = invitation_seconds_min * 1'000'000ll;
  static constexpr std::int64_t valid_us_max = invitation_seconds_max * 1'000'000ll;
  /// How long a used one still lets its joiner ask again. One that hears no answer asks for join_dial_patience.
  static constexpr std::int64_t used_us_max = 5 * 60ll * 1'000'000;

  /// A new invitation in the name of `of`, whose token and expiry are filled in.
  /// Errors: `busy` if open_max are open, `invalid_input` for a time outside the bounds above or no usable address.
  outcome<invitation> issue(invitation of, std::int64_t valid_us, unix_time_us now, random_port& random);

  /// The one that `key` connects by, while it may: open, or used and not expired (its answer may have been lost).
  const invitation_record* find(const transport_key& key, unix_time_us now) const;

  /// Uses it up for `joiner`; used_us_max later it is over. Again for the same joiner is harmless.
  /// Errors: `not_found` (none, or void), `timeout` (expired), `already_exists` (another one has used it).
  outcome<void> redeem(const transport_key& key, const node_id& joiner, unix_time_us now);

  /// Takes back what is open: the one of this id, or "all"; how many.
  /// Errors: `not_found` (none of this id is open), `wrong_state` (a node has joined with it).
  outcome<std::size_t> take_back(std::string_view id, unix_time_us now);

  /// Drops what is expired; how many.
  std::size_t expire(unix_time_us now);
  void void_all() { records_.clear(); }

  std::vector<transport_key> allowed_keys(unix_time_us now) const;
  std::vector<open_invitation> open(unix_time_us now) const; ///< The one that expires first is first.
  std::vector<invitation_record> records() const; ///< By key.
  void restore(const std::vector<invitation_record>& records);

private:
  void drop_used();
  std::map<transport_key, invitation_record> records_;
};

} // namespace lucid
