// actors/mesh/invitation_book.cpp - issue, redeem once, expire.
#include "actors/mesh/invitation_book.hpp"

#include <algorithm>

namespace lucid {
namespace {

constexpr const char* who = "invitation";
constexpr std::int64_t second_us = 1'000'000;

} // namespace

std::string invitation_id(const transport_key& key) { return to_hex(key).substr(0, 8); }

outcome<invitation> invitation_book::issue(invitation of, std::int64_t valid_us, unix_time_us now, random_port& random) {
  if (valid_us < valid_us_min || valid_us > valid_us_max)
    return fail(errc::invalid_input, who,
                "an invitation is valid for " + std::to_string(invitation_seconds_min) + " seconds to " +
                  std::to_string(invitation_seconds_max / (24 * 3600)) + " days");
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
  if (!record.used_by) record.expires_us = std::min(record.expires_us, now + used_us_max);
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

outcome<std::size_t> invitation_book::take_back(std::string_view id, unix_time_us now) {
  expire(now);
  auto named = [&](auto& r) { return invitation_id(r.first) == id; };
  auto count = std::erase_if(records_, [&](auto& r) { return !r.second.used_by && (id == "all" || named(r)); });
  if (count != 0 || id == "all") return count;
  if (std::ranges::any_of(records_, named))
    return fail(errc::wrong_state, who, "a node has joined with this invitation; `lucid cluster remove` puts it out");
  return fail(errc::not_found, who, "no invitation of this id is open here; `lucid cluster invitations` lists them");
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

std::vector<open_invitation> invitation_book::open(unix_time_us now) const {
  std::vector<open_invitation> found;
  for (auto& [key, record] : records_)
    if (!record.used_by && now < record.expires_us)
      found.push_back({invitation_id(key), record.issued_us, record.expires_us});
  std::ranges::sort(found, {}, &open_invitation::expires_us);
  return found;
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
