// tests/unit/format_vectors_tests.cpp - the worked examples of docs/format.md are what the code does.
//
// tests/vectors/format_v1/ holds a small recording made from fixed keys. With LUCID_WRITE_VECTORS=1 the program writes
// the folder; else it makes everything again and compares: each file, and each value with the page's text. Two things
// are taken from the folder instead of being made again: the compressed chunk (zstd's bytes differ between its versions)
// and the wrapped session key (a sealed box is random by design).
#define BOOST_TEST_MODULE format_vectors_tests
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <fstream>
#include <map>

#include <nlohmann/json.hpp>

#include "actors/format/key_file.hpp"
#include "tests/unit/format_fixture.hpp"

using namespace lucid;
using namespace lucid::test;

namespace {

const std::string folder = LUCID_VECTORS "/format_v1/";
const bool writing = std::getenv("LUCID_WRITE_VECTORS") != nullptr;

byte_buffer read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  BOOST_TEST_REQUIRE(in.good(), path << " is missing");
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The content of the vector `name`: `made`, which must be what the folder has.
byte_buffer vector_of(const std::string& name, byte_view made) {
  if (writing) std::ofstream(folder + name, std::ios::binary) << as_text(made);
  auto stored = read_file(folder + name);
  BOOST_TEST((std::ranges::equal(stored, made)), name << " is not what the code makes");
  return stored;
}

/// A vector that cannot be made again: written once, then read.
byte_buffer once(const std::string& name, byte_view made) {
  if (writing && !std::ifstream(folder + name)) std::ofstream(folder + name, std::ios::binary) << as_text(made);
  return read_file(folder + name);
}

/// 1, 2, 3 ... 32 and so on: the keys of the examples.
secret_key example_key(std::uint8_t first) {
  std::array<std::uint8_t, 32> bytes;
  for (std::size_t i = 0; i < 32; ++i) bytes[i] = static_cast<std::uint8_t>(first + i);
  return secret_key(bytes);
}

/// `size` bytes that do not compress: BLAKE3's extended output of the text.
byte_buffer example_video(std::size_t size_bytes) {
  byte_buffer bytes(size_bytes);
  blake3_hasher hasher;
  hasher.update(as_bytes("lucid example video"));
  hasher.finish_into(bytes);
  return bytes;
}

constexpr std::string_view example_events =
  "{\"at_us\":1704070800000000,\"event\":\"start\"}\n{\"at_us\":1704070801000000,\"event\":\"start\"}\n"
  "{\"at_us\":1704070802000000,\"event\":\"start\"}\n{\"at_us\":1704070803000000,\"event\":\"start\"}\n";

constexpr unix_time_us example_start = genesis_time_us + 3'600'000'000;

struct example {
  session_key key = example_key(0x00);
  secret_key owner = example_key(0x20);
  secret_key seed = example_key(0x40);
  sign_key recorder{seed};
  std::map<std::string, std::string> values;

  void add(const std::string& name, byte_view bytes) { values[name] = to_hex(bytes); }
};

plain_chunk example_chunk(const session_id& session, track on, byte_buffer bytes) {
  plain_chunk chunk;
  chunk.key = {session, on, 0};
  bool video = on == track::video;
  chunk.span = {video ? 1u : 2u, video ? 4u : 3u, video ? 30u : 0u, example_start, example_start + 4'000'000};
  chunk.last_of_track = true;
  chunk.parts.emplace_back(std::move(bytes));
  return chunk;
}

} // namespace

BOOST_AUTO_TEST_CASE(the_examples_of_the_format_page_are_what_the_code_does) {
  example x;
  counting_random random;
  auto session = make_session_id(random, x.recorder.public_key(), example_start);
  x.add("recorder_public_key", x.recorder.public_key());
  x.add("session_id", session);
  x.add("session_key_commitment", commit_session_key(x.key));

  seal_scratch scratch;
  auto video_plain = example_video(20'000);
  auto video = seal_chunk(example_chunk(session, track::video, video_plain), x.key, random, scratch).value();
  vector_of("video0.chunk", video.file.view());
  vector_of("video0.leaves", encode_leaves(video.leaves));
  auto events_plain = as_bytes(example_events);
  auto made = seal_chunk(example_chunk(session, track::events, {events_plain.begin(), events_plain.end()}), x.key, random,
                         scratch).value();
  auto events_file = once("events0.chunk", made.file.view());
  auto events = describe_chunk(payload(events_file)).value();
  BOOST_TEST((open_chunk(events_file, x.key)->plain == byte_buffer(events_plain.begin(), events_plain.end())));
  BOOST_TEST(read_chunk_header(events_file)->compressed);
  auto chunk_key = derive_chunk_key(x.key, track::video, 0);
  x.add("video0_chunk_key", chunk_key.view());
  x.add("video0_key_commitment", commit_chunk_key(chunk_key));
  x.add("video0_header", video.file.view().first(chunk_header_size_bytes));
  x.add("video0_tag", video.file.view().last(16));
  x.add("video0_leaf_0", video.leaves[0]);
  x.add("video0_leaf_1", video.leaves[1]);
  x.add("video0_root", video.record.root);
  x.add("video0_content", video.record.content);
  x.add("events0_root", events.record.root);

  journal_encoder journal(session, 0, x.key, random);
  byte_buffer journal_file(journal.header().begin(), journal.header().end());
  fragment init{1, track::video, fragment_kind::init, false, 0, example_start, example_start, payload({'i', 'n', 'i', 't'})};
  fragment event{2, track::events, fragment_kind::event, false, 0, example_start, example_start, payload({'{', '}', '\n'})};
  BOOST_TEST_REQUIRE(journal.append(init, journal_file).has_value());
  BOOST_TEST_REQUIRE(journal.append(event, journal_file).has_value());
  vector_of("journal", journal_file);
  x.add("journal_header", journal.header());
  x.add("journal_record_1", byte_view(journal_file).subspan(112, 48 + 24 + 4 + 16));

  auto wrapped = wrap_session_key(x.key, box_public_key_of(x.owner)).value();
  auto sealed = once("wrapped_key", wrapped.sealed);
  BOOST_TEST_REQUIRE(sealed.size() == wrapped.sealed.size());
  std::ranges::copy(sealed, wrapped.sealed.begin());
  auto commitment = commit_session_key(x.key);
  BOOST_TEST(unwrap_session_key({&wrapped, 1}, x.owner, &commitment).has_value());
  manifest m;
  m.session = session;
  m.title = "Example \xe2\x80\x93 \"quoted\"";
  m.owner = "alice";
  m.source = "generator:clock";
  m.recorder = x.recorder.public_key();
  m.software = "lucid 0.1.0";
  m.reason = "end of source";
  m.started_us = example_start;
  m.ended_us = example_start + 4'000'000;
  m.key_commitment = commitment;
  m.keys = {wrapped};
  m.tracks = {{track::video, "video/mp4; codecs=\"avc1.64001f\"", {video.record}},
              {track::events, "application/jsonl", {events.record}}};
  m.root = session_root(m.tracks);
  auto document = sign_manifest(m, x.recorder).value();
  x.add("session_root", m.root);
  x.add("manifest_hash", document.hash);
  x.add("manifest_signature", document.by);

  std::vector<anchor_entry> entries{{session, document.hash, m.root, example_start + 5'000'000},
                                    {session_id{}, digest{}, digest{}, example_start + 6'000'000}};
  auto genesis = make_genesis(x.recorder);
  auto block = make_block(genesis, entries, example_start + 10'000'000, x.recorder).value();
  recording_proof proof{document, make_anchor(block, entries, 0), {block},
                        {{track::video, 0, video.leaves}, {track::events, 0, events.leaves}}};
  BOOST_TEST(verify_proof(proof).has_value());
  vector_of("proof.json", as_bytes(encode_proof(proof).value() + "\n"));
  x.add("genesis_hash", hash_of(genesis));
  x.add("entry_leaf", leaf_of(entries[0]));
  x.add("entries_root", block.entries_root);
  x.add("block_header", encode_block_header(block));
  x.add("block_hash", hash_of(block));

  identity owner{{key_kind::owner, "alice", example_start, false, box_public_key_of(x.owner), {}}, x.owner.clone(), {}};
  identity node{{key_kind::node, "node-1", example_start, false, box_public_key_of(x.owner), x.recorder.public_key()},
                x.owner.clone(), x.seed.clone()};
  vector_of("alice.key", as_bytes(encode_key_file(owner, no_passphrase{}, random).value()));
  under_passphrase locked{"correct horse", {1, 8u << 20}};
  auto node_file = vector_of("node-1.key", as_bytes(encode_key_file(node, locked, random).value()));
  BOOST_TEST(open_key_file(as_text(node_file), "correct horse").has_value());

  auto page = read_file(LUCID_SOURCE_DIR "/docs/format.md");
  auto text = as_text(page);
  for (const auto& [name, value] : x.values) BOOST_TEST(text.find(value) != text.npos, "docs/format.md: " << name << " is " << value);
  vector_of("values.json", as_bytes(nlohmann::json(x.values).dump(2) + "\n"));
}
