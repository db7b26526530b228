// actors/mesh/membership_core.cpp - anti-entropy of list and statements.
#include "actors/mesh/membership_core.hpp"

#include <algorithm>
#include <tuple>

#include "actors/mesh/mesh_contexts.hpp"
#include "actors/mesh/node_identity.hpp"
#include "adapters/blake3/blake3_hasher.hpp"

namespace lucid {
namespace {

constexpr const char* who = "membership";

/// Whether they say the same, number, time and signature aside.
bool same_content(const node_statement& a, const node_statement& b) {
  return std::tie(a.box_key, a.transport, a.name, a.addresses, a.chunk_addresses, a.software) ==
         std::tie(b.box_key, b.transport, b.name, b.addresses, b.chunk_addresses, b.software);
}

void note(std::optional<error>& first, error problem) {
  if (!first) first = std::move(problem);
}

} // namespace

membership_core::membership_core(std::shared_ptr<const sign_key> self, member_list list, membership_options options)
    : sign_(std::move(self)), self_(node_id_of(sign_->public_key())), list_(std::move(list)), options_(options) {}

void membership_core::restore(const std::vector<node_statement>& statements) {
  for (auto& statement : statements) {
    auto id = subject_of(statement);
    if (id == self_) serial_seen_ = std::max(serial_seen_, statement.serial);
    if (!check_subject(statement)) continue;
    auto known = statement_of(id);
    if (!known || is_newer(statement, *known)) statements_[id] = statement;
  }
}

outcome<membership_effects> membership_core::announce(node_statement what, unix_time_us now) {
  membership_effects effects;
  if (auto known = statement_of(self_); known && same_content(*known, what) && known->serial == serial_seen_) return effects;
  if (auto listed = list_.find(self_); listed && listed->name != what.name)
    return fail(errc::invalid_input, who,
                "this node is listed as \"" + listed->name + "\" and cannot call itself \"" + what.name +
                  "\"; set node.name back, or remove it from the cluster and join again");
  what.serial = serial_seen_ + 1;
  what.time_us = now;
  auto signed_statement = sign_statement(std::move(what), *sign_);
  if (!signed_statement) return pass_on(std::move(signed_statement));
  serial_seen_ = signed_statement->serial;
  put_statement(*signed_statement, now, effects);
  tell_news(nullptr, effects);
  return effects;
}

outcome<membership_effects> membership_core::add_own(outcome<member_entry> entry) {
  if (!entry) return pass_on(std::move(entry));
  auto before = stand();
  auto merged = list_.merge({&*entry, 1});
  if (!merged.refused.empty()) return tl::unexpected(std::move(merged.refused.front()));
  membership_effects effects;
  effects.keep_entries = std::move(merged.added);
  settle(before, effects);
  return effects;
}

outcome<membership_effects> membership_core::admit(const node_statement& joiner, unix_time_us now) {
  auto id = subject_of(joiner);
  auto known = list_.find(id);
  outcome<membership_effects> effects{};
  // Asked again, since the answer was lost: admitted once is enough.
  if (!known || known->name != joiner.name) effects = add_own(list_.admission(joiner.sign_key, joiner.name, *sign_, now));
  if (!effects) return effects;
  auto had = statement_of(id);
  if (!had || is_newer(joiner, *had)) put_statement(joiner, now, *effects);
  tell_news(nullptr, *effects);
  return effects;
}

outcome<membership_effects> membership_core::remove(const node_id& subject, unix_time_us now) {
  auto effects = add_own(list_.removal(subject, *sign_, now));
  if (effects) tell_news(nullptr, *effects);
  return effects;
}

outcome<membership_effects> membership_core::admit_self(const std::string& name, unix_time_us now) {
  bool was_removed = std::ranges::any_of(list_.removed(), [&](auto& gone) { return gone.id == self_; });
  if (list_.is_member(self_) || was_removed) return membership_effects{};
  if (list_.find_name(name))
    return fail(errc::already_exists, who, "there is a member named \"" + name + "\" already; set another node.name");
  auto effects = add_own(admit_by_secret(list_.origin(), list_.version() + 1, name, *sign_, now));
  if (effects) tell_news(nullptr, *effects);
  return effects;
}

membership_core::received_effects membership_core::introduce(std::span<const member_entry> admission) {
  return introduce(membership_update{list_.origin().cluster_id, {admission.begin(), admission.end()}, {}}, 0);
}

membership_effects membership_core::link_up(const node_id& peer) {
  membership_effects effects;
  if (!list_.is_member(peer)) {
    effects.cut_off.push_back(peer);
    return effects;
  }
  linked_.insert(peer);
  effects.send.push_back({peer, summary()});
  return effects;
}

void membership_core::link_down(const node_id& peer) { linked_.erase(peer); }

membership_effects membership_core::heartbeat() {
  membership_effects effects;
  if (++heartbeats_ < options_.heartbeats_per_summary) return effects;
  heartbeats_ = 0;
  for (auto& peer : linked_) effects.send.push_back({peer, summary()});
  return effects;
}

membership_core::received_effects membership_core::receive(const node_id& from, const membership_message& message,
                                                           unix_time_us now) {
  received_effects result;
  if (!list_.is_member(from)) {
    ++counts_.not_from_member;
    note(result.refused, {errc::permission_denied, who, "a message of node " + short_id(from) + ", which is no member", nullptr});
    result.effects.cut_off.push_back(from);
    return result;
  }
  if (cluster_of(message) != list_.origin().cluster_id) {
    ++counts_.foreign_cluster;
    note(result.refused, {errc::protocol_violation, who, "node " + short_id(from) + " speaks of another cluster", nullptr});
    return result;
  }
  if (auto theirs = std::get_if<membership_summary>(&message)) answer_summary(from, *theirs, result.effects);
  if (auto theirs = std::get_if<membership_inventory>(&message)) answer_inventory(from, *theirs, result.effects);
  if (auto update = std::get_if<membership_update>(&message)) take(update->entries, update->statements, &from, now, result);
  return result;
}

void membership_core::take(std::span<const member_entry> entries, std::span<const node_statement> statements,
                           const node_id* from, unix_time_us now, received_effects& into) {
  auto before = stand();
  take_entries(entries, into);
  settle(before, into.effects);
  take_statements(statements, now, into);
  tell_news(from, into.effects);
}

membership_update membership_core::introduction() const {
  membership_update mine{list_.origin().cluster_id, {}, {}};
  for (auto& entry : list_.entries())
    if (entry.authority == entry_authority::shared_secret && entry.subject == self_) mine.entries.push_back(entry);
  if (auto own = statement_of(self_)) mine.statements.push_back(*own);
  return mine;
}

membership_core::received_effects membership_core::introduce(const membership_update& theirs, unix_time_us now) {
  received_effects result;
  if (theirs.cluster_id != list_.origin().cluster_id) {
    ++counts_.foreign_cluster;
    note(result.refused, {errc::protocol_violation, who, "a node introduces itself to another cluster", nullptr});
    return result;
  }
  std::vector<member_entry> entries;
  for (auto& entry : theirs.entries) {
    if (entry.authority == entry_authority::shared_secret) entries.push_back(entry);
    else {
      ++counts_.entries_refused;
      note(result.refused, {errc::permission_denied, who, "a node that introduces itself speaks for itself alone", nullptr});
    }
  }
  take(entries, theirs.statements, nullptr, now, result);
  return result;
}

void membership_core::take_entries(std::span<const member_entry> entries, received_effects& into) {
  auto merged = list_.merge(entries);
  counts_.entries_refused += merged.refused.size();
  if (!merged.refused.empty()) note(into.refused, std::move(merged.refused.front()));
  into.effects.keep_entries = std::move(merged.added);
}

void membership_core::take_statements(std::span<const node_statement> statements, unix_time_us now, received_effects& into) {
  for (auto& statement : statements) {
    if (subject_of(statement) == self_) {
      overtake_own(statement, now, into);
      continue;
    }
    if (auto good = check_subject(statement); !good) {
      ++counts_.statements_refused;
      note(into.refused, std::move(good).error());
      continue;
    }
    auto known = statement_of(subject_of(statement));
    if (!known || is_newer(statement, *known)) put_statement(statement, now, into.effects);
  }
}

/// Others have a statement of this node that it does not know: its data folder is older than it thinks. What it says now
/// must count, so it says it again with a higher number.
void membership_core::overtake_own(const node_statement& foreign, unix_time_us now, received_effects& into) {
  auto own = statement_of(self_);
  if (own && !is_newer(foreign, *own)) return;
  serial_seen_ = std::max(serial_seen_, foreign.serial);
  if (!own) return; // The next `announce` takes the number above.
  auto again = *own;
  again.serial = serial_seen_ + 1;
  again.time_us = now;
  auto signed_statement = sign_statement(std::move(again), *sign_);
  if (!signed_statement) {
    note(into.refused, std::move(signed_statement).error());
    return;
  }
  serial_seen_ = signed_statement->serial;
  // To its sender as well: it is the one that has the other.
  put_statement(*signed_statement, now, into.effects);
  for (auto& peer : linked_)
    into.effects.send.push_back({peer, membership_update{list_.origin().cluster_id, {}, {*signed_statement}}});
}

outcome<void> membership_core::check_subject(const node_statement& statement) const {
  auto id = subject_of(statement);
  auto listed = list_.find(id);
  if (!listed) return fail(errc::permission_denied, who, "a statement of node " + short_id(id) + ", which is no member");
  if (listed->name != statement.name)
    return fail(errc::invalid_input, who, "node \"" + listed->name + "\" calls itself \"" + statement.name + "\"");
  return {};
}

void membership_core::put_statement(const node_statement& statement, unix_time_us now, membership_effects& effects) {
  auto id = subject_of(statement);
  auto known = statements_.find(id);
  bool other_key = known == statements_.end() || known->second.transport != statement.transport;
  if (known != statements_.end() && other_key) replaced_[id] = {known->second.transport, now + options_.previous_key_us};
  statements_[id] = statement;
  effects.keep_statements.push_back(statement);
  effects.members_changed = true;
  if (other_key && id != self_) effects.keys_changed = true;
}

/// What follows from a changed list.
void membership_core::settle(const standing& before, membership_effects& effects) {
  if (list_.members() == before.members) return;
  effects.members_changed = true;
  for (auto& member : before.members) {
    if (list_.is_member(member.id)) continue;
    if (member.id != self_) {
      effects.cut_off.push_back(member.id);
      effects.keys_changed = true;
    }
  }
  // Also of those that are listed under another name now: elsewhere their statements are refused, so all must drop them.
  std::erase_if(statements_, [&](auto& kept) {
    if (check_subject(kept.second)) return false;
    effects.forget_statements.push_back(kept.first);
    effects.keys_changed = true;
    replaced_.erase(kept.first);
    return true;
  });
  effects.removed_self = before.is_member && !list_.is_member(self_);
}

/// What is new, to all linked peers but the one it came from. Those that were just removed hear of it too.
void membership_core::tell_news(const node_id* but, membership_effects& effects) const {
  auto updates = updates_of(list_.origin().cluster_id, effects.keep_entries, effects.keep_statements);
  for (auto& peer : linked_) {
    if (but && peer == *but) continue;
    for (auto& update : updates) effects.send.push_back({peer, update});
  }
}

membership_inventory membership_core::inventory(bool answer) const {
  membership_inventory mine{list_.origin().cluster_id, list_.hashes(), {}, answer};
  for (auto& [id, statement] : statements_) mine.statements.push_back({id, statement.serial, hash_of(statement)});
  return mine;
}

void membership_core::answer_summary(const node_id& from, const membership_summary& theirs, membership_effects& effects) const {
  if (theirs != summary()) effects.send.push_back({from, inventory(false)});
}

void membership_core::answer_inventory(const node_id& from, const membership_inventory& theirs,
                                       membership_effects& effects) const {
  std::vector<member_entry> entries;
  std::vector<node_statement> statements;
  for (auto& entry : list_.entries())
    if (!std::ranges::binary_search(theirs.entries, hash_of(entry))) entries.push_back(entry);
  for (auto& [id, statement] : statements_) {
    auto known = std::ranges::lower_bound(theirs.statements, id, {}, &known_statement::id);
    bool has_one = known != theirs.statements.end() && known->id == id;
    bool mine_is_newer = !has_one || std::pair(statement.serial, hash_of(statement)) > std::pair(known->serial, known->hash);
    if (mine_is_newer) statements.push_back(statement);
  }
  for (auto& update : updates_of(list_.origin().cluster_id, entries, statements)) effects.send.push_back({from, update});
  // Theirs may have what is missing here; an answer is not answered again.
  if (!theirs.answer) effects.send.push_back({from, inventory(true)});
}

std::vector<allowed_key> membership_core::allowed_keys(unix_time_us now) const {
  std::vector<allowed_key> keys;
  for (auto& [id, statement] : statements_) {
    if (id == self_ || !list_.is_member(id)) continue;
    keys.push_back({statement.transport, id, false});
    auto old = replaced_.find(id);
    if (old != replaced_.end() && now < old->second.until_us) keys.push_back({old->second.key, id, true});
  }
  return keys;
}

const node_statement* membership_core::statement_of(const node_id& id) const noexcept {
  auto at = statements_.find(id);
  return at == statements_.end() ? nullptr : &at->second;
}

std::vector<node_statement> membership_core::statements() const {
  std::vector<node_statement> all;
  for (auto& [id, statement] : statements_) all.push_back(statement);
  return all;
}

membership_summary membership_core::summary() const {
  blake3_hasher hasher(contexts::statement_set);
  for (auto& [id, statement] : statements_) hasher.update(hash_of(statement));
  return {list_.origin().cluster_id, list_.version(), list_.set_digest(), hasher.finish()};
}

} // namespace lucid
