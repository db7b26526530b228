// tests/integration/node_archive_tests.cpp - what the console reads of real recordings, whole and damaged, and of their chain.
#define BOOST_TEST_MODULE node_archive_tests
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <sstream>

#include "actors/format/manifest_codec.hpp"
#include "actors/format/proof_codec.hpp"
#include "actors/node/cli/program.hpp"
#include "actors/node/node_archive.hpp"
#include "actors/node/verdict.hpp"
#include "messages/data_layout.hpp"
#include "tests/doubles/recorded_folder.hpp"
#include "tests/doubles/told_cluster.hpp"

using namespace lucid;
using lucid::testing::key_of;
using lucid::testing::must;
using lucid::testing::recorded_folder;
using lucid::testing::temp_folder;
using lucid::testing::told_cluster;

namespace {

session_id id_of(std::uint8_t first) {
  session_id id;
  id.fill(first);
  return id;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void flip(const std::filesystem::path& file, std::size_t at) {
  auto bytes = read_file(file);
  BOOST_REQUIRE(at < bytes.size());
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  std::ofstream(file, std::ios::binary) << bytes;
}

/// A data folder with one finished recording, 3 chunks of video and one of events, and one that still runs.
struct desk {
  temp_folder folder;
  std::filesystem::path data = folder.path() / "data";
  session_id done = id_of(0x3f), running = id_of(0x77), nobody = id_of(0x01);
  node_archive kept{data};

  desk() {
    BOOST_REQUIRE(run({"keys", "init", "--no-passphrase"}).first == 0);
    recorded_folder recorded(data);
    recorded.add({.id = done});
    recorded.add({.id = running, .finished = false});
  }

  std::pair<int, std::string> run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"--data-dir", data.string()});
    std::ostringstream out, err;
    auto code = run_program(arguments, out, err);
    return {code, out.str()};
  }
  std::filesystem::path chunk(track on, std::uint32_t index) const { return chunk_file(data, {done, on, index}); }
  recording_verdict verify() { return must(kept.verify(done, [] { return false; })); }
};

const verdict_check& check_named(const recording_verdict& verdict, const std::string& name) {
  for (auto& check : verdict.checks)
    if (check.name == name) return check;
  throw std::runtime_error("no check " + name);
}

} // namespace

BOOST_AUTO_TEST_CASE(a_finished_recording_is_read_whole) {
  desk d;
  auto document = must(d.kept.manifest(d.done));
  auto m = must(verify_manifest(document));
  BOOST_TEST((m.session == d.done));
  auto chunks = must(d.kept.chunks(d.done));
  BOOST_REQUIRE(chunks.size() == 4u);
  for (std::uint32_t i = 0; i < 3; ++i) BOOST_TEST((chunks[i].key == chunk_key{d.done, track::video, i}));
  BOOST_TEST((chunks[3].key == chunk_key{d.done, track::events, 0}));
  auto file = must(d.kept.chunk(d.done, track::video, 1));
  auto bytes = file.view();
  BOOST_TEST(std::string(bytes.begin(), bytes.end()) == read_file(d.chunk(track::video, 1)));
  BOOST_TEST(must(d.kept.proof(d.done)) == d.run({"prove", to_hex(d.done)}).second);
  auto proof = must(decode_proof(must(d.kept.proof(d.done))));
  BOOST_TEST((must(verify_proof(proof)).what.session == d.done));
}

BOOST_AUTO_TEST_CASE(what_is_not_there_or_not_yet_is_refused_by_its_own_code) {
  desk d;
  auto never = [] { return false; };
  BOOST_TEST((d.kept.manifest(d.nobody).error().code == errc::not_found));
  BOOST_TEST((d.kept.chunks(d.nobody).error().code == errc::not_found));
  BOOST_TEST((d.kept.chunk(d.nobody, track::video, 0).error().code == errc::not_found));
  BOOST_TEST((d.kept.proof(d.nobody).error().code == errc::not_found));
  BOOST_TEST((d.kept.verify(d.nobody, never).error().code == errc::not_found));
  BOOST_TEST((d.kept.manifest(d.running).error().code == errc::wrong_state));
  BOOST_TEST((d.kept.proof(d.running).error().code == errc::wrong_state));
  BOOST_TEST((d.kept.verify(d.running, never).error().code == errc::wrong_state));
  BOOST_TEST(must(d.kept.chunks(d.running)).size() == 4u);
  BOOST_TEST((d.kept.chunk(d.done, track::video, 3).error().code == errc::not_found));
  BOOST_TEST((d.kept.chunk(d.done, track::events, 1).error().code == errc::not_found));
  std::filesystem::remove(d.chunk(track::events, 0));
  BOOST_TEST((d.kept.chunk(d.done, track::events, 0).error().code == errc::not_found));
}

BOOST_AUTO_TEST_CASE(the_verdict_is_that_of_lucid_verify) {
  desk d;
  auto same_as_program = [&](const recording_verdict& verdict) {
    auto printed = d.run({"verify", to_hex(d.done), "--no-key"}).second;
    BOOST_TEST(printed.find(verdict.text) != printed.npos, printed);
    for (auto& check : verdict.checks)
      if (check.verdict != "FAIL") BOOST_TEST(printed.find(check.found) != printed.npos, check.found);
  };
  auto intact = d.verify();
  BOOST_TEST(intact.text.starts_with("INTACT"));
  BOOST_TEST(intact.damage.empty());
  for (auto* name : {"manifest", "anchor", "chunks"}) BOOST_TEST(check_named(intact, name).verdict == "ok");
  BOOST_TEST(check_named(intact, "content").verdict == "-");
  same_as_program(intact);

  flip(d.chunk(track::video, 1), 16384 + 5);
  auto damaged = d.verify();
  BOOST_TEST(damaged.text.starts_with("NOT INTACT: 1 finding."));
  BOOST_TEST(check_named(damaged, "chunks").verdict == "FAIL");
  BOOST_TEST(check_named(damaged, "chunks").found.find("video chunk 1: block 1") != std::string::npos);
  BOOST_TEST(check_named(damaged, "manifest").verdict == "ok");
  BOOST_REQUIRE(damaged.damage.size() == 1u);
  auto& one = damaged.damage.front();
  BOOST_TEST((one.on == track::video && one.chunk == 1 && one.block == 1 && one.offset_bytes == 16384));
  same_as_program(damaged);

  std::filesystem::remove(d.chunk(track::events, 0)); // Named although it has no blocks.
  flip(d.chunk(track::video, 1), 16384 + 5);
  BOOST_TEST(check_named(d.verify(), "chunks").found.find("events") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_verdict_names_at_most_its_bound_of_blocks_and_says_how_many_findings_there_are) {
  audit_report report;
  report.what = manifest{};
  for (std::uint32_t block = 0; block < 1500; ++block)
    report.findings.push_back({audit_subject::block, errc::corrupted, chunk_key{{}, track::video, 4},
                               block_damage{block, block * 16384u, 16384}, "block"});
  report.findings_left_out = 7;
  auto verdict = verdict_of(report, anchor_verdict::judged);
  BOOST_TEST(verdict.text == "NOT INTACT: 1507 findings.");
  BOOST_TEST(verdict.damage.size() == verdict_damage_max);
  BOOST_TEST(verdict.damage.back().block == 999u);
}

BOOST_AUTO_TEST_CASE(one_verification_at_a_time_and_it_can_be_cancelled) {
  desk d;
  errc second{};
  auto first = d.kept.verify(d.done, [&] {
    second = d.kept.verify(d.done, [] { return false; }).error().code;
    return true;
  });
  BOOST_TEST((second == errc::busy));
  BOOST_TEST((first.error().code == errc::cancelled));
  BOOST_TEST(d.verify().text.starts_with("INTACT")); // Neither is in the way any more.
}

BOOST_AUTO_TEST_CASE(the_chain_is_read_from_its_end_and_searched) {
  desk d;
  recorded_folder(d.data).add({.id = id_of(0x40)});
  auto all = must(d.kept.blocks({}, 1000));
  BOOST_REQUIRE(all.size() == 3u); // Block 0 and one for each recording.
  for (std::size_t i = 0; i < all.size(); ++i) BOOST_TEST(all[i].height == 2 - i);
  BOOST_TEST(must(d.kept.blocks({}, 2)).back().height == 1u);
  BOOST_TEST(must(d.kept.blocks(2, 1)).front().height == 1u);
  BOOST_TEST(must(d.kept.blocks(99, 1)).front().height == 2u);
  BOOST_TEST(must(d.kept.blocks(UINT64_MAX, 1)).front().height == 2u);
  BOOST_TEST(must(d.kept.blocks(0, 10)).empty());
  BOOST_TEST(must(d.kept.blocks({}, 0)).empty());
  auto block = must(d.kept.block(2));
  BOOST_REQUIRE(block.entries.size() == 1u);
  BOOST_TEST((block.entries.front().session == id_of(0x40)));
  BOOST_TEST(must(d.kept.block(0)).entries.empty());
  BOOST_TEST((d.kept.block(3).error().code == errc::not_found));
  auto found = must(d.kept.search("3f3f3f"));
  BOOST_REQUIRE(found.size() == 1u);
  BOOST_TEST((found.front().entry.session == d.done && found.front().place.height == 1));
  BOOST_TEST(must(d.kept.search(to_hex(block.entries.front().root))).size() == 1u);
  BOOST_TEST((d.kept.search("3f").error().code == errc::invalid_input));
}

BOOST_AUTO_TEST_CASE(a_recording_in_the_chain_of_another_node_verifies_is_proved_and_says_whose_it_is) {
  desk d;
  auto there = id_of(0x44);
  recorded_folder(d.data).add({.id = there, .anchored_by = 9});
  auto producer = key_of(9)->public_key();
  auto digits = to_hex(byte_view(producer).first(8));
  auto never = [] { return false; };

  auto verdict = must(d.kept.verify(there, never));
  BOOST_TEST(verdict.text.starts_with("INTACT"), verdict.text);
  BOOST_TEST(check_named(verdict, "anchor").found.starts_with("block 1 of the chain of " + digits));
  auto cluster = std::make_shared<told_cluster>();
  member_view attic;
  attic.name = "attic";
  attic.sign_key = producer;
  cluster->now.members = {attic};
  auto named = must(node_archive(d.data, cluster).verify(there, never));
  BOOST_TEST(check_named(named, "anchor").found.starts_with("block 1 of attic's chain"));
  BOOST_TEST(check_named(d.verify(), "anchor").found.starts_with("block 1, slot")); // Its own is told as before.

  auto proof = must(decode_proof(must(d.kept.proof(there))));
  BOOST_REQUIRE(proof.blocks.size() == 1u);
  BOOST_TEST((proof.blocks.front().producer == producer));
  BOOST_TEST(verify_proof(proof, {{}, {producer}}).has_value());
  BOOST_TEST((verify_proof(proof, {{}, {key_of(8)->public_key()}}).error().code == errc::permission_denied));

  auto [code, shown] = d.run({"sessions", "show", to_hex(there)});
  BOOST_TEST(code == 0);
  BOOST_TEST(shown.find("in block 1 of the chain of " + digits) != shown.npos, shown);
  auto listed = d.run({"sessions", "list"}).second;
  BOOST_TEST(listed.find("1 of " + digits.substr(0, 8)) != listed.npos, listed);
  auto verified = d.run({"verify", to_hex(there), "--no-key"});
  BOOST_TEST(verified.first == 0);
  BOOST_TEST(verified.second.find("block 1 of the chain of " + digits) != verified.second.npos, verified.second);
  BOOST_TEST(must(d.kept.blocks({}, 10)).size() == 2u); // Nothing of it is in the chain of this node.
}
