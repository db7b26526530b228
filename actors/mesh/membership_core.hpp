// actors/mesh/membership_core.hpp - keeps list and statements the same on all members, and says who may connect; pure.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>

#include "actors/mesh/membership_message.hpp"

namespace lucid {

struct membership_options {
  std::uint32_t heartbeats_per_summary = 4;               ///< 1 or more.
  std::int64_t previous_key_us = 24ll * 3600 * 1'000'000; ///< How long a replaced transport key may still connect.
};

/// One message for one peer.
struct membership_send {
  node_id to{};
  membership_message what;
};

/// What is to be done after an input, in the order of the members.
struct membership_effects {
  std::vector<member_entry> keep_entries;         ///< To be on disk before anything in `send` leaves.
  std::vector<node_statement> keep_statements;    ///< The same; each replaces the node's older one.
  std::vector<node_id> forget_statements;         ///< Of nodes that are no members any more.
  std::vector<membership_send> send;
  std::vector<node_id> cut_off;                   ///< Links to end now: no member any more. It was told in `send`.
  bool keys_changed = false;                      ///< allowed_keys() answers something else.
  bool members_changed = false;                   ///< list().members() or a statement of theirs.
  bool removed_self = false;                      ///< This node is a member no longer. Invitations are void.
};

struct allowed_key {
  transport_key key{};
  node_id id{};
  bool previous = false; ///< Was replaced, and may connect for a while.
  friend bool operator==(const allowed_key&, const allowed_key&) = default;
};

/// What was refused, by kind; for the console.
struct membership_counts {
  std::uint64_t entries_refused = 0;
  std::uint64_t statements_refused = 0;
  std::uint64_t foreign_cluster = 0;  ///< Messages that name another cluster.
  std::uint64_t not_from_member = 0;  ///< Messages of nodes that are no members.
};

/// Anti-entropy: on link up and every few heartbeats a summary; if it differs both sides name what they have and send what
/// the other lacks. What is new is passed on at once to all linked peers but its sender, so a removal is everywhere within
/// a few round trips.
///
/// Errors are counted, and told as values for the log; a refused input changes nothing.
/// Threads: none. One owner calls it.
class membership_core {
public:
  /// REQUIRES: `self` signed nothing for another node.
  membership_core(std::shared_ptr<const sign_key> self, member_list list, membership_options options = {});

  /// What was on disk. Statements of nodes that are no members are left out.
  void restore(const std::vector<node_statement>& statements);

  /// This node's statement in a new version: `what` without serial, key and signature. Unchanged ones are not made anew.
  /// Errors: those of sign_statement, `limit_exceeded`.
  outcome<membership_effects> announce(node_statement what, unix_time_us now);

  /// Errors: those of member_list.
  outcome<membership_effects> admit(const node_statement& joiner, unix_time_us now);
  outcome<membership_effects> remove(const node_id& subject, unix_time_us now);
  /// For clusters formed by files: admits this node by the secret; nothing if it is a member or was removed.
  outcome<membership_effects> admit_self(const std::string& name, unix_time_us now);

  /// As introduce() below, without a statement. A node that was removed knows the secret still: were more than admissions by
  /// the secret taken from it, it could bring in removals made up with old numbers.
  struct received_effects;
  received_effects introduce(std::span<const member_entry> admission);

  membership_effects link_up(const node_id& peer);
  void link_down(const node_id& peer);
  membership_effects heartbeat();

  struct received_effects {
    membership_effects effects;
    std::optional<error> refused; ///< The first thing that was, for the log; counts() has all.
  };
  received_effects receive(const node_id& from, const membership_message& message, unix_time_us now);

  /// For clusters formed by files, where members first meet without being on each other's list: what this node says of
  /// itself, and what is made of what another says over a connection with the secret's keys. Only admissions by the secret
  /// are taken from it; if its sender is no member then, it was removed.
  membership_update introduction() const;
  received_effects introduce(const membership_update& theirs, unix_time_us now);

  /// Of members with a statement, this node not among them. Previous ones until their time is over.
  std::vector<allowed_key> allowed_keys(unix_time_us now) const;

  const member_list& list() const noexcept { return list_; }
  const node_id& self() const noexcept { return self_; }
  const node_statement* statement_of(const node_id& id) const noexcept;
  std::vector<node_statement> statements() const; ///< By id.
  membership_summary summary() const;
  const membership_counts& counts() const noexcept { return counts_; }

private:
  struct replaced_key {
    transport_key key{};
    unix_time_us until_us = 0;
  };
  struct standing { ///< Before an input.
    std::vector<listed_member> members;
    bool is_member = false;
  };
  standing stand() const { return {list_.members(), list_.is_member(self_)}; }
  outcome<membership_effects> add_own(outcome<member_entry> entry);
  outcome<void> check_subject(const node_statement& statement) const;
  void put_statement(const node_statement& statement, unix_time_us now, membership_effects& effects);
  void take(std::span<const member_entry> entries, std::span<const node_statement> statements, const node_id* from,
            unix_time_us now, received_effects& into);
  void take_entries(std::span<const member_entry> entries, received_effects& into);
  void take_statements(std::span<const node_statement> statements, unix_time_us now, received_effects& into);
  void overtake_own(const node_statement& foreign, unix_time_us now, received_effects& into);
  void settle(const standing& before, membership_effects& effects);
  void tell_news(const node_id* but, membership_effects& effects) const;
  membership_inventory inventory(bool answer) const;
  void answer_summary(const node_id& from, const membership_summary& theirs, membership_effects& effects) const;
  void answer_inventory(const node_id& from, const membership_inventory& theirs, membership_effects& effects) const;

  std::shared_ptr<const sign_key> sign_;
  node_id self_{};
  member_list list_;
  membership_options options_;
  std::map<node_id, node_statement> statements_;
  std::map<node_id, replaced_key> replaced_;
  std::set<node_id> linked_;
  std::uint64_t serial_seen_ = 0; ///< Of this node's statements, wherever they came from.
  std::uint32_t heartbeats_ = 0;
  membership_counts counts_;
};

} // namespace lucid
