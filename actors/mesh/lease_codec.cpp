// actors/mesh/lease_codec.cpp - version, head, then three lists, each led by its length.
#include "actors/mesh/lease_codec.hpp"

#include <algorithm>

#include "actors/format/little_endian.hpp"
#include "actors/mesh/bounded_codec.hpp"

namespace lucid {

namespace {

constexpr std::uint8_t version = 1;
constexpr std::size_t head_bytes = 1 + 8 + 8 + 8;

// Of each item beside its role's letters.
constexpr std::size_t name_bytes = 1 + 1;
constexpr std::size_t ask_bytes = name_bytes + 8 + 1;
constexpr std::size_t release_bytes = name_bytes + 8;
constexpr std::size_t answer_bytes = name_bytes + 1 + 8 + 8 + 8 + 8;
static_assert(head_bytes + 3 + leases_max * (ask_bytes + release_bytes + answer_bytes + 3 * lease_role_bytes_max) <=
              lease_message_bytes_max);

std::size_t size_of(const lease_message& m) {
  auto size = head_bytes + 3;
  for (auto& x : m.asks) size += ask_bytes + x.lease.role.size();
  for (auto& x : m.releases) size += release_bytes + x.lease.role.size();
  for (auto& x : m.answers) size += answer_bytes + x.lease.role.size();
  return size;
}

void put_name(field_writer& to, const lease_name& lease) {
  to.put(static_cast<std::uint8_t>(lease.role.size())).put(as_bytes(lease.role)).put(static_cast<std::uint8_t>(lease.place));
}

template <class Item>
std::vector<Item> in_order(std::vector<Item> items) {
  std::ranges::sort(items, {}, &Item::lease);
  return items;
}

constexpr const char* who = "lease message";
constexpr const char* not_ours = "a name, number, verdict, length or order that no encoder writes";

void spoil(bounded_reader& in) { in.refuse(errc::invalid_input, not_ours); }

lease_name get_name(bounded_reader& in) {
  std::size_t length = in.get<std::uint8_t>();
  if (length > lease_role_bytes_max) spoil(in);
  lease_name name{std::string(as_text(in.take(length))), 0};
  name.place = in.get<std::uint8_t>();
  if (in.good() && !is_sound(name)) spoil(in);
  return name;
}

std::uint64_t get_number(bounded_reader& in, std::uint64_t least) {
  auto number = in.get<std::uint64_t>();
  if (in.good() && (number < least || number > lease_number_max)) spoil(in);
  return number;
}

/// A list in rising order of its leases.
template <class Item>
void get_list(bounded_reader& in, std::vector<Item>& into, auto&& get_item) {
  std::size_t count = in.get<std::uint8_t>();
  if (count > leases_max) spoil(in);
  for (std::size_t i = 0; i < count && in.good(); ++i) {
    auto item = get_item();
    if (in.good() && !into.empty() && into.back().lease >= item.lease) spoil(in);
    into.push_back(std::move(item));
  }
}

} // namespace

byte_buffer encode_lease_message(const lease_message& m) {
  byte_buffer bytes(size_of(m));
  field_writer to(bytes);
  to.put(version).put(m.incarnation).put(m.sequence).put(m.list_version);
  to.put(static_cast<std::uint8_t>(m.asks.size()));
  for (auto& x : in_order(m.asks)) {
    put_name(to, x.lease);
    to.put(x.number).put(static_cast<std::uint8_t>(x.held));
  }
  to.put(static_cast<std::uint8_t>(m.releases.size()));
  for (auto& x : in_order(m.releases)) {
    put_name(to, x.lease);
    to.put(x.number);
  }
  to.put(static_cast<std::uint8_t>(m.answers.size()));
  for (auto& x : in_order(m.answers)) {
    put_name(to, x.lease);
    to.put(static_cast<std::uint8_t>(x.verdict)).put(x.number).put(x.highest).put(x.incarnation).put(x.sequence);
  }
  return bytes;
}

outcome<lease_message> decode_lease_message(byte_view bytes) {
  if (bytes.size() > lease_message_bytes_max) return fail(errc::limit_exceeded, who, "longer than 24 KiB");
  bounded_reader in(bytes, who);
  if (in.get<std::uint8_t>() != version) in.refuse(errc::unsupported, "its version is not 1");
  lease_message m;
  m.incarnation = in.get<std::uint64_t>();
  m.sequence = in.get<std::uint64_t>();
  m.list_version = in.get<std::uint64_t>();
  get_list(in, m.asks, [&] {
    lease_ask x{get_name(in), get_number(in, 1), false};
    auto held = in.get<std::uint8_t>();
    if (held > 1) spoil(in);
    x.held = held == 1;
    return x;
  });
  get_list(in, m.releases, [&] { return lease_release{get_name(in), get_number(in, 1)}; });
  get_list(in, m.answers, [&] {
    lease_answer x;
    x.lease = get_name(in);
    auto verdict = in.get<std::uint8_t>();
    if (verdict > static_cast<std::uint8_t>(lease_verdict_last)) spoil(in);
    x.verdict = static_cast<lease_verdict>(verdict);
    x.number = get_number(in, 1);
    x.highest = get_number(in, 0);
    x.incarnation = in.get<std::uint64_t>();
    x.sequence = in.get<std::uint64_t>();
    return x;
  });
  if (auto whole = in.finish(); !whole) return pass_on(std::move(whole));
  return m;
}

} // namespace lucid
