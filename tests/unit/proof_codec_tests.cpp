// tests/unit/proof_codec_tests.cpp - manifest, ledger and proof: what they say, and that nobody can change it.
#define BOOST_TEST_MODULE proof_codec_tests
#include <boost/test/unit_test.hpp>

#include "tests/unit/format_fixture.hpp"

using namespace lucid;
using namespace lucid::test;

namespace {

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  auto at = text.find(what);
  BOOST_TEST_REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), with);
}

errc refusal(const std::string& manifest_text) {
  auto m = decode_manifest(manifest_text);
  BOOST_TEST_REQUIRE(!m.has_value());
  return m.error().code;
}

} // namespace

// --- manifest --------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_manifest_reads_back_and_verifies) {
  recording r;
  auto m = verify_manifest(r.document).value();
  BOOST_TEST(encode_manifest(m).value() == r.document.canonical);
  BOOST_TEST(m.title == r.what.title);
  BOOST_TEST((m.tracks[0].chunks == r.what.tracks[0].chunks));
  BOOST_TEST((m.tracks[1].chunks == r.what.tracks[1].chunks));
  BOOST_TEST((m.keys[0].sealed == r.what.keys[0].sealed));
  BOOST_TEST(r.document.canonical.starts_with("{\"ended_us\":1704068220000000,\"format\":\"lucid manifest\",\"gap_count\":0,"));
}

BOOST_AUTO_TEST_CASE(every_flipped_byte_of_a_signed_manifest_is_detected) {
  recording r;
  for (std::size_t at = 0; at < r.document.canonical.size(); ++at) {
    auto changed = r.document;
    changed.canonical[at] = static_cast<char>(changed.canonical[at] ^ 1);
    BOOST_TEST_REQUIRE(!verify_manifest(changed).has_value(), "byte " << at);
    changed.hash = blake3(as_bytes(changed.canonical)); // Whoever changes the text can state its hash.
    BOOST_TEST_REQUIRE(!verify_manifest(changed).has_value(), "byte " << at);
  }
  auto changed = r.document;
  changed.by[3] ^= 1;
  BOOST_TEST((verify_manifest(changed).error().code == errc::bad_signature));
  changed = r.document;
  changed.hash[3] ^= 1;
  BOOST_TEST((verify_manifest(changed).error().code == errc::corrupted));
}

BOOST_AUTO_TEST_CASE(what_is_not_canonical_or_not_known_is_refused) {
  auto text = recording().document.canonical;
  BOOST_TEST((refusal(" " + text) == errc::invalid_input));
  BOOST_TEST((refusal(text + "\n") == errc::invalid_input));
  BOOST_TEST((refusal(replaced(text, "\"gap_count\":0", "\"gap_count\":0,\"gap_count\":0")) == errc::invalid_input));
  BOOST_TEST((refusal(replaced(text, "\"gap_count\":0", "\"gap_count\":0.0")) == errc::invalid_input));
  BOOST_TEST((refusal(replaced(text, "\"gap_count\":0", "\"gap_count\":-0")) == errc::invalid_input));
  BOOST_TEST((refusal(replaced(text, "\"gap_count\":0", "\"gap_count\":9007199254740992")) == errc::invalid_input));
  BOOST_TEST((refusal(replaced(text, "\"gap_count\":0", "\"gap_count\":0,\"h\":1")) == errc::invalid_input));
  BOOST_TEST((refusal(replaced(text, "\"gap_count\":0,", "")) == errc::invalid_input));
  BOOST_TEST((refusal(replaced(text, "\"version\":1", "\"version\":2")) == errc::unsupported));
  BOOST_TEST((refusal(replaced(text, "lucid test", "lucid \\u0074est")) == errc::invalid_input));
  BOOST_TEST((refusal(replaced(text, "lucid test", "lucid \xff")) == errc::invalid_input));
  BOOST_TEST((refusal(replaced(text, "\"index\":1", "\"index\":2")) == errc::invalid_input));
  BOOST_TEST((refusal(std::string(3'000'000, '[')) == errc::invalid_input));
  BOOST_TEST((refusal(std::string(manifest_size_bytes_max + 1, ' ')) == errc::limit_exceeded));
  BOOST_TEST((refusal("") == errc::invalid_input));
  BOOST_TEST((refusal("[]") == errc::invalid_input));
  auto unknown = decode_manifest(replaced(text, "\"title\":\"a test", "\"title\":7,\"titlf\":\"a test"));
  BOOST_TEST(unknown.error().what == "title: expected a text");
}

BOOST_AUTO_TEST_CASE(a_manifest_that_breaks_a_rule_is_not_written) {
  auto refused = [](auto change) {
    recording r;
    change(r.what);
    return sign_manifest(r.what, r.recorder).error().code == errc::invalid_input;
  };
  BOOST_TEST(refused([](manifest& m) { m.title = std::string(201, 'x'); }));
  BOOST_TEST(refused([](manifest& m) { m.title = "\xc3"; }));
  BOOST_TEST(refused([](manifest& m) { m.root[0] ^= 1; }));
  BOOST_TEST(refused([](manifest& m) { m.tracks[0].chunks[1].key.index = 2; }));
  BOOST_TEST(refused([](manifest& m) { m.tracks[0].chunks[1].key.session[0] ^= 1; }));
  BOOST_TEST(refused([](manifest& m) { m.tracks[0].chunks[1].span.first_sequence = 10; }));
  BOOST_TEST(refused([](manifest& m) { m.tracks[0].chunks[1].sealed_size_bytes = 5; }));
  BOOST_TEST(refused([](manifest& m) { m.ended_us = m.started_us - 1; }));
  BOOST_TEST(refused([](manifest& m) { m.keys.push_back(m.keys[0]); }));
  BOOST_TEST(refused([](manifest& m) { std::swap(m.tracks[0], m.tracks[1]); }));
  BOOST_TEST(refused([](manifest& m) { m.recorder[0] ^= 1; }));
  BOOST_TEST(refused([](manifest& m) { m.gap_count = std::uint64_t{1} << 53; }));
}

// --- ledger ----------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(blocks_read_back_link_and_verify) {
  recording r;
  for (const auto& block : r.blocks) {
    BOOST_TEST(verify_block(block).has_value());
    BOOST_TEST((hash_of(decode_block_header(encode_block_header(block)).value()) == hash_of(block)));
  }
  BOOST_TEST(verify_link(r.blocks[0], r.blocks[1]).has_value());
  BOOST_TEST(verify_link(r.blocks[1], r.blocks[2]).has_value());
  BOOST_TEST((verify_link(r.blocks[0], r.blocks[2]).error().code == errc::corrupted));
  BOOST_TEST(r.blocks[1].slot == 8u); // 1030 s after genesis.
  BOOST_TEST(verify_anchor(r.anchor, r.blocks[1]).has_value());
  BOOST_TEST((decode_entry(encode_entry(r.anchor.entry)).value() == r.anchor.entry));
}

BOOST_AUTO_TEST_CASE(every_flipped_byte_of_a_block_is_detected) {
  recording r;
  for (const auto& block : {r.blocks[0], r.blocks[1]}) {
    auto bytes = encode_block_header(block);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      auto changed = bytes;
      changed[at] ^= 4;
      auto header = decode_block_header(changed);
      BOOST_TEST_REQUIRE((!header || !verify_block(*header)), "byte " << at);
    }
  }
}

BOOST_AUTO_TEST_CASE(an_entry_is_proven_in_its_block_and_place_only) {
  recording r;
  auto refused = [&](auto change) {
    auto record = r.anchor;
    change(record);
    return verify_anchor(record, r.blocks[1]).error().code == errc::corrupted;
  };
  BOOST_TEST(refused([](anchor_record& a) { a.entry.root[0] ^= 1; }));
  BOOST_TEST(refused([](anchor_record& a) { a.entry.sealed_us += 1; }));
  BOOST_TEST(refused([](anchor_record& a) { a.entry_index = 0; }));
  BOOST_TEST(refused([](anchor_record& a) { a.entry_index = 3; }));
  BOOST_TEST(refused([](anchor_record& a) { a.path.pop_back(); }));
  BOOST_TEST(refused([](anchor_record& a) { a.path[0][0] ^= 1; }));
  BOOST_TEST(refused([](anchor_record& a) { a.path.resize(65); }));
  BOOST_TEST((verify_anchor(r.anchor, r.blocks[2]).error().code == errc::corrupted));
}

BOOST_AUTO_TEST_CASE(a_clock_that_steps_back_does_not_break_the_chain) {
  recording r;
  std::vector<anchor_entry> entries{r.anchor.entry};
  auto block = make_block(r.blocks[2], entries, genesis_time_us - 5, r.recorder).value();
  BOOST_TEST(verify_block(block).has_value());
  BOOST_TEST(verify_link(r.blocks[2], block).has_value());
  BOOST_TEST((make_block(r.blocks[2], {}, start_us, r.recorder).error().code == errc::invalid_input));
  BOOST_TEST(slot_of(genesis_time_us + slot_length_us - 1) == 0u);
  BOOST_TEST(slot_of(genesis_time_us + slot_length_us) == 1u);
}

// --- proof -----------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_proof_reads_back_and_proves) {
  recording r;
  for (bool with_leaves : {false, true}) {
    auto text = encode_proof(r.proof(with_leaves)).value();
    auto proof = decode_proof(text + "\n").value();
    BOOST_TEST(encode_proof(proof).value() == text);
    auto proven = verify_proof(proof).value();
    BOOST_TEST((proven.what.session == r.what.session));
    BOOST_TEST(proven.confirmations == 1u);
    BOOST_TEST((proof.document.canonical == r.document.canonical));
  }
}

BOOST_AUTO_TEST_CASE(every_flipped_byte_of_a_proof_is_detected) {
  recording r(3000);
  auto text = encode_proof(r.proof()).value();
  std::size_t unnoticed = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    auto changed = text;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    auto proof = decode_proof(changed);
    if (proof && verify_proof(*proof)) ++unnoticed;
  }
  BOOST_TEST(unnoticed == 0u);
}

BOOST_AUTO_TEST_CASE(only_trusted_signers_pass_where_trust_is_asked_for) {
  recording r;
  auto other = sign_key(key_of(0x77)).public_key();
  auto own = r.recorder.public_key();
  BOOST_TEST(verify_proof(r.proof(), {{other, own}, {own}}).has_value());
  BOOST_TEST((verify_proof(r.proof(), {{other}, {}}).error().code == errc::permission_denied));
  BOOST_TEST((verify_proof(r.proof(), {{}, {other}}).error().code == errc::permission_denied));
}

BOOST_AUTO_TEST_CASE(a_damaged_block_of_a_chunk_file_is_named) {
  recording r;
  auto proof = r.proof();
  auto proven = verify_proof(proof).value();
  for (const auto& chunk : r.chunks) {
    auto whole = check_chunk_against_proof(chunk.file.view(), proven, proof.leaves).value();
    BOOST_TEST((whole.intact && whole.damage.empty() && whole.expected == chunk.record));
    byte_buffer file(chunk.file.view().begin(), chunk.file.view().end());
    for (std::size_t at = 5; at < file.size(); at += 4001) {
      auto damaged = file;
      damaged[at] ^= 1;
      auto check = check_chunk_against_proof(damaged, proven, proof.leaves);
      if (!check) { // One block, and its header is damaged: nothing is left to know it by but its size.
        BOOST_TEST(chunk.leaves.size() == 1u);
        continue;
      }
      BOOST_TEST((!check->intact && check->blocks_known && check->expected == chunk.record));
      BOOST_TEST_REQUIRE(check->damage.size() == 1u);
      BOOST_TEST(check->damage[0].block == at / block_size_bytes);
      BOOST_TEST(check->damage[0].offset_bytes == at / block_size_bytes * block_size_bytes);
    }
  }
}

BOOST_AUTO_TEST_CASE(missing_and_surplus_bytes_are_named) {
  recording r;
  const auto& chunk = r.chunks[0]; // 40,208 bytes: three blocks.
  auto cut = check_chunk(chunk.file.view().first(20'000), chunk.record, chunk.leaves);
  BOOST_TEST_REQUIRE(cut.damage.size() == 2u);
  BOOST_TEST((cut.damage[0].block == 1u && cut.damage[1].block == 2u && cut.damage[1].size_bytes == 40'208u - 32'768u));
  byte_buffer longer(chunk.file.view().begin(), chunk.file.view().end());
  longer.resize(longer.size() + 20'000);
  auto surplus = check_chunk(longer, chunk.record, chunk.leaves);
  BOOST_TEST((!surplus.intact && !surplus.damage.empty() && surplus.damage.front().block == 2u));
  auto unknown = check_chunk(longer, chunk.record, {});
  BOOST_TEST((!unknown.intact && !unknown.blocks_known && unknown.damage.empty()));
  auto proven = verify_proof(r.proof()).value();
  recording foreign(40'000, 9);
  BOOST_TEST((check_chunk_against_proof(random_bytes(100, 1), proven, {}).error().code == errc::not_found));
}

BOOST_AUTO_TEST_CASE(a_block_proof_holds_for_its_block_and_root_only) {
  recording r;
  for (std::uint32_t position = 0; position < 3; ++position) {
    auto file = r.chunks[position].file.view();
    for (std::uint32_t block = 0; block < block_count_of(file.size()); ++block) {
      auto proof = make_block_proof(r.what, position, block, file).value();
      BOOST_TEST(verify_block_proof(proof, r.what.root).has_value());
      auto changed = proof;
      changed.block[7] ^= 1;
      BOOST_TEST((verify_block_proof(changed, r.what.root).error().code == errc::corrupted));
      changed = proof;
      changed.block_index += 1;
      BOOST_TEST(!verify_block_proof(changed, r.what.root).has_value());
      changed = proof;
      changed.session_path[0][0] ^= 1;
      BOOST_TEST(!verify_block_proof(changed, r.what.root).has_value());
      BOOST_TEST(!verify_block_proof(proof, digest{}).has_value());
    }
  }
  auto file = r.chunks[0].file.view();
  BOOST_TEST((make_block_proof(r.what, 3, 0, file).error().code == errc::invalid_input));
  BOOST_TEST((make_block_proof(r.what, 0, 3, file).error().code == errc::invalid_input));
  BOOST_TEST((make_block_proof(r.what, 1, 0, file).error().code == errc::corrupted));
}
