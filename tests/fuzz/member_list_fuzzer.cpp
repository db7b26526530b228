// tests/fuzz/member_list_fuzzer.cpp - any bytes as an entry, a list, a message of members; and, read as a script, as a set
// of well-signed entries, which must come to the same whatever order they are merged in.
#include <algorithm>
#include <cstdlib>
#include <memory>

#include "actors/mesh/join_message.hpp"
#include "actors/mesh/membership_message.hpp"
#include "actors/mesh/node_identity.hpp"

namespace {

using namespace lucid;

constexpr std::size_t node_count = 4;
constexpr std::size_t script_entries_max = 16; // Each costs two signatures.

void demand(bool holds) {
  if (!holds) std::abort();
}

struct cluster {
  std::vector<sign_key> keys;
  member_entry founding;
  cluster_origin origin;

  cluster() {
    for (std::uint8_t i = 0; i < node_count; ++i) {
      std::array<std::uint8_t, 32> seed{};
      seed[0] = i;
      keys.emplace_back(secret_key(seed));
    }
    founding = found_cluster("home", "n0", keys[0], 0).value();
    origin.cluster_id = founding.cluster_id;
  }
};

void read(byte_view bytes, const cluster& with) {
  if (auto entry = decode_member_entry(bytes)) demand(std::ranges::equal(encode_member_entry(*entry), bytes));
  if (auto list = member_list::decode(bytes, with.origin)) demand(std::ranges::equal(list->encode(), bytes));
  if (auto message = decode_membership(bytes)) demand(std::ranges::equal(encode_membership(*message), bytes));
  if (auto answer = decode_join_answer(bytes)) demand(std::ranges::equal(encode_join_answer(*answer).value(), bytes));
  if (auto request = decode_join_request(bytes)) demand(std::ranges::equal(encode_join_request(*request), bytes));
}

/// Three bytes an entry: what and by whom of whom, number, what is honoured.
std::vector<member_entry> entries_of(byte_view script, const cluster& with) {
  std::vector<member_entry> entries{with.founding};
  for (std::size_t at = 0; at + 3 <= script.size() && entries.size() <= script_entries_max; at += 3) {
    auto& author = with.keys[script[at] % node_count];
    auto subject = static_cast<std::size_t>(script[at] / node_count) % node_count;
    auto& key = with.keys[subject].public_key();
    auto serial = 1 + script[at + 1] % 24u;
    if (script[at] & 0x80) {
      std::vector<digest> honoured;
      for (std::size_t i = 0; i < entries.size() && i < 8; ++i)
        if (script[at + 2] >> i & 1) honoured.push_back(hash_of(entries[entries.size() - 1 - i]));
      entries.push_back(remove_by_member(with.origin.cluster_id, serial, node_id_of(key), honoured, author, 0).value());
    } else {
      std::string name("n");
      name += static_cast<char>('0' + (script[at + 2] & 1 ? subject : script[at + 2] / 2 % node_count));
      entries.push_back(admit_by_member(with.origin.cluster_id, serial, key, name, author, 0).value());
    }
  }
  return entries;
}

member_list merged(const std::vector<member_entry>& entries, const cluster& with) {
  member_list list(with.origin);
  demand(list.merge(entries).refused.empty());
  return list;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  static const cluster with;
  byte_view bytes(data, size_bytes);
  read(bytes, with);
  auto entries = entries_of(bytes, with);
  auto whole = merged(entries, with);
  std::ranges::reverse(entries);
  member_list other(with.origin);
  for (auto& entry : entries) demand(other.merge({&entry, 1}).refused.empty());
  demand(whole.members() == other.members() && whole.set_digest() == other.set_digest());
  demand(whole.entries() == other.entries() && whole.removed() == other.removed());
  return 0;
}
