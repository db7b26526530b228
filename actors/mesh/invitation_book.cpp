// actors/mesh/invitation_book.cpp - issue, redeem once, expire.
#include "actors/mesh/invitation_book.hpp"

#include <algorithm>

namespace lucid {
namespace {

constexpr const char* who = "invitation";
constexpr std::int64_t second_us = 1'000'000;

} // namespace

outcome<invitation> invitation_book::issue(invitation of, std::int64_t valid_us, unix_time_us now, random_port& random) {
  if (valid_us < valid_us_min || valid_us > valid_us_max)
    return fail(errc::invalid_input, who, "an invitation is valid for 1 minute to 30 days");
  expire(now);
  auto open = std::ranges::count_if(records_, [](auto& r) { return !r.second.used_by; });
  if (static_cast<std::size_t>(open) >= open_max)
    return fail(errc::busy, who,
                "there are " + std::to_string(open_max) + " open invitations already; wait until one is used or expires");
  random.fill(of.token);
  // Rounded up to whole seconds, as the text has them.
  of.expires_us = (now + valid_us + second_us - 1) / second_us * second_us;
  if (auto text = invitation_text(of); !text) return pass_on(std::move(text));
  else wipe(*text);
  auto key = joining_key(of);
  records_[key] = {key, now, of.expires_us, std::nullopt};
  return of;
}

const invitation_record* invitation_book::find(const transport_key& key, unix_time_us now) const {
  auto at = records_.find(key);
  return at != records_.end() && now < at->second.expires_us ? &at->second : nullptr;
}

outcome<void> invitation_book::redeem(const transport_key& key, const node_id& joiner, unix_time_us now) {
  auto at = records_.find(key);
  if (at == records_.end()) return fail(errc::not_found, who, "this invitation is not, or no longer, valid here");
  auto& record = at->second;
  if (now >= record.expires_us) return fail(errc::timeout, who, "this invitation has expired; ask for a new one");
  if (record.used_by && *record.used_by != joiner)
    return fail(errc::already_exists, who, "another node has joined with this invitation; each one is for one node");
  record.used_by = joiner;
  drop_used();
  return {};
}

void invitation_book::drop_used() {
  auto used = [](auto& r) { return r.second.used_by.has_value(); };
  while (static_cast<std::size_t>(std::ranges::count_if(records_, used)) > used_max) {
    auto first = records_.end();
    for (auto at = records_.begin(); at != records_.end(); ++at)
      if (used(*at) && (first == records_.end() || at->second.expires_us < first->second.expires_us)) first = at;
    records_.erase(first);
  }
}

std::size_t invitation_book::expire(unix_time_us now) {
  return std::erase_if(records_, [&](auto& r) { return now >= r.second.expires_us; });
}

std::vector<transport_key> invitation_book::allowed_keys(unix_time_us now) const {
  std::vector<transport_key> keys;
  for (auto& [key, record] : records_)
    if (now < record.expires_us) keys.push_back(key);
  return keys;
}

std::vector<invitation_record> invitation_book::records() const {
  std::vector<invitation_record> all;
  for (auto& [key, record] : records_) all.push_back(record);
  return all;
}

void invitation_book::restore(const std::vector<invitation_record>& records) {
  records_.clear();
  for (auto& record : records) records_[record.key] = record;
}

} // namespace lucid
