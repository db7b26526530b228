// tests/unit/chunk_codec_tests.cpp - Merkle trees and chunk files: round trips, and every way they can be wrong.
#define BOOST_TEST_MODULE chunk_codec_tests
#include <boost/test/unit_test.hpp>

#include "tests/unit/format_fixture.hpp"

using namespace lucid;
using namespace lucid::test;

namespace {

sealed_chunk sealed(byte_buffer bytes, std::uint64_t seed = 1) {
  seeded_random random(seed);
  seal_scratch scratch;
  return seal_chunk(chunk_of(std::move(bytes)), key_of(0x22), random, scratch).value();
}

/// The definition of RFC 9162, section 2.1.1, word for word.
digest root_by_definition(std::span<const digest> leaves) {
  if (leaves.size() == 1) return leaves[0];
  std::size_t k = 1;
  while (k * 2 < leaves.size()) k *= 2;
  return merkle_node(root_by_definition(leaves.first(k)), root_by_definition(leaves.subspan(k)));
}

std::vector<digest> some_leaves(std::size_t count) {
  std::vector<digest> leaves;
  for (std::size_t i = 0; i < count; ++i) leaves.push_back(merkle_leaf(random_bytes(5, i)));
  return leaves;
}

} // namespace

BOOST_AUTO_TEST_CASE(roots_are_those_of_rfc_9162_and_every_path_leads_to_them) {
  BOOST_TEST((merkle_root({}) == digest{}));
  for (std::size_t count = 1; count <= 70; ++count) {
    auto leaves = some_leaves(count);
    auto root = merkle_root(leaves);
    BOOST_TEST((root == root_by_definition(leaves)));
    for (std::size_t i = 0; i < count; ++i) {
      auto path = merkle_path(leaves, i);
      BOOST_TEST((merkle_root_from_path(leaves[i], i, count, path).value() == root));
      if (!path.empty()) {
        auto shorter = std::span(path).first(path.size() - 1);
        auto too_short = merkle_root_from_path(leaves[i], i, count, shorter);
        BOOST_TEST((!too_short || *too_short != root));
      }
      path.push_back({});
      auto too_long = merkle_root_from_path(leaves[i], i, count, path);
      BOOST_TEST((!too_long || *too_long != root));
    }
    BOOST_TEST(!merkle_root_from_path(leaves[0], count, count, {}).has_value());
  }
}

BOOST_AUTO_TEST_CASE(leaf_node_and_plain_hash_of_the_same_bytes_differ) {
  auto leaves = some_leaves(2);
  byte_buffer both(leaves[0].begin(), leaves[0].end());
  both.insert(both.end(), leaves[1].begin(), leaves[1].end());
  BOOST_TEST((merkle_node(leaves[0], leaves[1]) != merkle_leaf(both)));
  BOOST_TEST((merkle_leaf(both) != blake3(both)));
}

BOOST_AUTO_TEST_CASE(a_file_is_hashed_in_one_pass_as_block_by_block) {
  for (std::size_t size_bytes : {0u, 1u, 16383u, 16384u, 16385u, 131072u, 131073u, 500'000u}) {
    auto file = random_bytes(size_bytes, size_bytes);
    auto hashes = hash_file(file);
    BOOST_TEST((hashes.content == blake3(file)));
    BOOST_TEST(hashes.leaves.size() == block_count_of(size_bytes));
    for (std::size_t i = 0; i < hashes.leaves.size(); ++i) {
      auto rest = byte_view(file).subspan(i * block_size_bytes);
      BOOST_TEST((hashes.leaves[i] == merkle_leaf(rest.first(std::min(block_size_bytes, rest.size())))));
    }
  }
}

BOOST_AUTO_TEST_CASE(chunks_of_every_size_open_to_what_was_sealed) {
  seeded_random random(42);
  seal_scratch scratch;
  std::mt19937 sizes(42);
  for (int round = 0; round < 40; ++round) {
    plain_chunk plain = chunk_of({}, round % 2 ? track::video : track::events, static_cast<std::uint32_t>(round));
    plain.last_of_track = round % 3 == 0;
    plain.parts.clear();
    static constexpr std::size_t edges[] = {0, 1, 16383, 16384, 16385};
    byte_buffer whole;
    for (int part = 0; part < (round < 5 ? 1 : round % 7); ++part) {
      auto size = round < 5 ? edges[round] : sizes() % 100'000;
      auto bytes = sizes() % 2 ? random_bytes(size, sizes()) : dull_bytes(size);
      whole.insert(whole.end(), bytes.begin(), bytes.end());
      plain.parts.emplace_back(std::move(bytes));
    }
    auto chunk = seal_chunk(plain, key_of(7), random, scratch).value();
    auto opened = open_chunk(chunk.file.view(), key_of(7));
    BOOST_TEST_REQUIRE(opened.has_value(), "seed 42, round " << round);
    BOOST_TEST((opened->plain == whole));
    BOOST_TEST((opened->header.key == plain.key && opened->header.span == plain.span));
    BOOST_TEST(opened->header.last_of_track == plain.last_of_track);
    BOOST_TEST(chunk.record.plain_size_bytes == whole.size());
    BOOST_TEST(chunk.record.sealed_size_bytes == chunk.file.size());
    BOOST_TEST((chunk.record.content == blake3(chunk.file.view())));
    BOOST_TEST((chunk.record.root == merkle_root(chunk.leaves)));
    BOOST_TEST((describe_chunk(chunk.file)->record == chunk.record));
  }
}

BOOST_AUTO_TEST_CASE(dull_bytes_are_compressed_and_random_ones_stored) {
  BOOST_TEST(read_chunk_header(sealed(dull_bytes(100'000)).file.view())->compressed);
  BOOST_TEST(!read_chunk_header(sealed(random_bytes(100'000, 1)).file.view())->compressed);
}

BOOST_AUTO_TEST_CASE(every_flipped_byte_and_every_shortened_file_is_refused) {
  for (bool dull : {false, true}) {
    auto chunk = sealed(dull ? dull_bytes(900) : random_bytes(300, 5));
    byte_buffer file(chunk.file.view().begin(), chunk.file.view().end());
    for (std::size_t at = 0; at < file.size(); ++at) {
      for (int bit : {0, 7}) {
        auto damaged = file;
        damaged[at] = static_cast<std::uint8_t>(damaged[at] ^ (1 << bit));
        auto opened = open_chunk(damaged, key_of(0x22));
        BOOST_TEST_REQUIRE(!opened.has_value(), "byte " << at);
        auto code = opened.error().code;
        BOOST_TEST((code == errc::corrupted || (code == errc::unsupported && (at == 8 || at == 9))),
                   "byte " << at << ": " << to_string(opened.error()));
      }
      auto cut = open_chunk(byte_view(file).first(at), key_of(0x22));
      BOOST_TEST((!cut && cut.error().code == errc::truncated), "cut at " << at);
    }
    file.push_back(0);
    BOOST_TEST((open_chunk(file, key_of(0x22)).error().code == errc::corrupted));
  }
}

BOOST_AUTO_TEST_CASE(another_key_is_told_from_damage) {
  auto chunk = sealed(random_bytes(300, 5));
  auto opened = open_chunk(chunk.file.view(), key_of(0x23));
  BOOST_TEST((opened.error().code == errc::wrong_key));
}

BOOST_AUTO_TEST_CASE(a_header_of_another_place_does_not_open_the_body) {
  seeded_random random(3);
  seal_scratch scratch;
  auto bytes = random_bytes(500, 1);
  auto first = seal_chunk(chunk_of(bytes, track::video, 0), key_of(1), random, scratch).value();
  auto second = seal_chunk(chunk_of(bytes, track::video, 1), key_of(1), random, scratch).value();
  auto again = seal_chunk(chunk_of(bytes, track::video, 0), key_of(1), random, scratch).value();
  auto swap_header = [](const sealed_chunk& head, const sealed_chunk& body) {
    byte_buffer file(body.file.view().begin(), body.file.view().end());
    std::copy_n(head.file.view().begin(), chunk_header_size_bytes, file.begin());
    return file;
  };
  BOOST_TEST((open_chunk(swap_header(second, first), key_of(1)).error().code == errc::corrupted));
  BOOST_TEST((open_chunk(swap_header(again, first), key_of(1)).error().code == errc::corrupted));
  // A forged header with a matching digest still names a chunk whose key is another.
  byte_buffer forged(first.file.view().begin(), first.file.view().end());
  forged[12] = 1;
  auto check = blake3_derive("lucid v1 chunk header", {byte_view(forged).first(160)});
  std::copy(check.begin(), check.end(), forged.begin() + 160);
  BOOST_TEST((open_chunk(forged, key_of(1)).error().code == errc::wrong_key));
}

BOOST_AUTO_TEST_CASE(what_breaks_a_bound_is_not_sealed) {
  seeded_random random(3);
  seal_scratch scratch;
  auto seal = [&](const plain_chunk& plain) { return seal_chunk(plain, key_of(1), random, scratch); };
  BOOST_TEST((seal(chunk_of(byte_buffer(chunk_size_bytes_max + 1))).error().code == errc::limit_exceeded));
  auto backwards = chunk_of({});
  std::swap(backwards.span.first_sequence, backwards.span.last_sequence);
  BOOST_TEST((seal(backwards).error().code == errc::invalid_input));
  auto far = chunk_of({});
  far.key.index = chunk_count_max;
  BOOST_TEST((seal(far).error().code == errc::invalid_input));
}

BOOST_AUTO_TEST_CASE(a_leaf_table_is_believed_only_with_the_chunks_root) {
  auto chunk = sealed(random_bytes(100'000, 1));
  auto table = encode_leaves(chunk.leaves);
  BOOST_TEST(table.size() == 32 * block_count_of(chunk.file.size()));
  BOOST_TEST((decode_leaves(table, chunk.record).value() == chunk.leaves));
  BOOST_TEST((decode_leaves(byte_view(table).first(64), chunk.record).error().code == errc::truncated));
  table[40] ^= 1;
  BOOST_TEST((decode_leaves(table, chunk.record).error().code == errc::corrupted));
}

BOOST_AUTO_TEST_CASE(session_ids_keys_and_wraps) {
  seeded_random random(1);
  sign_public_key node{};
  auto id = make_session_id(random, node, 5);
  BOOST_TEST((id != make_session_id(random, node, 5)));
  auto key = make_session_key(random);
  auto owner = key_of(2);
  std::vector<box_public_key> to{box_public_key_of(key_of(3)), box_public_key_of(owner), box_public_key_of(owner)};
  auto wrapped = wrap_session_key(key, to).value();
  BOOST_TEST(wrapped.size() == 2u);
  auto commitment = commit_session_key(key);
  BOOST_TEST(equal_constant_time(unwrap_session_key(wrapped, owner, &commitment)->view(), key.view()));
  BOOST_TEST((unwrap_session_key(wrapped, key_of(4)).error().code == errc::not_found));
  auto other = commit_session_key(key_of(9));
  BOOST_TEST((unwrap_session_key(wrapped, owner, &other).error().code == errc::corrupted));
  wrapped[1].sealed[50] ^= 1;
  BOOST_TEST((unwrap_session_key(wrapped, owner).error().code == errc::corrupted));
  std::vector<box_public_key> many;
  for (std::uint8_t i = 0; i < 65; ++i) many.push_back(box_public_key_of(key_of(static_cast<std::uint8_t>(i + 100))));
  BOOST_TEST((wrap_session_key(key, many).error().code == errc::limit_exceeded));
}
