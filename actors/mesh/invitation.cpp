// actors/mesh/invitation.cpp - the bytes and the text of an invitation.
#include "actors/mesh/invitation.hpp"

#include <algorithm>
#include <limits>

#include "actors/mesh/bounded_codec.hpp"
#include "actors/mesh/mesh_address.hpp"
#include "actors/mesh/mesh_contexts.hpp"
#include "adapters/blake3/blake3_hasher.hpp"
#include "adapters/sodium/base64.hpp"
#include "adapters/sodium/sign.hpp"

namespace lucid {
namespace {

constexpr const char* who = "invitation";
constexpr std::uint8_t format_version = 1;
constexpr std::int64_t second_us = 1'000'000;
using check_sum = std::array<std::uint8_t, 4>; ///< Against typing errors; the token is what is hard to guess.

check_sum check_of(byte_view content) {
  check_sum sum{};
  blake3_derive_into(contexts::invitation_check, {content}, sum);
  return sum;
}

outcome<void> check_fields(const invitation& what) {
  if (what.addresses.empty() || what.addresses.size() > invitation_address_count_max)
    return fail(errc::limit_exceeded, who, "an invitation names 1 to 4 addresses");
  if (what.expires_us <= 0 || what.expires_us % second_us != 0 ||
      what.expires_us / second_us > std::numeric_limits<std::uint32_t>::max())
    return fail(errc::invalid_input, who, "its time of expiry is out of range");
  return check_mesh_addresses(what.addresses);
}

byte_buffer encode(const invitation& what) {
  bounded_writer out;
  out.put(format_version).put(what.cluster_id).put(what.inviter).put(what.inviter_key).put(what.token);
  out.put(static_cast<std::uint32_t>(what.expires_us / second_us)).put(static_cast<std::uint8_t>(what.addresses.size()));
  for (auto& address : what.addresses) out.put_sized<std::uint8_t>(as_bytes(address));
  return out.take();
}

outcome<invitation> decode(byte_view bytes) {
  bounded_reader in(bytes, who);
  if (auto version = in.get<std::uint8_t>(); in.good() && version != format_version)
    in.refuse(errc::unsupported, "version " + std::to_string(version) + ", this build reads version 1");
  invitation what;
  in.get(what.cluster_id);
  in.get(what.inviter);
  in.get(what.inviter_key);
  in.get(what.token);
  what.expires_us = std::int64_t{in.get<std::uint32_t>()} * second_us;
  auto count = in.get_count<std::uint8_t>(invitation_address_count_max, "addresses");
  for (std::size_t i = 0; i < count && in.good(); ++i)
    what.addresses.emplace_back(as_text(in.get_sized<std::uint8_t>(mesh_address_bytes_max, "address")));
  if (auto whole = in.finish(); !whole) return pass_on(std::move(whole));
  if (auto good = check_fields(what); !good) return pass_on(std::move(good));
  return what;
}

bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

} // namespace

outcome<std::string> invitation_text(const invitation& what) {
  if (auto good = check_fields(what); !good) return pass_on(std::move(good));
  auto bytes = encode(what);
  auto sum = check_of(bytes);
  bytes.insert(bytes.end(), sum.begin(), sum.end());
  auto text = std::string(invitation_prefix) + to_base64url(bytes);
  wipe(bytes);
  if (text.size() > invitation_text_bytes_max) return fail(errc::limit_exceeded, who, "its addresses are too long");
  return text;
}

outcome<invitation> read_invitation(std::string_view text) {
  // Twice the bound: each letter may have a blank beside it.
  if (text.size() > 2 * invitation_text_bytes_max)
    return fail(errc::limit_exceeded, who, "it is longer than an invitation may be");
  std::string letters;
  std::ranges::copy_if(text, std::back_inserter(letters), [](char c) { return !is_blank(c); });
  if (!letters.starts_with(invitation_prefix))
    return fail(errc::invalid_input, who,
                "an invitation begins with \"" + std::string(invitation_prefix) +
                  "\"; `lucid cluster invite` on a member makes one");
  auto bytes = from_base64url(std::string_view(letters).substr(invitation_prefix.size()), invitation_text_bytes_max);
  wipe(letters);
  check_sum sum{};
  auto damaged = fail(errc::corrupted, who, "its check sum is wrong: it was mistyped, or a part of it is missing");
  if (!bytes || bytes->size() < sum.size()) return damaged;
  auto content = byte_view(*bytes).first(bytes->size() - sum.size());
  std::ranges::copy(byte_view(*bytes).last(sum.size()), sum.begin());
  bool sound = check_of(content) == sum;
  auto read = sound ? decode(content) : outcome<invitation>(damaged);
  wipe(*bytes);
  return read;
}

secret_key joining_secret(const invitation& what) {
  secret_key key;
  blake3_derive_into(contexts::invitation_key, {what.token, what.cluster_id, what.inviter_key}, key.span());
  return key;
}

transport_key joining_key(const invitation& what) { return box_public_key_of(joining_secret(what)); }

} // namespace lucid
