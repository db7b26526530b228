// actors/node/verdict.cpp - checks and sentences of an audit report.
#include "actors/node/verdict.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>

#include <fmt/core.h>

#include "actors/node/session_text.hpp"
#include "messages/data_layout.hpp"

namespace lucid {
namespace {

using subjects = std::initializer_list<audit_subject>;

constexpr subjects of_manifest{audit_subject::manifest};
constexpr subjects of_anchor{audit_subject::anchor, audit_subject::ledger};
constexpr subjects of_chunks{audit_subject::chunk, audit_subject::block, audit_subject::leaf_table};
constexpr subjects of_content{audit_subject::content};
constexpr subjects of_key{audit_subject::key};

const finding* first_of(const audit_report& report, subjects wanted) {
  for (auto& f : report.findings)
    if (std::find(wanted.begin(), wanted.end(), f.subject) != wanted.end()) return &f;
  return nullptr;
}

bool any_of(const audit_report& report, subjects wanted) { return first_of(report, wanted) != nullptr; }

verdict_check check_of(std::string name, bool good, std::string found) {
  return {std::move(name), good ? "ok" : "FAIL", std::move(found)};
}

std::string anchor_text(const audit_report& report, const std::string& other_block) {
  if (!report.block) return "not found in the chain";
  auto& block = *report.block;
  auto key = to_hex(byte_view(block.producer).first(8));
  // Of another node's chain there is this block alone.
  if (!other_block.empty())
    return fmt::format("{}, slot {}, {}, signed by {}...", other_block, block.slot, time_text(block.time_us), key);
  return fmt::format("block {}, slot {}, {}, signed by {}...; {} block{} on top", block.height, block.slot,
                     time_text(block.time_us), key, report.confirmations, report.confirmations == 1 ? "" : "s");
}

std::string chunks_text(const manifest& m, const audit_report& report) {
  std::string tracks;
  for (auto& t : m.tracks)
    tracks += fmt::format("{}{} of {}", tracks.empty() ? "" : ", ", t.chunks.size(), track_name(t.on));
  return fmt::format("{} chunk{} ({}), {} blocks, {} re-hashed", report.chunk_count, report.chunk_count == 1 ? "" : "s",
                     tracks, report.block_count, size_text(report.sealed_bytes));
}

std::uint64_t plain_bytes_of(const manifest& m) {
  std::uint64_t sum = 0;
  for (auto& t : m.tracks)
    for (auto& chunk : t.chunks) sum += chunk.plain_size_bytes;
  return sum;
}

verdict_check content_check(const audit_report& report, const std::optional<std::string>& key_name) {
  auto whole = plain_bytes_of(*report.what);
  auto key = key_name.value_or("?");
  bool good = !any_of(report, of_content);
  if (report.decrypted && good && report.plain_bytes < whole)
    return {"content", "partly",
            fmt::format("{} of {} decrypted with the key {}: what is intact", size_text(report.plain_bytes), size_text(whole),
                        key)};
  if (report.decrypted)
    return check_of("content", good, fmt::format("{} decrypted with the key {}", size_text(report.plain_bytes), key));
  if (any_of(report, of_key)) return check_of("content", false, "the key is not the recording's");
  return {"content", "-", "not looked into: no key was given, none is needed for the rest"};
}

const finding* first_wrong(const audit_report& report, const std::string& check) {
  if (check == "manifest") return first_of(report, of_manifest);
  if (check == "anchor") return first_of(report, of_anchor);
  if (check == "chunks") return first_of(report, of_chunks);
  return first_of(report, of_content);
}

} // namespace

outcome<audit_report> audit_stored(stored_recording& recording, const audit_options& options) {
  auto report = verify_recording(recording, options);
  if (report && report->what && report->what->session != recording.row().summary.id)
    report->findings.push_back({audit_subject::manifest, errc::corrupted, {}, {},
                                "it is the manifest of recording " + short_id(report->what->session)});
  return report;
}

anchor_verdict anchor_verdict_of(const stored_recording& recording, const audit_report& report) {
  if (report.findings.size() != 1 || report.findings[0].code != errc::not_found) return anchor_verdict::judged;
  auto subject = report.findings[0].subject;
  if (recording.is_copy() && (subject == audit_subject::anchor || subject == audit_subject::ledger)) return anchor_verdict::no_chain;
  bool pending = !is_final(recording.row().summary.state) && subject == audit_subject::anchor;
  return pending ? anchor_verdict::pending : anchor_verdict::judged;
}

std::string other_block_of(stored_recording& recording, const audit_report& report, const chain_names& names) {
  auto anchored = recording.anchored();
  if (!anchored || !anchored->block || !report.block) return {};
  return block_sentence(report.block->height, report.block->producer, names);
}

std::vector<verdict_check> checks_of(const audit_report& report, anchor_verdict anchor, const std::optional<std::string>& key_name,
                                     const std::string& other_block) {
  std::vector<verdict_check> checks;
  bool manifest_good = report.what && !any_of(report, of_manifest);
  checks.push_back(check_of("manifest", manifest_good,
                            report.what ? "hash and signature of the recorder" : "cannot be read or does not verify"));
  if (!report.what) return checks;
  if (anchor == anchor_verdict::pending) checks.push_back({"anchor", "pending", "not yet in the chain"});
  else if (anchor == anchor_verdict::no_chain) checks.push_back({"anchor", "-", "no chain here: this is a folder of copies"});
  else checks.push_back(check_of("anchor", report.anchored && !any_of(report, of_anchor), anchor_text(report, other_block)));
  checks.push_back(check_of("chunks", !any_of(report, of_chunks), chunks_text(*report.what, report)));
  checks.push_back(content_check(report, key_name));
  return checks;
}

std::string verdict_text(const audit_report& report, anchor_verdict anchor) {
  if (report.intact()) return "INTACT: every byte is what was sealed, signed and anchored.";
  if (anchor == anchor_verdict::no_chain)
    return "COPY INTACT: every byte is what was sealed and signed. No chain here: this is a folder of copies.";
  if (anchor == anchor_verdict::pending) return "NOT YET ANCHORED: every byte is what was sealed and signed.";
  auto count = report.findings.size() + report.findings_left_out;
  return fmt::format("NOT INTACT: {} finding{}.", count, count == 1 ? "" : "s");
}

recording_verdict verdict_of(const audit_report& report, anchor_verdict anchor, const std::string& other_block) {
  recording_verdict verdict{verdict_text(report, anchor), checks_of(report, anchor, std::nullopt, other_block), {}};
  for (auto& check : verdict.checks)
    if (auto* wrong = check.verdict == "FAIL" ? first_wrong(report, check.name) : nullptr)
      check.found += "; " + wrong->what;
  for (auto& f : report.findings)
    if (f.chunk && f.block && verdict.damage.size() < verdict_damage_max)
      verdict.damage.push_back({f.chunk->on, f.chunk->index, f.block->block, f.block->offset_bytes});
  return verdict;
}

} // namespace lucid
