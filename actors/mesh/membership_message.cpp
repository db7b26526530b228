// actors/mesh/membership_message.cpp - the bytes of summaries, inventories and updates.
#include "actors/mesh/membership_message.hpp"

#include <algorithm>
#include <functional>

#include "actors/mesh/bounded_codec.hpp"

namespace lucid {
namespace {

constexpr const char* who = "membership";
constexpr std::uint8_t format_version = 1;
enum class message_kind : std::uint8_t { summary = 1, inventory, update };

constexpr std::size_t inventory_entries_max = 2 * cluster_entries_max;
static_assert(inventory_entries_max * sizeof(digest) + cluster_members_max * 72 + 64 <= membership_message_bytes_max);
/// The least that an entry has, with its length: bounds how many are looked for.
constexpr std::size_t entries_in_update_max = membership_message_bytes_max / 128;

void put(bounded_writer& out, const membership_summary& s) {
  out.put(s.list_version).put(s.list_digest).put(s.statements_digest);
}

void put(bounded_writer& out, const membership_inventory& i) {
  out.put(static_cast<std::uint8_t>(i.answer)).put(static_cast<std::uint16_t>(i.entries.size()));
  for (auto& hash : i.entries) out.put(hash);
  out.put(static_cast<std::uint16_t>(i.statements.size()));
  for (auto& s : i.statements) out.put(s.id).put(s.serial).put(s.hash);
}

void put(bounded_writer& out, const membership_update& u) {
  out.put(static_cast<std::uint16_t>(u.entries.size()));
  for (auto& entry : u.entries) out.put_sized<std::uint16_t>(encode_member_entry(entry));
  out.put(static_cast<std::uint16_t>(u.statements.size()));
  for (auto& statement : u.statements) out.put_sized<std::uint16_t>(encode_statement(statement));
}

membership_summary read_summary(bounded_reader& in) {
  membership_summary s;
  s.list_version = in.get<std::uint64_t>();
  in.get(s.list_digest);
  in.get(s.statements_digest);
  return s;
}

membership_inventory read_inventory(bounded_reader& in) {
  membership_inventory i;
  i.answer = in.get_count<std::uint8_t>(1, "answer") == 1;
  auto entries = in.get_count<std::uint16_t>(inventory_entries_max, "entries");
  for (std::size_t n = 0; n < entries && in.good(); ++n) in.get(i.entries.emplace_back());
  auto statements = in.get_count<std::uint16_t>(cluster_members_max, "statements");
  for (std::size_t n = 0; n < statements && in.good(); ++n) {
    auto& s = i.statements.emplace_back();
    in.get(s.id);
    s.serial = in.get<std::uint64_t>();
    in.get(s.hash);
  }
  auto unordered = std::ranges::adjacent_find(i.entries, std::greater_equal{}) != i.entries.end() ||
                   std::ranges::adjacent_find(i.statements, std::greater_equal{}, &known_statement::id) != i.statements.end();
  if (unordered) in.refuse(errc::invalid_input, "an inventory that is not in order");
  return i;
}

outcome<membership_update> read_update(bounded_reader& in) {
  membership_update u;
  auto entries = in.get_count<std::uint16_t>(entries_in_update_max, "entries");
  for (std::size_t n = 0; n < entries && in.good(); ++n) {
    auto bytes = in.get_sized<std::uint16_t>(member_entry_bytes_max, "entry");
    if (!in.good()) break;
    auto entry = decode_member_entry(bytes);
    if (!entry) return pass_on(std::move(entry));
    u.entries.push_back(std::move(*entry));
  }
  auto statements = in.get_count<std::uint16_t>(cluster_members_max, "statements");
  for (std::size_t n = 0; n < statements && in.good(); ++n) {
    auto bytes = in.get_sized<std::uint16_t>(statement_bytes_max, "statement");
    if (!in.good()) break;
    auto statement = decode_statement(bytes);
    if (!statement) return pass_on(std::move(statement));
    u.statements.push_back(std::move(*statement));
  }
  return u;
}

} // namespace

const digest& cluster_of(const membership_message& message) noexcept {
  return std::visit([](auto& m) -> const digest& { return m.cluster_id; }, message);
}

byte_buffer encode_membership(const membership_message& message) {
  bounded_writer out;
  out.put(format_version).put(static_cast<std::uint8_t>(message.index() + 1)).put(cluster_of(message));
  std::visit([&](auto& m) { put(out, m); }, message);
  return out.take();
}

outcome<membership_message> decode_membership(byte_view bytes) {
  if (bytes.size() > membership_message_bytes_max)
    return fail(errc::limit_exceeded, who, "a message of " + std::to_string(bytes.size()) + " bytes is too long");
  bounded_reader in(bytes, who);
  if (auto version = in.get<std::uint8_t>(); in.good() && version != format_version)
    in.refuse(errc::unsupported, "version " + std::to_string(version) + " of a message, this build reads version 1");
  auto kind = static_cast<message_kind>(in.get<std::uint8_t>());
  digest cluster{};
  in.get(cluster);
  membership_message message;
  switch (kind) {
    case message_kind::summary: message = read_summary(in); break;
    case message_kind::inventory: message = read_inventory(in); break;
    case message_kind::update: {
      auto update = read_update(in);
      if (!update) return pass_on(std::move(update));
      message = std::move(*update);
      break;
    }
    default: in.refuse(errc::invalid_input, "a message of an unknown kind");
  }
  if (auto whole = in.finish(); !whole) return pass_on(std::move(whole));
  std::visit([&](auto& m) { m.cluster_id = cluster; }, message);
  return message;
}

std::vector<membership_update> updates_of(const digest& cluster_id, const std::vector<member_entry>& entries,
                                          const std::vector<node_statement>& statements) {
  std::vector<membership_update> updates;
  std::size_t left_bytes = 0;
  auto room_for = [&](std::size_t size_bytes) -> membership_update& {
    if (size_bytes > left_bytes) {
      updates.push_back({cluster_id, {}, {}});
      left_bytes = membership_update_bytes;
    }
    left_bytes -= size_bytes;
    return updates.back();
  };
  for (auto& entry : entries) room_for(encode_member_entry(entry).size() + 2).entries.push_back(entry);
  for (auto& statement : statements) room_for(encode_statement(statement).size() + 2).statements.push_back(statement);
  return updates;
}

} // namespace lucid
