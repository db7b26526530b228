// actors/format/ledger_codec.cpp - blocks, entries, links.
#include "actors/format/ledger_codec.hpp"

#include <algorithm>
#include <cassert>

#include "actors/format/contexts.hpp"
#include "actors/format/little_endian.hpp"
#include "actors/format/merkle.hpp"
#include "actors/format/signing.hpp"
#include "adapters/blake3/blake3_hasher.hpp"

namespace lucid {
namespace {

constexpr std::array<std::uint8_t, 8> magic{'l', 'u', 'c', 'i', 'd', 'b', 'l', 'k'};
constexpr std::uint32_t version = 1;
constexpr std::size_t signed_size_bytes = block_header_size_bytes - 64;

byte_buffer message_of(const block_header& header) {
  auto bytes = encode_block_header(header);
  return signed_message(contexts::block_signature, blake3(byte_view(bytes).first(signed_size_bytes)));
}

block_header sign_block(block_header header, const sign_key& producer) {
  header.producer = producer.public_key();
  header.by = producer.sign(message_of(header));
  return header;
}

std::vector<digest> leaves_of(std::span<const anchor_entry> entries) {
  std::vector<digest> leaves;
  leaves.reserve(entries.size());
  for (const auto& entry : entries) leaves.push_back(leaf_of(entry));
  return leaves;
}

tl::unexpected<error> block_failure(errc code, const block_header& header, const std::string& what) {
  return fail(code, "ledger", "block " + std::to_string(header.height) + ": " + what);
}

bool is_genesis_shape(const block_header& h) {
  return h.slot == 0 && h.time_us == genesis_time_us && h.previous == digest{} && h.entries_root == digest{} &&
         h.entry_count == 0;
}

} // namespace

byte_buffer encode_block_header(const block_header& header) {
  byte_buffer bytes(block_header_size_bytes);
  field_writer(bytes)
    .put(magic).put(header.version).put(header.entry_count).put(header.height).put(header.slot).put(header.time_us)
    .put(header.previous).put(header.entries_root).put(header.producer).put(header.by);
  return bytes;
}

outcome<block_header> decode_block_header(byte_view bytes) {
  if (bytes.size() != block_header_size_bytes)
    return fail(bytes.size() < block_header_size_bytes ? errc::truncated : errc::corrupted, "ledger",
                "a block header has 200 bytes, not " + std::to_string(bytes.size()));
  if (!std::equal(magic.begin(), magic.end(), bytes.begin()))
    return fail(errc::corrupted, "ledger", "byte offset 0: this is no block header");
  block_header h;
  field_reader in(bytes.subspan(magic.size()));
  h.version = in.get<std::uint32_t>();
  h.entry_count = in.get<std::uint32_t>();
  h.height = in.get<std::uint64_t>();
  h.slot = in.get<std::uint64_t>();
  h.time_us = in.get<std::int64_t>();
  in.get(h.previous);
  in.get(h.entries_root);
  in.get(h.producer);
  in.get(h.by);
  if (h.version != version)
    return fail(errc::unsupported, "ledger",
                "byte offset 8: block version " + std::to_string(h.version) + ", this build reads version 1");
  return h;
}

byte_buffer encode_entry(const anchor_entry& entry) {
  byte_buffer bytes(block_entry_size_bytes);
  field_writer(bytes).put(entry.session).put(entry.manifest_hash).put(entry.root).put(entry.sealed_us);
  return bytes;
}

outcome<anchor_entry> decode_entry(byte_view bytes) {
  if (bytes.size() != block_entry_size_bytes)
    return fail(bytes.size() < block_entry_size_bytes ? errc::truncated : errc::corrupted, "ledger",
                "an entry has 104 bytes, not " + std::to_string(bytes.size()));
  anchor_entry entry;
  field_reader in(bytes);
  in.get(entry.session);
  in.get(entry.manifest_hash);
  in.get(entry.root);
  entry.sealed_us = in.get<std::int64_t>();
  return entry;
}

digest hash_of(const block_header& header) {
  return blake3_derive(contexts::block_hash, {encode_block_header(header)});
}

digest leaf_of(const anchor_entry& entry) { return blake3_derive(contexts::ledger_entry, {encode_entry(entry)}); }

digest entries_root(std::span<const anchor_entry> entries) { return merkle_root(leaves_of(entries)); }

block_header make_genesis(const sign_key& producer) {
  block_header header;
  header.time_us = genesis_time_us;
  return sign_block(header, producer);
}

outcome<block_header> make_block(const block_header& previous, std::span<const anchor_entry> entries,
                                 unix_time_us time_us, const sign_key& producer) {
  if (entries.empty()) return fail(errc::invalid_input, "ledger", "a block needs at least one entry");
  if (entries.size() > block_entry_count_max)
    return fail(errc::limit_exceeded, "ledger",
                std::to_string(entries.size()) + " entries are above the bound of " +
                  std::to_string(block_entry_count_max) + " a block");
  block_header header;
  header.height = previous.height + 1;
  header.time_us = std::max(time_us, previous.time_us);
  header.slot = slot_of(header.time_us);
  header.previous = hash_of(previous);
  header.entries_root = entries_root(entries);
  header.entry_count = static_cast<std::uint32_t>(entries.size());
  return sign_block(header, producer);
}

anchor_record make_anchor(const block_header& block, std::span<const anchor_entry> entries, std::uint32_t index) {
  assert(index < entries.size());
  return {entries[index], block.height, index, merkle_path(leaves_of(entries), index)};
}

outcome<void> verify_block(const block_header& header) {
  if (header.version != version)
    return block_failure(errc::unsupported, header, "version " + std::to_string(header.version) + " is not known");
  if (header.time_us < genesis_time_us || header.slot != slot_of(header.time_us))
    return block_failure(errc::corrupted, header, "its slot is not that of its time");
  if (header.height == 0 ? !is_genesis_shape(header)
                         : header.entry_count == 0 || header.entry_count > block_entry_count_max)
    return block_failure(errc::corrupted, header, "its fields are not those of such a block");
  if (!verify_signature(header.by, message_of(header), header.producer))
    return block_failure(errc::bad_signature, header, "the producer's signature does not verify");
  return {};
}

outcome<void> verify_link(const block_header& previous, const block_header& next) {
  if (next.height != previous.height + 1)
    return block_failure(errc::corrupted, next, "it does not follow block " + std::to_string(previous.height));
  if (next.previous != hash_of(previous))
    return block_failure(errc::corrupted, next, "it names another previous block than the one before it");
  if (next.slot < previous.slot || next.time_us < previous.time_us)
    return block_failure(errc::corrupted, next, "its slot or time falls behind the block before it");
  return {};
}

outcome<void> verify_anchor(const anchor_record& record, const block_header& block) {
  if (record.block_height != block.height)
    return block_failure(errc::corrupted, block,
                         "the entry is said to be in block " + std::to_string(record.block_height));
  if (record.path.size() > merkle_path_length_max)
    return block_failure(errc::corrupted, block, "the entry's path is impossibly long");
  auto root = merkle_root_from_path(leaf_of(record.entry), record.entry_index, block.entry_count, record.path);
  if (!root) return pass_on(std::move(root));
  if (*root != block.entries_root)
    return block_failure(errc::corrupted, block,
                         "entry " + std::to_string(record.entry_index) + " does not lead to the block's entries root");
  return {};
}

} // namespace lucid
