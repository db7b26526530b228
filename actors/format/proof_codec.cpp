// actors/format/proof_codec.cpp - proof files, block proofs, and a chunk file against its record.
#include "actors/format/proof_codec.hpp"

#include <algorithm>

#include "actors/format/canonical_json.hpp"
#include "actors/format/chunk_codec.hpp"
#include "actors/format/ledger_codec.hpp"
#include "actors/format/manifest_codec.hpp"

namespace lucid {
namespace {

constexpr const char* who = "proof";
constexpr std::string_view format_name = "lucid proof";
constexpr std::size_t chunk_block_count_max =
  (chunk_size_bytes_max + chunk_overhead_size_bytes + block_size_bytes - 1) / block_size_bytes;

const char* name_of(track on) noexcept { return on == track::video ? "video" : "events"; }

// --- JSON ------------------------------------------------------------------------------------------------------

json to_json(const anchor_record& a) {
  return {{"block_height", a.block_height},
          {"entry",
           {{"manifest_hash", to_hex(a.entry.manifest_hash)},
            {"root", to_hex(a.entry.root)},
            {"sealed_us", a.entry.sealed_us},
            {"session", to_hex(a.entry.session)}}},
          {"entry_index", a.entry_index},
          {"path", hex_of(a.path)}};
}

json to_json(const chunk_leaves& l) {
  return {{"index", l.index}, {"leaves", hex_of(l.leaves)}, {"track", name_of(l.on)}};
}

anchor_record read_anchor(json_reader& outer) {
  json_reader in(outer.object("anchor"), "anchor", who);
  anchor_record a;
  a.block_height = in.number("block_height");
  a.entry_index = static_cast<std::uint32_t>(in.number("entry_index", block_entry_count_max - 1));
  a.path = in.digests("path", merkle_path_length_max);
  json_reader entry(in.object("entry"), "anchor.entry", who);
  entry.hex("manifest_hash", a.entry.manifest_hash);
  entry.hex("root", a.entry.root);
  a.entry.sealed_us = entry.time("sealed_us");
  entry.hex("session", a.entry.session);
  if (auto done = entry.finish(); !done) in.absorb(entry);
  if (auto done = in.finish(); !done) outer.absorb(in);
  return a;
}

std::vector<block_header> read_blocks(json_reader& outer) {
  std::vector<block_header> blocks;
  for (const auto& value : outer.list("blocks", proof_block_count_max)) {
    auto place = "blocks[" + std::to_string(blocks.size()) + "]";
    json_reader in(value, place, who);
    auto block = decode_block_header(in.hex_bytes("header", block_header_size_bytes));
    if (!block) in.refuse("header", block.error().what, block.error().code);
    if (auto done = in.finish(); !done) {
      outer.absorb(in);
      break;
    }
    blocks.push_back(*block);
  }
  return blocks;
}

std::vector<chunk_leaves> read_leaves(json_reader& outer) {
  std::vector<chunk_leaves> result;
  for (const auto& value : outer.list("leaves", chunk_count_max)) {
    json_reader in(value, "leaves[" + std::to_string(result.size()) + "]", who);
    chunk_leaves l;
    l.index = static_cast<std::uint32_t>(in.number("index", chunk_count_max - 1));
    l.leaves = in.digests("leaves", chunk_block_count_max);
    auto name = in.text("track", 6);
    l.on = name == name_of(track::events) ? track::events : track::video;
    if (name != name_of(l.on)) in.refuse("track", "expected \"video\" or \"events\"");
    if (auto done = in.finish(); !done) {
      outer.absorb(in);
      break;
    }
    result.push_back(std::move(l));
  }
  return result;
}

// --- verifying -------------------------------------------------------------------------------------------------

tl::unexpected<error> damaged(std::string what) { return fail(errc::corrupted, who, std::move(what)); }

const chunk_record* find_chunk(const manifest& m, track on, std::uint32_t index) {
  for (const auto& t : m.tracks)
    if (t.on == on && index < t.chunks.size()) return &t.chunks[index];
  return nullptr;
}

outcome<void> verify_blocks(const std::vector<block_header>& blocks) {
  if (blocks.empty()) return damaged("it shows no block");
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (auto good = verify_block(blocks[i]); !good) return good;
    if (i > 0)
      if (auto linked = verify_link(blocks[i - 1], blocks[i]); !linked) return linked;
  }
  return {};
}

outcome<void> verify_leaves(const std::vector<chunk_leaves>& leaves, const manifest& m) {
  for (const auto& l : leaves) {
    auto record = find_chunk(m, l.on, l.index);
    auto name = std::string(name_of(l.on)) + " chunk " + std::to_string(l.index);
    if (!record) return damaged("leaf table of " + name + ", which the manifest does not have");
    if (l.leaves.size() != block_count_of(record->sealed_size_bytes) || merkle_root(l.leaves) != record->root)
      return damaged("the leaf table of " + name + " does not have the chunk's root");
  }
  return {};
}

bool trusts(const std::vector<sign_public_key>& trusted, const sign_public_key& key) {
  return trusted.empty() || std::find(trusted.begin(), trusted.end(), key) != trusted.end();
}

outcome<void> verify_trust(const recording_proof& proof, const manifest& m, const trusted_keys& trusted) {
  if (!trusts(trusted.recorders, m.recorder))
    return fail(errc::permission_denied, who, "recorder " + to_hex(m.recorder) + " is not a trusted one");
  for (const auto& block : proof.blocks)
    if (!trusts(trusted.producers, block.producer))
      return fail(errc::permission_denied, who,
                  "producer " + to_hex(block.producer) + " of block " + std::to_string(block.height) +
                    " is not a trusted one");
  return {};
}

} // namespace

outcome<std::string> encode_proof(const recording_proof& proof) {
  auto document = parse_canonical(proof.document.canonical, manifest_size_bytes_max, who);
  if (!document) return pass_on(std::move(document));
  auto blocks = json::array();
  for (const auto& block : proof.blocks) blocks.push_back({{"header", to_hex(encode_block_header(block))}});
  auto leaves = json::array();
  for (const auto& l : proof.leaves) leaves.push_back(to_json(l));
  json value{{"anchor", to_json(proof.anchor)},
             {"blocks", std::move(blocks)},
             {"format", format_name},
             {"leaves", std::move(leaves)},
             {"manifest", std::move(*document)},
             {"signature", to_hex(proof.document.by)},
             {"version", 1}};
  auto text = canonical_text(value, who);
  if (text && text->size() > proof_size_bytes_max)
    return fail(errc::limit_exceeded, who, "the proof is above the bound of 64 MiB; leave the leaf tables out");
  return text;
}

outcome<recording_proof> decode_proof(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  auto value = parse_canonical(text, proof_size_bytes_max, who);
  if (!value) return pass_on(std::move(value));
  json_reader in(*value, "", who);
  if (in.text("format", 64) != format_name) in.refuse("format", "expected \"lucid proof\"");
  if (auto version = in.number("version"); in.good() && version != 1)
    in.refuse("version", std::to_string(version) + ", this build reads version 1", errc::unsupported);
  recording_proof proof;
  proof.anchor = read_anchor(in);
  proof.blocks = read_blocks(in);
  proof.leaves = read_leaves(in);
  auto document = canonical_text(in.object("manifest"), who); // The same bytes as in the file: it is canonical.
  in.hex("signature", proof.document.by);
  if (auto done = in.finish(); !done) return pass_on(std::move(done));
  if (!document) return pass_on(std::move(document));
  proof.document.canonical = std::move(*document);
  proof.document.hash = blake3(as_bytes(proof.document.canonical));
  return proof;
}

outcome<proven_recording> verify_proof(const recording_proof& proof, const trusted_keys& trusted) {
  auto m = verify_manifest(proof.document);
  if (!m) return pass_on(std::move(m));
  const auto& entry = proof.anchor.entry;
  if (entry.session != m->session || entry.manifest_hash != proof.document.hash || entry.root != m->root)
    return damaged("the anchored entry is not that of this manifest");
  if (auto blocks = verify_blocks(proof.blocks); !blocks) return pass_on(std::move(blocks));
  if (auto anchored = verify_anchor(proof.anchor, proof.blocks.front()); !anchored) return pass_on(std::move(anchored));
  if (auto leaves = verify_leaves(proof.leaves, *m); !leaves) return pass_on(std::move(leaves));
  if (auto trust = verify_trust(proof, *m, trusted); !trust) return pass_on(std::move(trust));
  return proven_recording{std::move(*m), entry, proof.blocks.front(), proof.blocks.size() - 1};
}

// --- a chunk file against its record ---------------------------------------------------------------------------

namespace {

std::vector<block_damage> compare_blocks(std::span<const digest> found, std::span<const digest> expected,
                                         std::uint64_t file_size_bytes, std::uint64_t expected_size_bytes) {
  std::vector<block_damage> damage;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (i < found.size() && found[i] == expected[i]) continue;
    auto offset = i * block_size_bytes;
    damage.push_back({static_cast<std::uint32_t>(i), offset,
                      std::min<std::uint64_t>(block_size_bytes, expected_size_bytes - offset)});
  }
  bool surplus = file_size_bytes > expected_size_bytes;
  if (surplus && (damage.empty() || damage.back().block + 1 < expected.size()))
    damage.push_back({static_cast<std::uint32_t>(expected_size_bytes / block_size_bytes), expected_size_bytes, 0});
  return damage;
}

std::size_t equal_count(std::span<const digest> a, std::span<const digest> b) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) count += a[i] == b[i];
  return count;
}

/// A file whose header is damaged is known by the blocks that are not.
const chunk_record* recognise(byte_view file, const manifest& m, std::span<const chunk_leaves> leaves) {
  auto found = hash_file(file).leaves;
  const chunk_record* best = nullptr;
  std::size_t best_count = 0;
  for (const auto& l : leaves) {
    auto record = find_chunk(m, l.on, l.index);
    auto count = equal_count(found, l.leaves);
    if (!record || count <= best_count) continue;
    best = record;
    best_count = count;
  }
  if (best) return best;
  const chunk_record* same_size = nullptr;
  for (const auto& t : m.tracks)
    for (const auto& chunk : t.chunks) {
      if (chunk.sealed_size_bytes != file.size()) continue;
      if (same_size) return nullptr;
      same_size = &chunk;
    }
  return same_size;
}

} // namespace

chunk_check check_chunk(byte_view file, const chunk_record& expected, std::span<const digest> leaves) {
  chunk_check result;
  result.expected = expected;
  result.size_bytes = file.size();
  auto hashes = hash_file(file);
  result.intact = file.size() == expected.sealed_size_bytes && hashes.content == expected.content &&
                  merkle_root(hashes.leaves) == expected.root;
  result.blocks_known =
    leaves.size() == block_count_of(expected.sealed_size_bytes) && merkle_root(leaves) == expected.root;
  if (!result.intact && result.blocks_known)
    result.damage = compare_blocks(hashes.leaves, leaves, file.size(), expected.sealed_size_bytes);
  return result;
}

outcome<chunk_check> check_chunk_against_proof(byte_view file, const proven_recording& proven,
                                               std::span<const chunk_leaves> leaves) {
  const auto& m = proven.what;
  const chunk_record* record = nullptr;
  if (auto header = read_chunk_header(file)) {
    if (header->key.session != m.session)
      return fail(errc::not_found, who, "the file is a chunk of recording " + short_id(header->key.session) + ", not of this one");
    record = find_chunk(m, header->key.on, header->key.index);
  } else {
    record = recognise(file, m, leaves);
  }
  if (!record) return fail(errc::not_found, who, "the file cannot be recognised as a chunk of this recording");
  for (const auto& l : leaves)
    if (l.on == record->key.on && l.index == record->key.index) return check_chunk(file, *record, l.leaves);
  return check_chunk(file, *record, {});
}

// --- one block -------------------------------------------------------------------------------------------------

outcome<block_proof> make_block_proof(const manifest& m, std::uint32_t chunk_position, std::uint32_t block_index,
                                      byte_view file) {
  std::vector<const chunk_record*> chunks;
  std::vector<digest> roots;
  for (const auto& t : m.tracks)
    for (const auto& chunk : t.chunks) {
      chunks.push_back(&chunk);
      roots.push_back(chunk.root);
    }
  if (chunk_position >= chunks.size())
    return fail(errc::invalid_input, who, "there is no chunk " + std::to_string(chunk_position));
  auto hashes = hash_file(file);
  if (block_index >= hashes.leaves.size())
    return fail(errc::invalid_input, who, "there is no block " + std::to_string(block_index));
  if (merkle_root(hashes.leaves) != roots[chunk_position])
    return damaged("the chunk file is not the one in the manifest");
  auto block = file.subspan(block_index * block_size_bytes);
  block = block.first(std::min(block_size_bytes, block.size()));
  block_proof proof;
  proof.session = m.session;
  proof.chunk_position = chunk_position;
  proof.chunk_count = static_cast<std::uint32_t>(chunks.size());
  proof.block_index = block_index;
  proof.block_count = static_cast<std::uint32_t>(hashes.leaves.size());
  proof.block.assign(block.begin(), block.end());
  proof.chunk_path = merkle_path(hashes.leaves, block_index);
  proof.session_path = merkle_path(roots, chunk_position);
  return proof;
}

outcome<void> verify_block_proof(const block_proof& proof, const digest& root) {
  if (proof.block.empty() || proof.block.size() > block_size_bytes ||
      proof.chunk_path.size() > merkle_path_length_max || proof.session_path.size() > merkle_path_length_max)
    return fail(errc::limit_exceeded, who, "the block or a path is longer than any can be");
  auto chunk_root =
    merkle_root_from_path(merkle_leaf(proof.block), proof.block_index, proof.block_count, proof.chunk_path);
  if (!chunk_root) return pass_on(std::move(chunk_root));
  auto found = merkle_root_from_path(*chunk_root, proof.chunk_position, proof.chunk_count, proof.session_path);
  if (!found) return pass_on(std::move(found));
  if (*found != root) return damaged("the block does not lead to the root " + to_hex(root));
  return {};
}

} // namespace lucid
