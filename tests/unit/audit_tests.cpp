// tests/unit/audit_tests.cpp - an auditor finds what is wrong, names it exactly, and nothing else.
#define BOOST_TEST_MODULE audit_tests
#include <boost/test/unit_test.hpp>

#include "actors/audit/audit.hpp"
#include "tests/unit/format_fixture.hpp"

using namespace lucid;
using namespace lucid::test;

namespace {

/// Fault model: any part missing or changed.
class memory_reader final : public recording_reader {
public:
  explicit memory_reader(const recording& r)
    : document_(r.document), anchor_(r.anchor), blocks_{r.blocks[1], r.blocks[2]} {
    for (const auto& c : r.chunks) {
      files_.push_back({c.record.key, byte_buffer(c.file.view().begin(), c.file.view().end()), encode_leaves(c.leaves)});
    }
  }

  struct stored {
    chunk_key key;
    byte_buffer file;
    byte_buffer leaves;
  };

  outcome<signed_manifest> document() override { return document_; }
  outcome<anchor_record> anchor() override {
    if (!anchor_) return fail(errc::not_found, "test", "not anchored");
    return *anchor_;
  }
  outcome<std::vector<block_header>> blocks() override { return blocks_; }
  outcome<payload> chunk(const chunk_record& record) override {
    auto s = find(record);
    if (!s || s->file.empty()) return fail(errc::not_found, "test", "no such file");
    return payload(s->file);
  }
  outcome<byte_buffer> leaves(const chunk_record& record) override {
    auto s = find(record);
    if (!s || s->leaves.empty()) return fail(errc::not_found, "test", "no such file");
    return s->leaves;
  }

  signed_manifest document_;
  std::optional<anchor_record> anchor_;
  std::vector<block_header> blocks_;
  std::vector<stored> files_;

private:
  stored* find(const chunk_record& record) {
    for (auto& s : files_)
      if (s.key == record.key) return &s;
    return nullptr;
  }
};

audit_report audited(memory_reader& reader, audit_options options = {}) {
  return verify_recording(reader, options).value();
}

} // namespace

BOOST_AUTO_TEST_CASE(an_untouched_recording_is_intact_with_and_without_key_on_any_number_of_threads) {
  recording r;
  memory_reader reader(r);
  for (std::uint32_t threads : {0u, 1u, 2u, 100u}) {
    audit_progress last;
    auto plain = audited(reader, {.thread_count = threads, .progress = [&](const auto& p) { last = p; }});
    BOOST_TEST(plain.intact());
    BOOST_TEST((!plain.decrypted && plain.plain_bytes == 0));
    BOOST_TEST((last.done_bytes == last.total_bytes && last.total_bytes == plain.sealed_bytes));
    auto opened = audited(reader, {.key = &r.key, .thread_count = threads});
    BOOST_TEST((opened.intact() && opened.decrypted));
    BOOST_TEST(opened.plain_bytes == 100'000u);
    BOOST_TEST((opened.chunk_count == 3u && opened.confirmations == 1u));
    BOOST_TEST(opened.block_count == 3u + 2u + 1u);
  }
}

BOOST_AUTO_TEST_CASE(each_flipped_byte_of_a_chunk_is_named_by_track_chunk_block_and_offset) {
  recording r;
  std::mt19937 engine(5);
  for (int round = 0; round < 60; ++round) {
    memory_reader reader(r);
    auto which = engine() % 3;
    auto& file = reader.files_[which].file;
    auto at = engine() % file.size();
    file[at] ^= static_cast<std::uint8_t>(1 + engine() % 255);
    auto report = audited(reader, {.key = &r.key, .thread_count = 2});
    BOOST_TEST_REQUIRE(report.findings.size() == 1u, "seed 5, round " << round);
    const auto& f = report.findings[0];
    BOOST_TEST((f.subject == audit_subject::block && f.code == errc::corrupted));
    BOOST_TEST((*f.chunk == r.chunks[which].record.key));
    BOOST_TEST(f.block->block == at / block_size_bytes);
    BOOST_TEST(f.block->offset_bytes == at / block_size_bytes * block_size_bytes);
    BOOST_TEST(!report.intact());
  }
}

BOOST_AUTO_TEST_CASE(a_damaged_leaf_table_is_named_and_the_chunk_still_judged) {
  recording r;
  memory_reader reader(r);
  reader.files_[0].leaves[5] ^= 1;
  auto report = audited(reader);
  BOOST_TEST_REQUIRE(report.findings.size() == 1u);
  BOOST_TEST((report.findings[0].subject == audit_subject::leaf_table));
  reader.files_[0].file[20'000] ^= 1;
  report = audited(reader);
  BOOST_TEST_REQUIRE(report.findings.size() == 2u);
  BOOST_TEST((report.findings[1].subject == audit_subject::chunk && !report.findings[1].block));
  reader.files_[0].leaves.clear();
  BOOST_TEST((audited(reader).findings[0].code == errc::not_found));
}

BOOST_AUTO_TEST_CASE(lost_and_shortened_chunks_are_named) {
  recording r;
  memory_reader reader(r);
  reader.files_[1].file.clear();
  reader.files_[0].file.resize(30'000);
  auto report = audited(reader, {.key = &r.key});
  BOOST_TEST_REQUIRE(report.findings.size() == 3u);
  BOOST_TEST((report.findings[0].block->block == 1u && report.findings[0].code == errc::corrupted));
  BOOST_TEST((report.findings[1].block->block == 2u && report.findings[1].code == errc::truncated));
  BOOST_TEST((report.findings[2].subject == audit_subject::chunk && report.findings[2].code == errc::not_found));
}

BOOST_AUTO_TEST_CASE(two_chunks_in_each_others_place_are_damaged) {
  recording r;
  memory_reader reader(r);
  std::swap(reader.files_[0].key, reader.files_[1].key);
  BOOST_TEST(!audited(reader).intact());
}

BOOST_AUTO_TEST_CASE(manifest_key_anchor_and_ledger_are_told_apart) {
  recording r;
  memory_reader changed(r);
  changed.document_.by[0] ^= 1;
  auto report = audited(changed);
  BOOST_TEST((report.findings.size() == 1u && report.findings[0].code == errc::bad_signature && !report.what));

  memory_reader reader(r);
  auto wrong = key_of(1);
  report = audited(reader, {.key = &wrong});
  BOOST_TEST((report.findings.size() == 1u && report.findings[0].subject == audit_subject::key));

  memory_reader unanchored(r);
  unanchored.anchor_.reset();
  report = audited(unanchored);
  BOOST_TEST((report.findings.size() == 1u && report.findings[0].subject == audit_subject::anchor && !report.anchored));

  memory_reader forged(r);
  forged.blocks_[1].by[0] ^= 1;
  report = audited(forged);
  BOOST_TEST((report.findings.size() == 1u && report.findings[0].subject == audit_subject::ledger));
  BOOST_TEST((report.findings[0].code == errc::bad_signature));

  auto stranger = sign_key(key_of(0x77)).public_key();
  report = audited(reader, {.trusted = {{stranger}, {stranger}}});
  BOOST_TEST((report.findings.size() == 2u && report.findings[0].code == errc::permission_denied));
}

BOOST_AUTO_TEST_CASE(a_header_that_differs_from_the_manifest_is_found_with_the_key) {
  recording r;
  auto lied = r.what;
  lied.tracks[0].chunks[0].span.frame_count += 1; // The node signs what the chunk does not say.
  memory_reader reader(r);
  reader.document_ = sign_manifest(lied, r.recorder).value();
  reader.anchor_.reset();
  auto report = audited(reader, {.key = &r.key});
  BOOST_TEST((report.findings.back().subject == audit_subject::content));
}

BOOST_AUTO_TEST_CASE(verification_can_be_cancelled) {
  recording r;
  memory_reader reader(r);
  BOOST_TEST((verify_recording(reader, {.cancelled = [] { return true; }}).error().code == errc::cancelled));
}

BOOST_AUTO_TEST_CASE(a_proof_is_made_only_of_what_holds) {
  recording r;
  memory_reader reader(r);
  auto proof = prove_recording(reader, true).value();
  BOOST_TEST(encode_proof(proof).value() == encode_proof(r.proof()).value());
  BOOST_TEST(prove_recording(reader, false)->leaves.empty());
  reader.files_[2].leaves[0] ^= 1;
  BOOST_TEST((prove_recording(reader, true).error().code == errc::corrupted));
  reader.anchor_->path[0][0] ^= 1;
  BOOST_TEST((prove_recording(reader, false).error().code == errc::corrupted));
}

BOOST_AUTO_TEST_CASE(an_export_needs_only_the_chunks_of_its_range) {
  recording r;
  auto all = plan_export(r.what, {}, {}).value();
  BOOST_TEST((all.video.size() == 2u && all.events.size() == 1u));
  auto second = plan_export(r.what, start_us + 15'000'000, {}).value();
  BOOST_TEST((second.video.size() == 1u && second.video[0].key.index == 1u && second.events.empty()));
  auto first = plan_export(r.what, {}, start_us + 5'000'000).value();
  BOOST_TEST((first.video.size() == 1u && first.events.size() == 1u));
  BOOST_TEST(first.sealed_bytes == first.video[0].sealed_size_bytes + first.events[0].sealed_size_bytes);
  BOOST_TEST((plan_export(r.what, 5, 4).error().code == errc::invalid_input));
  BOOST_TEST((plan_export(r.what, start_us + 25'000'000, {}).error().code == errc::invalid_input));
}
