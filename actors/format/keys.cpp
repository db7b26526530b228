// actors/format/keys.cpp - derivations and wrapping of session keys.
#include "actors/format/keys.hpp"

#include <algorithm>

#include "actors/format/contexts.hpp"
#include "actors/format/little_endian.hpp"
#include "adapters/blake3/blake3_hasher.hpp"
#include "messages/session.hpp"

namespace lucid {

session_key make_session_key(random_port& random) {
  session_key key;
  random.fill(key.span());
  return key;
}

session_id make_session_id(random_port& random, const sign_public_key& recorder, unix_time_us started_us) {
  std::array<std::uint8_t, 32> fresh;
  random.fill(fresh);
  std::array<std::uint8_t, 8> started;
  field_writer(started).put(started_us);
  return blake3_derive(contexts::session_id, {recorder, started, fresh});
}

digest commit_session_key(const session_key& key) { return blake3_derive(contexts::session_commitment, {key.view()}); }

secret_key derive_chunk_key(const session_key& key, track on, std::uint32_t index) {
  std::array<std::uint8_t, 5> place;
  field_writer(place).put(static_cast<std::uint8_t>(on)).put(index);
  secret_key result;
  blake3_derive_into(contexts::chunk_key, {key.view(), place}, result.span());
  return result;
}

digest commit_chunk_key(const secret_key& chunk_key) {
  return blake3_derive(contexts::chunk_commitment, {chunk_key.view()});
}

outcome<wrapped_key> wrap_session_key(const session_key& key, const box_public_key& recipient) {
  wrapped_key result;
  result.recipient = recipient;
  if (auto sealed = box_seal(result.sealed, key.view(), recipient); !sealed) return pass_on(std::move(sealed));
  return result;
}

outcome<std::vector<wrapped_key>> wrap_session_key(const session_key& key,
                                                   std::span<const box_public_key> recipients) {
  std::vector<wrapped_key> result;
  for (const auto& recipient : recipients) {
    auto same = [&](const wrapped_key& w) { return w.recipient == recipient; };
    if (std::any_of(result.begin(), result.end(), same)) continue;
    if (result.size() == recipient_count_max)
      return fail(errc::limit_exceeded, "keys",
                  "more than " + std::to_string(recipient_count_max) + " recipients of one recording");
    auto wrapped = wrap_session_key(key, recipient);
    if (!wrapped) return pass_on(std::move(wrapped));
    result.push_back(*wrapped);
  }
  return result;
}

outcome<session_key> unwrap_session_key(std::span<const wrapped_key> wrapped, const secret_key& secret,
                                        const digest* commitment) {
  auto own = box_public_key_of(secret);
  auto found = std::find_if(wrapped.begin(), wrapped.end(), [&](const auto& w) { return w.recipient == own; });
  if (found == wrapped.end())
    return fail(errc::not_found, "keys", "the recording is not sealed for key " + to_hex(own));
  session_key key;
  if (!box_open(key.span(), found->sealed, secret))
    return fail(errc::corrupted, "keys", "the session key wrapped for " + to_hex(own) + " is damaged");
  if (commitment && commit_session_key(key) != *commitment)
    return fail(errc::corrupted, "keys", "the session key wrapped for " + to_hex(own) + " is not the one committed to");
  return key;
}

} // namespace lucid
