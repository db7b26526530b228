// actors/format/chunk_codec.cpp - layout, sealing and opening of chunk files.
#include "actors/format/chunk_codec.hpp"

#include <algorithm>

#include "actors/format/contexts.hpp"
#include "actors/format/little_endian.hpp"
#include "actors/format/merkle.hpp"

namespace lucid {
namespace {

constexpr std::array<std::uint8_t, 8> magic{'l', 'u', 'c', 'i', 'd', 'c', 'h', 'k'};
constexpr std::uint16_t version = 1;
constexpr std::uint8_t flag_last = 1;
constexpr std::uint8_t flag_zstd = 2;
constexpr std::size_t checked_size_bytes = chunk_header_size_bytes - 32; // Everything before the header's own digest.

using header_bytes = std::array<std::uint8_t, chunk_header_size_bytes>;

header_bytes encode_header(const chunk_header& h) {
  header_bytes bytes{};
  auto flags = static_cast<std::uint8_t>((h.last_of_track ? flag_last : 0) | (h.compressed ? flag_zstd : 0));
  field_writer(bytes)
    .put(magic).put(version).put(static_cast<std::uint8_t>(h.key.on)).put(flags).put(h.key.index)
    .put(h.key.session).put(h.plain_size_bytes).put(h.sealed_size_bytes)
    .put(h.span.first_sequence).put(h.span.last_sequence).put(h.span.start_us).put(h.span.end_us)
    .put(h.span.frame_count).put(std::uint32_t{0}).put(h.nonce).put(h.key_commitment);
  auto check = blake3_derive(contexts::chunk_header, {byte_view(bytes).first(checked_size_bytes)});
  field_writer(std::span(bytes).subspan(checked_size_bytes)).put(check);
  return bytes;
}

/// What must hold of a header, whoever made it. Empty if it does.
std::string header_defect(const chunk_header& h) {
  if (static_cast<std::uint8_t>(h.key.on) >= track_count) return "there is no such track";
  if (h.key.index >= chunk_count_max) return "its index is above the bound of 2^20 chunks";
  if (h.plain_size_bytes > chunk_size_bytes_max) return "its plaintext is above the bound of 16 MiB";
  if (h.span.first_sequence > h.span.last_sequence) return "its first fragment comes after its last";
  if (h.span.start_us > h.span.end_us) return "it ends before it starts";
  auto body = h.sealed_size_bytes - chunk_overhead_size_bytes;
  if (h.sealed_size_bytes < chunk_overhead_size_bytes) return "its size is below that of an empty chunk";
  if (h.compressed ? body >= h.plain_size_bytes : body != h.plain_size_bytes)
    return "its sealed size does not go with its plaintext size";
  return {};
}

chunk_header parse_header(byte_view file, std::uint8_t& flags, std::uint32_t& reserved) {
  chunk_header h;
  field_reader in(file.subspan(magic.size() + sizeof version));
  h.key.on = static_cast<track>(in.get<std::uint8_t>());
  flags = in.get<std::uint8_t>();
  h.key.index = in.get<std::uint32_t>();
  in.get(h.key.session);
  h.plain_size_bytes = in.get<std::uint64_t>();
  h.sealed_size_bytes = in.get<std::uint64_t>();
  h.span.first_sequence = in.get<std::uint64_t>();
  h.span.last_sequence = in.get<std::uint64_t>();
  h.span.start_us = in.get<std::int64_t>();
  h.span.end_us = in.get<std::int64_t>();
  h.span.frame_count = in.get<std::uint32_t>();
  reserved = in.get<std::uint32_t>();
  in.get(h.nonce);
  in.get(h.key_commitment);
  h.last_of_track = (flags & flag_last) != 0;
  h.compressed = (flags & flag_zstd) != 0;
  return h;
}

tl::unexpected<error> chunk_failure(errc code, const chunk_key& key, const std::string& what) {
  return fail(code, "chunk",
              std::string(key.on == track::video ? "video" : "events") + " chunk " + std::to_string(key.index) + " of " +
                short_id(key.session) + ": " + what);
}

std::uint64_t size_of(const plain_chunk& plain) noexcept {
  std::uint64_t total = 0;
  for (const auto& part : plain.parts) total += part.size();
  return total;
}

chunk_header begin_header(const plain_chunk& plain, std::uint64_t plain_size_bytes, const secret_key& chunk_key,
                          random_port& random) {
  chunk_header h;
  h.key = plain.key;
  h.span = plain.span;
  h.last_of_track = plain.last_of_track;
  h.plain_size_bytes = plain_size_bytes;
  h.key_commitment = commit_chunk_key(chunk_key);
  random.fill(h.nonce);
  return h;
}

/// A file with room for its header, the plaintext where its body will be, and room for the tag behind it.
/// One piece, as zstd and libsodium want it; `insert` does not zero it first.
byte_buffer gather(const plain_chunk& plain, std::uint64_t plain_size_bytes) {
  byte_buffer file;
  file.reserve(chunk_overhead_size_bytes + plain_size_bytes);
  file.resize(chunk_header_size_bytes);
  for (const auto& part : plain.parts) file.insert(file.end(), part.view().begin(), part.view().end());
  return file;
}

/// zstd's output in `scratch`, or an empty view if the chunk is to be stored as it is.
outcome<byte_view> compress_into(seal_scratch& scratch, byte_view plain, const compress_options& options) {
  if (scratch.compressed.size() < plain.size()) scratch.compressed.resize(plain.size());
  auto room = std::span(scratch.compressed).first(plain.size());
  auto size = scratch.compressor.compress(plain, room, options);
  if (!size) return pass_on(std::move(size));
  return *size ? byte_view(room).first(**size) : byte_view();
}

chunk_record record_of(const chunk_header& h, const file_hashes& hashes) {
  return {h.key, h.span, h.plain_size_bytes, h.sealed_size_bytes, hashes.content, merkle_root(hashes.leaves)};
}

} // namespace

outcome<sealed_chunk> seal_chunk(const plain_chunk& plain, const session_key& key, random_port& random,
                                 seal_scratch& scratch, const compress_options& options) {
  auto plain_size_bytes = size_of(plain);
  if (plain_size_bytes > chunk_size_bytes_max)
    return chunk_failure(errc::limit_exceeded, plain.key,
                         std::to_string(plain_size_bytes) + " bytes are above the bound of 16 MiB");
  auto chunk_key = derive_chunk_key(key, plain.key.on, plain.key.index);
  auto header = begin_header(plain, plain_size_bytes, chunk_key, random);
  auto file = gather(plain, plain_size_bytes);
  auto compressed = compress_into(scratch, byte_view(file).subspan(chunk_header_size_bytes), options);
  if (!compressed) return pass_on(std::move(compressed));
  header.compressed = !compressed->empty();
  auto body_size_bytes = header.compressed ? compressed->size() : plain_size_bytes;
  header.sealed_size_bytes = chunk_overhead_size_bytes + body_size_bytes;
  if (auto defect = header_defect(header); !defect.empty())
    return chunk_failure(errc::invalid_input, plain.key, defect);

  // Sealed in place, or from zstd's output over the plaintext: the body is not copied again.
  auto head = encode_header(header);
  std::copy(head.begin(), head.end(), file.begin());
  file.resize(header.sealed_size_bytes);
  auto body = std::span(file).subspan(chunk_header_size_bytes);
  aead_seal(body, header.compressed ? *compressed : byte_view(body).first(body_size_bytes), head, header.nonce, chunk_key);

  auto hashes = hash_file(file);
  return sealed_chunk{record_of(header, hashes), payload(std::move(file)), std::move(hashes.leaves)};
}

outcome<chunk_header> read_chunk_header(byte_view file) {
  if (file.size() < chunk_header_size_bytes)
    return fail(errc::truncated, "chunk",
                "a chunk header has 192 bytes, the file ends after " + std::to_string(file.size()));
  auto head = file.first(chunk_header_size_bytes);
  if (!std::equal(magic.begin(), magic.end(), head.begin()))
    return fail(errc::corrupted, "chunk", "byte offset 0: this is no chunk file");
  if (auto found = field_reader(head.subspan(magic.size())).get<std::uint16_t>(); found > version)
    return fail(errc::unsupported, "chunk",
                "byte offset 8: version " + std::to_string(found) + ", this build reads version 1");
  auto check = blake3_derive(contexts::chunk_header, {head.first(checked_size_bytes)});
  auto stated = head.subspan(checked_size_bytes);
  if (!std::equal(check.begin(), check.end(), stated.begin()))
    return fail(errc::corrupted, "chunk", "byte offset 0: the header does not have the digest at byte offset 160");
  std::uint8_t flags = 0;
  std::uint32_t reserved = 0;
  auto h = parse_header(head, flags, reserved);
  if (field_reader(head.subspan(magic.size())).get<std::uint16_t>() != version || flags > (flag_last | flag_zstd) ||
      reserved != 0)
    return fail(errc::corrupted, "chunk", "version, flags (byte offset 11) or reserved bytes (100) are not of version 1");
  if (auto defect = header_defect(h); !defect.empty()) return chunk_failure(errc::corrupted, h.key, defect);
  return h;
}

outcome<opened_chunk> open_chunk(byte_view file, const session_key& key, zstd_decompressor& decompressor) {
  auto header = read_chunk_header(file);
  if (!header) return pass_on(std::move(header));
  if (file.size() != header->sealed_size_bytes)
    return chunk_failure(file.size() < header->sealed_size_bytes ? errc::truncated : errc::corrupted, header->key,
                         "the file has " + std::to_string(file.size()) + " bytes, its header says " +
                           std::to_string(header->sealed_size_bytes));
  auto chunk_key = derive_chunk_key(key, header->key.on, header->key.index);
  if (commit_chunk_key(chunk_key) != header->key_commitment)
    return chunk_failure(errc::wrong_key, header->key, "sealed under another session key");
  auto head = file.first(chunk_header_size_bytes);
  auto sealed = file.subspan(chunk_header_size_bytes);
  byte_buffer body(sealed.size() - aead_tag_size_bytes);
  if (!aead_open(body, sealed, head, header->nonce, chunk_key))
    return chunk_failure(errc::corrupted, header->key, "the sealed bytes were changed");
  if (!header->compressed) return opened_chunk{*header, std::move(body)};
  byte_buffer plain(header->plain_size_bytes); // Bounded by header_defect, and authenticated.
  if (auto done = decompressor.decompress(body, plain); !done)
    return fail(errc::corrupted, "chunk", "chunk " + std::to_string(header->key.index) + " was sealed damaged",
                std::move(done).error());
  return opened_chunk{*header, std::move(plain)};
}

outcome<opened_chunk> open_chunk(byte_view file, const session_key& key) {
  zstd_decompressor decompressor;
  return open_chunk(file, key, decompressor);
}

outcome<sealed_chunk> describe_chunk(payload file) {
  auto header = read_chunk_header(file.view());
  if (!header) return pass_on(std::move(header));
  if (file.size() != header->sealed_size_bytes)
    return chunk_failure(file.size() < header->sealed_size_bytes ? errc::truncated : errc::corrupted, header->key,
                         "the file has another size than its header says");
  auto hashes = hash_file(file.view());
  return sealed_chunk{record_of(*header, hashes), std::move(file), std::move(hashes.leaves)};
}

byte_buffer encode_leaves(std::span<const digest> leaves) {
  byte_buffer table;
  table.reserve(leaves.size() * 32);
  for (const auto& leaf : leaves) table.insert(table.end(), leaf.begin(), leaf.end());
  return table;
}

outcome<std::vector<digest>> decode_leaves(byte_view table, const chunk_record& record) {
  auto size_bytes = block_count_of(record.sealed_size_bytes) * 32;
  if (table.size() != size_bytes)
    return chunk_failure(table.size() < size_bytes ? errc::truncated : errc::corrupted, record.key,
                         "its leaf table has " + std::to_string(table.size()) + " bytes, expected " +
                           std::to_string(size_bytes));
  std::vector<digest> leaves(size_bytes / 32);
  field_reader in(table);
  for (auto& leaf : leaves) in.get(leaf);
  if (merkle_root(leaves) != record.root)
    return chunk_failure(errc::corrupted, record.key, "its leaf table does not have the chunk's root");
  return leaves;
}

} // namespace lucid
