// actors/recorder/recorder_core.cpp - a wish becomes a session.
#include "actors/recorder/recorder_core.hpp"

#include <algorithm>
#include <utility>

#include "messages/source_url.hpp"

namespace lucid {

bool has_key_for(const session_row& row, const box_public_key& node) {
  return std::any_of(row.keys.begin(), row.keys.end(), [&](const wrapped_key& key) { return key.recipient == node; });
}

std::vector<session_summary> expired(const std::vector<session_summary>& sessions, std::chrono::seconds retention,
                                     unix_time_us now) {
  std::vector<session_summary> old;
  if (retention.count() == 0) return old;
  auto before = now - std::chrono::microseconds(retention).count();
  for (auto& s : sessions) // One that recorded nothing has no end.
    if (is_final(s.state) && std::max(s.created_us, s.ended_us) < before) old.push_back(s);
  return old;
}

outcome<new_session> make_session(const session_create_request& wish, const recorder_facts& facts, random_port& random,
                                  unix_time_us now) {
  auto source = parse_source_url(wish.what.source);
  if (!source) return pass_on(std::move(source));

  new_session made{{}, make_session_key(random)};
  auto& row = made.row;
  row.what = wish.what;
  row.what.password.clear();
  row.policy = wish.policy;
  if (row.policy.recipients.empty()) row.policy.recipients = facts.default_recipients;
  if (row.policy.recipients.empty())
    return fail(errc::invalid_input, "recorder",
                "nobody could open the recording: name a recipient with --recipient, or keys.recipients in the "
                "configuration; `lucid keys init` makes an owner key");

  auto readers = row.policy.recipients;
  readers.push_back(facts.node_box); // So that a crash can be recovered from; the store forgets it at the end.
  auto wrapped = wrap_session_key(made.key, readers);
  if (!wrapped) return pass_on(std::move(wrapped));
  row.keys = std::move(*wrapped);
  row.key_commitment = commit_session_key(made.key);

  row.summary.id = make_session_id(random, facts.node_sign, now);
  row.summary.title = row.policy.title;
  row.summary.owner = row.policy.owner;
  row.summary.source = shown_source(*source);
  row.summary.created_us = now;
  return made;
}

} // namespace lucid
