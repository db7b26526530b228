// actors/mesh/member_list.cpp - merging entries, and what follows from them.
#include "actors/mesh/member_list.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include "actors/mesh/bounded_codec.hpp"
#include "actors/mesh/mesh_contexts.hpp"
#include "actors/mesh/node_identity.hpp"
#include "adapters/blake3/blake3_hasher.hpp"

namespace lucid {
namespace {

constexpr const char* who = "membership";
constexpr std::uint8_t format_version = 1;

/// Only members that quarrel on purpose come near it. What stands then is still the same on every node.
constexpr std::uint32_t evaluation_passes_max = 256;

/// An entry with its author's id, worked out once.
struct ordered_entry {
  const member_entry* entry = nullptr;
  digest hash{};
  node_id author{};
};

/// What the entries come to, given which admissions are undone and which removals are passed over.
class evaluation {
public:
  using indexes = std::set<std::size_t>;

  evaluation(const std::vector<ordered_entry>& entries, const indexes& undone, const indexes& passed_over)
      : entries_(entries), undone_(undone), passed_over_(passed_over) {}

  /// Goes through all entries in order. `newly_undone` is what a removal undoes that had counted before it: the
  /// evaluation then stops, to be made anew.
  void run(indexes& newly_undone) {
    for (std::size_t i = 0; i < entries_.size() && newly_undone.empty(); ++i) {
      auto& entry = *entries_[i].entry;
      if (entry.kind == entry_kind::admit) admit(i, entry);
      else if (!passed_over_.contains(i)) remove(i, entry, newly_undone);
    }
  }

  const std::map<node_id, listed_member>& members() const noexcept { return members_; }
  /// The members in the order in which they came in.
  const std::map<std::size_t, node_id>& in_order() const noexcept { return in_order_; }
  const std::map<node_id, removed_member>& removed() const noexcept { return removed_; }
  const indexes& admissions() const noexcept { return counted_; } ///< Those that count.
  const indexes& removals() const noexcept { return removals_; }  ///< The same.

private:
  void admit(std::size_t i, const member_entry& entry) {
    auto& author = entries_[i].author;
    bool by_member = entry.authority == entry_authority::member;
    if (by_member ? !members_.contains(author) : removed_.contains(author)) return;
    if (undone_.contains(i) || members_.contains(entry.subject)) return;
    members_[entry.subject] = {entry.subject, entry.subject_key, entry.name, author, entries_[i].hash, entry.time_us};
    in_order_.insert_or_assign(i, entry.subject);
    counted_.insert(i);
  }

  void remove(std::size_t i, const member_entry& entry, indexes& newly_undone) {
    auto& author = entries_[i].author;
    auto subject = members_.find(entry.subject);
    if (!members_.contains(author) || subject == members_.end()) return;
    removals_.insert(i);
    auto honoured = [&](std::size_t at) { return std::ranges::binary_search(entry.honoured, entries_[at].hash); };
    for (std::size_t before = 0; before < i; ++before) {
      auto& earlier = *entries_[before].entry;
      bool its_own = earlier.kind == entry_kind::admit && earlier.authority == entry_authority::member &&
                     entries_[before].author == entry.subject;
      if (its_own && counted_.contains(before) && !honoured(before)) newly_undone.insert(before);
    }
    removed_[entry.subject] = {entry.subject, subject->second.name, author, entry.time_us};
    std::erase_if(in_order_, [&](auto& m) { return m.second == entry.subject; });
    members_.erase(subject);
  }

  const std::vector<ordered_entry>& entries_;
  const indexes& undone_;
  const indexes& passed_over_;
  indexes counted_;
  indexes removals_;
  std::map<node_id, listed_member> members_;
  std::map<std::size_t, node_id> in_order_;
  std::map<node_id, removed_member> removed_; ///< Ever.
};

} // namespace

outcome<void> member_list::may_hold(const member_entry& entry) const {
  auto removal_count = set_.size() - admission_count_;
  auto count = entry.kind == entry_kind::admit ? admission_count_ : removal_count;
  if (count < cluster_entries_max) return {};
  return fail(errc::limit_exceeded, who,
              "the list holds " + std::to_string(cluster_entries_max) +
                " entries of this kind already; more nodes need a new cluster");
}

merge_result member_list::merge(std::span<const member_entry> entries) {
  merge_result result;
  for (auto& entry : entries) {
    auto hash = hash_of(entry);
    if (by_hash_.contains(hash)) continue;
    auto good = verify_entry(entry, origin_);
    if (good) good = may_hold(entry);
    if (!good) {
      result.refused.push_back(std::move(good).error());
      continue;
    }
    place at{entry.serial, entry.kind, hash};
    set_.emplace(at, entry);
    by_hash_.emplace(hash, at);
    if (entry.kind == entry_kind::admit) ++admission_count_;
    result.added.push_back(entry);
  }
  if (!result.added.empty()) evaluate();
  return result;
}

/// Made anew until nothing changes: with each admission that a removal undoes, and with each removal whose author turns out
/// to be no member. Both sets only grow within their loops, so both loops end.
void member_list::evaluate() {
  std::vector<ordered_entry> ordered;
  ordered.reserve(set_.size());
  for (auto& [at, entry] : set_) ordered.push_back({&entry, at.hash, node_id_of(entry.author)});
  evaluation::indexes passed_over;
  std::uint32_t passes = 0;
  while (true) {
    evaluation::indexes undone, seen;
    std::optional<evaluation> last;
    for (evaluation::indexes more;; more.clear()) {
      ++passes;
      last.emplace(ordered, undone, passed_over).run(more);
      seen.insert(last->removals().begin(), last->removals().end());
      if (more.empty() || passes >= evaluation_passes_max) break;
      undone.insert(more.begin(), more.end());
    }
    // A removal that counted and does no longer fell with its author's admission: so does what it undid. The last one in
    // order goes first, since what undoes an admission stands behind it: the others may then count after all. One that
    // does not honour the way its own author came in falls by itself.
    evaluation::indexes fallen;
    std::ranges::set_difference(seen, last->removals(), std::inserter(fallen, fallen.end()));
    if (!fallen.empty() && passes < evaluation_passes_max) {
      passed_over.insert(*fallen.rbegin());
      continue;
    }
    members_.clear();
    unlisted_.clear();
    removed_.clear();
    admissions_.clear();
    // Names and room are looked at last, since they must not decide who may remove whom: else an entry made up later could
    // take a name, with it the right of who bears it, and so a removal.
    std::set<std::string_view> names;
    for (auto& [i, id] : last->in_order()) {
      auto& member = last->members().at(id);
      bool listed = members_.size() < cluster_members_max && names.insert(member.name).second;
      (listed ? members_ : unlisted_).push_back(member);
    }
    std::ranges::sort(members_, {}, &listed_member::id);
    std::ranges::sort(unlisted_, {}, &listed_member::id);
    for (auto i : last->admissions())
      if (ordered[i].entry->authority == entry_authority::member) admissions_[ordered[i].author].push_back(ordered[i].hash);
    for (auto& [id, gone] : last->removed())
      if (!last->members().contains(id)) removed_.push_back(gone);
    return;
  }
}

std::string member_list::cluster_name() const {
  if (!origin_.name.empty()) return origin_.name;
  for (auto& [at, entry] : set_)
    if (entry.authority == entry_authority::founder) return entry.cluster_name;
  return {};
}

std::uint64_t member_list::version() const noexcept { return set_.empty() ? 0 : set_.rbegin()->first.serial; }

digest member_list::set_digest() const {
  blake3_hasher hasher(contexts::member_set);
  for (auto& [at, entry] : set_) hasher.update(at.hash);
  return hasher.finish();
}

const listed_member* member_list::find(const node_id& id) const noexcept {
  auto at = std::ranges::lower_bound(members_, id, {}, &listed_member::id);
  return at != members_.end() && at->id == id ? &*at : nullptr;
}

const listed_member* member_list::find_name(std::string_view name) const noexcept {
  auto at = std::ranges::find(members_, name, &listed_member::name);
  return at != members_.end() ? &*at : nullptr;
}

std::vector<member_entry> member_list::entries() const {
  std::vector<member_entry> all;
  all.reserve(set_.size());
  for (auto& [at, entry] : set_) all.push_back(entry);
  return all;
}

std::vector<digest> member_list::hashes() const {
  std::vector<digest> all;
  all.reserve(by_hash_.size());
  for (auto& [hash, at] : by_hash_) all.push_back(hash);
  return all;
}

const member_entry* member_list::entry(const digest& hash) const noexcept {
  auto at = by_hash_.find(hash);
  return at == by_hash_.end() ? nullptr : &set_.find(at->second)->second;
}

outcome<member_entry> member_list::admission(const sign_public_key& subject, const std::string& name, const sign_key& by,
                                             unix_time_us now) const {
  auto id = node_id_of(subject);
  if (!is_member(node_id_of(by.public_key())))
    return fail(errc::permission_denied, who, "this node is no member of the cluster, so it cannot admit one");
  if (auto known = find(id))
    return fail(errc::already_exists, who, "this node is a member already, as \"" + known->name + "\"");
  if (std::ranges::find(unlisted_, id, &listed_member::id) != unlisted_.end())
    return fail(errc::already_exists, who,
                "this node was admitted under a name that another one has; remove it first: lucid cluster remove " +
                  short_id(id));
  if (find_name(name))
    return fail(errc::already_exists, who,
                "there is a member named \"" + name +
                  "\" already; set another node.name on the node that joins, or remove the other one first");
  if (members_.size() >= cluster_members_max)
    return fail(errc::limit_exceeded, who, "a cluster has at most " + std::to_string(cluster_members_max) + " members");
  auto mine = admissions_.find(node_id_of(by.public_key()));
  if (mine != admissions_.end() && mine->second.size() >= removal_honours_max)
    return fail(errc::limit_exceeded, who,
                "this node has admitted " + std::to_string(removal_honours_max) +
                  " others already; admit this one on another member");
  auto entry = admit_by_member(origin_.cluster_id, version() + 1, subject, name, by, now);
  if (!entry) return entry;
  if (auto room = may_hold(*entry); !room) return pass_on(std::move(room));
  return entry;
}

outcome<member_entry> member_list::removal(const node_id& subject, const sign_key& by, unix_time_us now) const {
  if (!is_member(node_id_of(by.public_key())))
    return fail(errc::permission_denied, who, "this node is no member of the cluster, so it cannot remove one");
  bool unlisted = std::ranges::find(unlisted_, subject, &listed_member::id) != unlisted_.end();
  if (!is_member(subject) && !unlisted)
    return fail(errc::not_found, who, "there is no such member; `lucid cluster members` lists them");
  // Whoever is a member now stays one: removing a node is no verdict on those that it admitted. Admissions of nodes that
  // have left count too: what those decided while they were members rests on them.
  std::vector<digest> honoured;
  if (auto its = admissions_.find(subject); its != admissions_.end()) honoured = its->second;
  if (honoured.size() > removal_honours_max) honoured.resize(removal_honours_max);
  auto entry = remove_by_member(origin_.cluster_id, version() + 1, subject, std::move(honoured), by, now);
  if (!entry) return entry;
  if (auto room = may_hold(*entry); !room) return pass_on(std::move(room));
  return entry;
}

byte_buffer member_list::encode() const {
  bounded_writer out;
  out.put(format_version).put(static_cast<std::uint32_t>(set_.size()));
  for (auto& [at, entry] : set_) out.put_sized<std::uint16_t>(encode_member_entry(entry));
  return out.take();
}

outcome<member_list> member_list::decode(byte_view bytes, cluster_origin origin) {
  if (bytes.size() > member_list_bytes_max) return fail(errc::limit_exceeded, who, "it is longer than a list may be");
  bounded_reader in(bytes, who);
  if (auto version = in.get<std::uint8_t>(); in.good() && version != format_version)
    in.refuse(errc::unsupported, "version " + std::to_string(version) + " of a list, this build reads version 1");
  auto count = in.get_count<std::uint32_t>(2 * cluster_entries_max, "entries");
  std::vector<member_entry> entries;
  for (std::size_t i = 0; i < count && in.good(); ++i) {
    auto entry = decode_member_entry(in.get_sized<std::uint16_t>(member_entry_bytes_max, "entry"));
    if (in.good() && !entry) return pass_on(std::move(entry));
    if (entry) entries.push_back(std::move(*entry));
  }
  if (auto whole = in.finish(); !whole) return pass_on(std::move(whole));
  member_list list(std::move(origin));
  auto merged = list.merge(entries);
  if (!merged.refused.empty()) return tl::unexpected(std::move(merged.refused.front()));
  auto in_order = list.entries();
  if (in_order != entries) return fail(errc::invalid_input, who, "the entries are not in order, or one stands twice");
  return list;
}

} // namespace lucid
