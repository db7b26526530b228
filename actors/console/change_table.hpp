// actors/console/change_table.hpp - what changed in a list of things since somebody last looked.
//
// A page that watches 10,000 actors is told the members that changed, not the list. Pages look at different times, so
// each member of each row remembers in which version it last changed, and one table serves all of them: what a page
// has not seen is what is newer than the version it was last told.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "actors/console/json_text.hpp"

namespace lucid {

/// One member of a row: how to see that it changed, and how it is written.
template <class Row>
struct row_member {
  const char* name;
  bool (*is_same)(const Row&, const Row&);
  void (*write)(const Row&, std::string& json); ///< Appends the value as JSON.
  bool (*has)(const Row&) = nullptr;            ///< Whether a row has it at all, which does not change; null: every row.

  bool is_of(const Row& row) const { return !has || has(row); }
};

/// `row` as a JSON object.
template <class Row>
void write_row(std::span<const row_member<Row>> members, const Row& row, std::string& json) {
  json.push_back('{');
  for (auto& member : members) {
    if (!member.is_of(row)) continue;
    write_name(member.name, json);
    member.write(row, json);
  }
  json.push_back('}');
}

/// Rows by key, each member with the version of its last change.
///
/// Memory: the rows, 8 bytes a member, and the keys of the last `gone_count_max` rows that went.
/// Threads: none; one owner. `members` must outlive it.
template <class Row>
class change_table {
public:
  static constexpr std::size_t gone_count_max = 4096;

  change_table(std::span<const row_member<Row>> members, std::string (*key_of)(const Row&))
    : members_(members), key_of_(key_of) {}

  /// The present rows, in any order. Of two with the same key the first counts.
  void update(std::vector<Row> rows);

  /// Rises with every update that changed something. 0: nothing was ever told of.
  std::uint64_t version() const noexcept { return version_; }
  std::size_t size() const noexcept { return entries_.size(); }

  /// What is newer than `seen`: `"full":false,"set":{KEY:{MEMBERS}},"gone":[KEYS]`; none if nothing is. Everything for 0,
  /// and for a version so old that rows have been forgotten since.
  std::optional<std::string> since(std::uint64_t seen) const;

private:
  struct entry {
    std::string key;
    Row row;
    std::vector<std::uint64_t> changed; // A version for each member.
  };
  struct departed {
    std::uint64_t version;
    std::string key;
  };

  std::vector<std::pair<std::string, Row>> by_key(std::vector<Row> rows) const;
  bool note_changes(entry& known, const Row& news, std::uint64_t version) const;
  void note_gone(entry& gone, std::uint64_t version);
  bool has(const std::string& key) const;
  bool write_changes(const entry& e, std::uint64_t seen, std::string& json) const;

  std::span<const row_member<Row>> members_;
  std::string (*key_of_)(const Row&);
  std::vector<entry> entries_; // By key.
  std::deque<departed> gone_;  // Oldest first.
  std::uint64_t version_ = 0;
  std::uint64_t forgotten_ = 0; // Up to here rows may have gone that `gone_` does not name.
};

// --- implementation ---

template <class Row>
std::vector<std::pair<std::string, Row>> change_table<Row>::by_key(std::vector<Row> rows) const {
  std::vector<std::pair<std::string, Row>> keyed;
  keyed.reserve(rows.size());
  for (auto& row : rows) keyed.emplace_back(key_of_(row), std::move(row));
  auto less = [](const auto& a, const auto& b) { return a.first < b.first; };
  if (!std::is_sorted(keyed.begin(), keyed.end(), less)) std::stable_sort(keyed.begin(), keyed.end(), less);
  auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
  keyed.erase(std::unique(keyed.begin(), keyed.end(), same), keyed.end());
  return keyed;
}

template <class Row>
void change_table<Row>::update(std::vector<Row> rows) {
  auto next_version = version_ + 1;
  bool changed = version_ == 0;
  std::vector<entry> next;
  next.reserve(rows.size());
  auto old = entries_.begin();
  for (auto& [key, row] : by_key(std::move(rows))) {
    for (; old != entries_.end() && old->key < key; ++old, changed = true) note_gone(*old, next_version);
    if (old != entries_.end() && old->key == key) {
      if (note_changes(*old, row, next_version)) {
        old->row = std::move(row);
        changed = true;
      }
      next.push_back(std::move(*old++));
    } else {
      next.push_back({std::move(key), std::move(row), std::vector<std::uint64_t>(members_.size(), next_version)});
      changed = true;
    }
  }
  for (; old != entries_.end(); ++old, changed = true) note_gone(*old, next_version);
  entries_ = std::move(next);
  if (changed) version_ = next_version;
}

template <class Row>
bool change_table<Row>::note_changes(entry& known, const Row& news, std::uint64_t version) const {
  bool changed = false;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].is_same(known.row, news)) continue;
    known.changed[i] = version;
    changed = true;
  }
  return changed;
}

template <class Row>
void change_table<Row>::note_gone(entry& gone, std::uint64_t version) {
  gone_.push_back({version, std::move(gone.key)});
  if (gone_.size() <= gone_count_max) return;
  forgotten_ = gone_.front().version;
  gone_.pop_front();
}

template <class Row>
bool change_table<Row>::has(const std::string& key) const {
  auto found = std::lower_bound(entries_.begin(), entries_.end(), key,
                                [](const entry& e, const std::string& k) { return e.key < k; });
  return found != entries_.end() && found->key == key;
}

template <class Row>
bool change_table<Row>::write_changes(const entry& e, std::uint64_t seen, std::string& json) const {
  bool any = false;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (e.changed[i] <= seen || !members_[i].is_of(e.row)) continue;
    if (!std::exchange(any, true)) {
      write_name(e.key, json);
      json.push_back('{');
    }
    write_name(members_[i].name, json);
    members_[i].write(e.row, json);
  }
  if (any) json.push_back('}');
  return any;
}

template <class Row>
std::optional<std::string> change_table<Row>::since(std::uint64_t seen) const {
  bool full = seen == 0 || seen < forgotten_;
  if (full) seen = 0;
  bool any = full;
  std::string json = full ? "\"full\":true,\"set\":{" : "\"full\":false,\"set\":{";
  for (auto& e : entries_)
    if (write_changes(e, seen, json)) any = true;
  json += "},\"gone\":[";
  for (auto& [version, key] : gone_) {
    if (full || version <= seen || has(key)) continue;
    separate(json);
    write_json(key, json);
    any = true;
  }
  json.push_back(']');
  if (!any) return {};
  return json;
}

} // namespace lucid
