// actors/replication/audit_part.cpp - a row for each holder, and the count by chunk.
#include "actors/replication/audit_part.hpp"

#include <algorithm>
#include <utility>

namespace lucid {

audit_part::audit_part(const replication_audit_request& asked, std::uint32_t chunk_count, const std::vector<chunk_mark>& page,
                       std::uint32_t wished)
  : tally_(page, wished) {
  answer_.session = asked.session;
  answer_.chunk_count = chunk_count;
  answer_.from = asked.from;
  answer_.next = asked.from + static_cast<std::uint32_t>(page.size());
  answer_.done = answer_.next >= chunk_count;
}

void audit_part::add_holder(const node_id& node, const std::string& name, std::vector<chunk_mark> held) {
  if (held.empty()) return;
  copy_audit row;
  row.node = node;
  row.name = name;
  row.held = static_cast<std::uint32_t>(held.size());
  answer_.copies.push_back(std::move(row));
  held_.push_back(std::move(held));
}

void audit_part::answered(std::size_t i, const outcome<replica_verify>& found) {
  auto& row = answer_.copies[i];
  ++answered_count_;
  if (!found) {
    row.failure = to_string(found.error());
    return tally_.unasked(held_[i]);
  }
  row.damaged = static_cast<std::uint32_t>(found->damaged.size());
  row.missing = static_cast<std::uint32_t>(found->missing.size());
  row.verified = row.held - std::min(row.held, row.damaged + row.missing);
  tally_.verified(held_[i], *found);
}

replication_audit audit_part::answer() const {
  auto all = answer_;
  all.short_count = tally_.short_count();
  return all;
}

} // namespace lucid
