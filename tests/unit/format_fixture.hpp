// tests/unit/format_fixture.hpp - small recordings with fixed keys for the tests of the format.
#pragma once

#include <random>

#include "actors/format/chunk_codec.hpp"
#include "actors/format/journal_codec.hpp"
#include "actors/format/ledger_codec.hpp"
#include "actors/format/manifest_codec.hpp"
#include "actors/format/merkle.hpp"
#include "actors/format/proof_codec.hpp"

namespace lucid::test {

/// Randomness that repeats from a seed.
class seeded_random final : public random_port {
public:
  explicit seeded_random(std::uint64_t seed) : engine_(seed) {}
  void fill(std::span<std::uint8_t> into) override {
    for (auto& byte : into) byte = static_cast<std::uint8_t>(engine_());
  }

private:
  std::mt19937_64 engine_;
};

/// Counts 0, 1, 2 ...: the examples of docs/format.md.
class counting_random final : public random_port {
public:
  void fill(std::span<std::uint8_t> into) override {
    for (auto& byte : into) byte = next_++;
  }

private:
  std::uint8_t next_ = 0;
};

inline secret_key key_of(std::uint8_t byte) {
  std::array<std::uint8_t, 32> bytes;
  bytes.fill(byte);
  return secret_key(bytes);
}

inline byte_buffer random_bytes(std::size_t size_bytes, std::uint64_t seed) {
  byte_buffer bytes(size_bytes);
  seeded_random(seed).fill(bytes);
  return bytes;
}

/// Text-like bytes that compress well.
inline byte_buffer dull_bytes(std::size_t size_bytes) {
  static constexpr std::string_view line = "{\"event\":\"key\",\"at_us\":1704067200000000}\n";
  byte_buffer bytes(size_bytes);
  for (std::size_t i = 0; i < size_bytes; ++i) bytes[i] = static_cast<std::uint8_t>(line[i % line.size()]);
  return bytes;
}

inline constexpr unix_time_us start_us = genesis_time_us + 1'000'000'000;

inline session_id session_of(std::uint8_t byte) {
  session_id id;
  id.fill(byte);
  return id;
}

inline plain_chunk chunk_of(byte_buffer bytes, track on = track::video, std::uint32_t index = 0) {
  plain_chunk chunk;
  chunk.key = {session_of(0x11), on, index};
  chunk.span = {index * 10u + 1, index * 10u + 10, 150, start_us + index * 10'000'000,
                start_us + (index + 1) * 10'000'000};
  chunk.parts.emplace_back(std::move(bytes));
  return chunk;
}

/// Two video chunks and one of events, sealed under key_of(0x22), recorded by the node with seed 0x33.
struct recording {
  session_key key = key_of(0x22);
  sign_key recorder{key_of(0x33)};
  secret_key owner = key_of(0x44);
  std::vector<sealed_chunk> chunks;
  manifest what;
  signed_manifest document;
  std::vector<block_header> blocks; ///< Genesis, the anchoring block, one on top.
  anchor_record anchor;

  explicit recording(std::size_t chunk_size_bytes = 40'000, std::uint64_t seed = 1) {
    seeded_random random(seed);
    seal_scratch scratch;
    auto add = [&](plain_chunk plain) {
      chunks.push_back(seal_chunk(plain, key, random, scratch).value());
    };
    add(chunk_of(random_bytes(chunk_size_bytes, seed), track::video, 0));
    add(chunk_of(random_bytes(chunk_size_bytes / 2, seed + 1), track::video, 1));
    add(chunk_of(dull_bytes(chunk_size_bytes), track::events, 0));
    what.session = session_of(0x11);
    what.title = "a test \"recording\" \xc3\xa9";
    what.owner = "owner";
    what.source = "generator:clock";
    what.recorder = recorder.public_key();
    what.software = "lucid test";
    what.reason = "asked to stop";
    what.started_us = start_us;
    what.ended_us = start_us + 20'000'000;
    what.key_commitment = commit_session_key(key);
    what.keys = {wrap_session_key(key, box_public_key_of(owner)).value()};
    what.tracks = {{track::video, "video/mp4; codecs=\"avc1.64001f\"", {chunks[0].record, chunks[1].record}},
                   {track::events, "application/jsonl", {chunks[2].record}}};
    what.root = session_root(what.tracks);
    document = sign_manifest(what, recorder).value();
    anchor_entries(seed);
  }

  recording_proof proof(bool with_leaves = true) const {
    recording_proof p{document, anchor, {blocks[1], blocks[2]}, {}};
    if (with_leaves)
      for (const auto& c : chunks) p.leaves.push_back({c.record.key.on, c.record.key.index, c.leaves});
    return p;
  }

private:
  void anchor_entries(std::uint64_t seed) {
    anchor_entry own{what.session, document.hash, what.root, start_us + 21'000'000};
    std::vector<anchor_entry> entries{{session_of(0x55), blake3(random_bytes(9, seed)), {}, start_us}, own,
                                      {session_of(0x66), blake3(random_bytes(8, seed)), {}, start_us}};
    blocks = {make_genesis(recorder)};
    blocks.push_back(make_block(blocks[0], entries, start_us + 30'000'000, recorder).value());
    blocks.push_back(make_block(blocks[1], {entries.data(), 1}, start_us + 300'000'000, recorder).value());
    anchor = make_anchor(blocks[1], entries, 1);
  }
};

} // namespace lucid::test
