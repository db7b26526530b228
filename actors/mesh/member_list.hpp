// actors/mesh/member_list.hpp - the cluster's members, as they follow from a set of signed entries; pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "actors/mesh/member_entry.hpp"

namespace lucid {

/// Of each kind, so that admissions cannot crowd out a removal.
inline constexpr std::size_t cluster_entries_max = 1024;
inline constexpr std::size_t member_list_bytes_max = 16u << 20;

struct listed_member {
  node_id id{};
  sign_public_key sign_key{};
  std::string name;
  node_id admitted_by{};      ///< Itself: the founder, or by the secret.
  digest admission{};         ///< Hash of the entry that admitted it.
  unix_time_us since_us = 0;
  friend bool operator==(const listed_member&, const listed_member&) = default;
};

struct removed_member {
  node_id id{};
  std::string name;
  node_id removed_by{};
  unix_time_us since_us = 0;
  friend bool operator==(const removed_member&, const removed_member&) = default;
};

/// What a merge changed.
struct merge_result {
  std::vector<member_entry> added;
  std::vector<error> refused; ///< One for each entry that was; the others were taken.
};

/// A set of entries that only grows. Merging is commutative, associative and idempotent, and who is a member is a
/// function of the set alone, so nodes that have seen the same entries agree.
///
/// Entries count in the order of (serial, admissions before removals, hash):
/// - An admission counts if its author is a member at that place and the subject is none. By the secret: if the subject
///   was never removed.
/// - A removal counts if its author and its subject are members at that place. It also undoes the subject's admissions
///   before it, but for those it honours, and with them what was decided by those who are no members in consequence. So
///   nothing that a removed node admits afterwards, with whatever number, has an effect.
///
/// Of members with equal names the first in order is listed, and no more than cluster_members_max are.
///
/// What no rule can tell apart is a removal made before its author was removed and one made up later with an old number: of
/// two nodes that remove each other the first in order stays. Removed nodes are cut off, so that such an entry would need
/// a member to bring it in.
///
/// Threads: none. One owner calls it.
/// Source: docs/mesh.md, "List of members".
class member_list {
public:
  explicit member_list(cluster_origin origin) : origin_(std::move(origin)) {}

  /// Takes what is sound and new. Each entry is verified first.
  merge_result merge(std::span<const member_entry> entries);

  const cluster_origin& origin() const noexcept { return origin_; }
  std::string cluster_name() const;

  std::uint64_t version() const noexcept;  ///< The highest serial; 0 without entries.
  digest set_digest() const;               ///< Of the hashes of all entries, in order.

  const std::vector<listed_member>& members() const noexcept { return members_; }   ///< By id.
  /// By id; would be members, but for a name that another one has, or for want of room. They may not connect.
  const std::vector<listed_member>& unlisted() const noexcept { return unlisted_; }
  const std::vector<removed_member>& removed() const noexcept { return removed_; }  ///< By id; members again are not among them.
  const listed_member* find(const node_id& id) const noexcept;
  const listed_member* find_name(std::string_view name) const noexcept;
  bool is_member(const node_id& id) const noexcept { return find(id) != nullptr; }

  std::vector<member_entry> entries() const; ///< In order.
  std::size_t entry_count() const noexcept { return set_.size(); }
  std::vector<digest> hashes() const;        ///< Ascending.
  const member_entry* entry(const digest& hash) const noexcept;

  /// Entries for `merge`, with the next serial. Errors: `permission_denied` if `by` is no member, `already_exists` (name
  /// or node), `not_found`, `limit_exceeded`, `invalid_input`.
  outcome<member_entry> admission(const sign_public_key& subject, const std::string& name, const sign_key& by,
                                  unix_time_us now) const;
  outcome<member_entry> removal(const node_id& subject, const sign_key& by, unix_time_us now) const;

  byte_buffer encode() const;
  /// All or nothing: bytes with one entry that is refused are refused. Errors: those of decode_member_entry, verify_entry.
  static outcome<member_list> decode(byte_view bytes, cluster_origin origin);

private:
  struct place {
    std::uint64_t serial = 0;
    entry_kind kind = entry_kind::admit;
    digest hash{};
    auto operator<=>(const place&) const = default;
  };
  outcome<void> may_hold(const member_entry& entry) const;
  void evaluate();

  cluster_origin origin_;
  std::map<place, member_entry> set_;
  std::map<digest, place> by_hash_;
  std::size_t admission_count_ = 0;
  std::map<node_id, std::vector<digest>> admissions_; ///< That count, by author.
  std::vector<listed_member> members_;
  std::vector<listed_member> unlisted_;
  std::vector<removed_member> removed_;
};

} // namespace lucid
