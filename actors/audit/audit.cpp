// actors/audit/audit.cpp - the manifest first, then its anchor, then every chunk, on as many threads as asked for.
#include "actors/audit/audit.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <thread>

#include "actors/format/chunk_codec.hpp"
#include "actors/format/ledger_codec.hpp"
#include "actors/format/manifest_codec.hpp"

namespace lucid {
namespace {

constexpr std::uint32_t thread_count_max = 64; // 64 threads hold 64 * 2 * 16 MiB = 2 GiB at most.

std::string name_of(const chunk_key& key) {
  return std::string(key.on == track::video ? "video" : "events") + " chunk " + std::to_string(key.index);
}

finding found(audit_subject subject, const error& e) { return {subject, e.code, std::nullopt, std::nullopt, e.what}; }

finding found(audit_subject subject, errc code, const chunk_key& key, std::string what) {
  return {subject, code, key, std::nullopt, name_of(key) + ": " + std::move(what)};
}

std::vector<chunk_record> chunks_of(const manifest& m) {
  std::vector<chunk_record> chunks;
  for (const auto& t : m.tracks) chunks.insert(chunks.end(), t.chunks.begin(), t.chunks.end());
  return chunks;
}

/// What one chunk adds to the report.
struct chunk_result {
  std::vector<finding> findings;
  std::uint64_t block_count = 0;
  std::uint64_t sealed_bytes = 0;
  std::uint64_t plain_bytes = 0;
};

/// The leaf table is needed only where the chunk is damaged, but a damaged table must not wait for that day.
std::vector<digest> read_leaves(recording_reader& reader, const chunk_record& record, chunk_result& result) {
  auto table = reader.leaves(record);
  auto leaves = table ? decode_leaves(*table, record) : outcome<std::vector<digest>>(pass_on(std::move(table)));
  if (leaves) return std::move(*leaves);
  result.findings.push_back(
    found(audit_subject::leaf_table, leaves.error().code, record.key, "leaf table: " + leaves.error().what));
  return {};
}

void note_damage(const chunk_check& check, chunk_result& result) {
  const auto& key = check.expected.key;
  if (!check.blocks_known || check.damage.empty())
    result.findings.push_back(
      found(audit_subject::chunk, errc::corrupted, key,
            "its " + std::to_string(check.size_bytes) + " bytes are not the " +
              std::to_string(check.expected.sealed_size_bytes) +
              " that were sealed; which block is damaged cannot be told"));
  for (const auto& damage : check.damage) {
    bool missing = damage.offset_bytes >= check.size_bytes;
    bool surplus = damage.size_bytes == 0;
    auto what = "block " + std::to_string(damage.block) + " (byte offset " + std::to_string(damage.offset_bytes) + ", " +
                std::to_string(damage.size_bytes) + " bytes) is " +
                (surplus ? "followed by bytes that were not sealed" : missing ? "missing" : "damaged");
    auto f = found(audit_subject::block, missing && !surplus ? errc::truncated : errc::corrupted, key, what);
    f.block = damage;
    result.findings.push_back(std::move(f));
  }
}

/// What a key can tell beyond the hashes: that the chunk opens, and says of itself what the manifest says of it.
void check_content(byte_view file, const chunk_record& record, const session_key& key, zstd_decompressor& decompressor,
                   chunk_result& result) {
  auto opened = open_chunk(file, key, decompressor);
  if (!opened) {
    result.findings.push_back(found(audit_subject::content, opened.error().code, record.key, opened.error().what));
    return;
  }
  result.plain_bytes = opened->plain.size();
  const auto& h = opened->header;
  if (h.key != record.key || h.span != record.span || h.plain_size_bytes != record.plain_size_bytes)
    result.findings.push_back(found(audit_subject::content, errc::corrupted, record.key,
                                    "its header and the manifest differ about what it covers"));
}

chunk_result check_one(recording_reader& reader, const chunk_record& record, const session_key* key,
                       zstd_decompressor& decompressor) {
  chunk_result result;
  auto leaves = read_leaves(reader, record, result);
  auto file = reader.chunk(record);
  if (!file) {
    result.findings.push_back(found(audit_subject::chunk, file.error().code, record.key, file.error().what));
    return result;
  }
  auto check = check_chunk(file->view(), record, leaves);
  result.block_count = block_count_of(file->size());
  result.sealed_bytes = file->size();
  if (!check.intact) note_damage(check, result);
  else if (key) check_content(file->view(), record, *key, decompressor, result);
  return result;
}

/// Hands out chunks to threads and collects what they find.
class chunk_auditor {
public:
  chunk_auditor(recording_reader& reader, std::vector<chunk_record> chunks, const session_key* key,
                const audit_options& options)
    : reader_(reader), chunks_(std::move(chunks)), key_(key), options_(options), results_(chunks_.size()) {
    for (const auto& c : chunks_) progress_.total_bytes += c.sealed_size_bytes;
  }

  /// False if it was cancelled.
  bool run() {
    auto count = std::clamp<std::size_t>(options_.thread_count, 1, std::min<std::size_t>(thread_count_max,
                                                                 std::max<std::size_t>(1, chunks_.size())));
    {
      std::vector<std::jthread> helpers;
      for (std::size_t i = 1; i < count; ++i) helpers.emplace_back([this] { work(); });
      work();
    }
    return !cancelled_;
  }

  std::vector<chunk_result> take() { return std::move(results_); }

private:
  void work() {
    zstd_decompressor decompressor;
    for (;;) {
      auto at = next_.fetch_add(1);
      if (at >= chunks_.size() || cancelled_) return;
      if (options_.cancelled && options_.cancelled()) {
        cancelled_ = true;
        return;
      }
      results_[at] = check_one(reader_, chunks_[at], key_, decompressor);
      report(chunks_[at].sealed_size_bytes);
    }
  }

  void report(std::uint64_t bytes) {
    std::lock_guard lock(progress_mutex_);
    progress_.done_bytes += bytes;
    if (options_.progress) options_.progress(progress_);
  }

  recording_reader& reader_;
  std::vector<chunk_record> chunks_;
  const session_key* key_;
  const audit_options& options_;
  std::vector<chunk_result> results_; // Each element is one thread's while it works on it.
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> cancelled_{false};
  std::mutex progress_mutex_;
  audit_progress progress_;
};

bool trusts(const std::vector<sign_public_key>& trusted, const sign_public_key& key) {
  return trusted.empty() || std::find(trusted.begin(), trusted.end(), key) != trusted.end();
}

void check_manifest(recording_reader& reader, const trusted_keys& trusted, signed_manifest& document,
                    audit_report& report) {
  auto read = reader.document();
  if (!read) return report.findings.push_back(found(audit_subject::manifest, read.error()));
  document = std::move(*read);
  auto m = verify_manifest(document);
  if (!m) return report.findings.push_back(found(audit_subject::manifest, m.error()));
  if (!trusts(trusted.recorders, m->recorder))
    report.findings.push_back({audit_subject::manifest, errc::permission_denied, {}, {},
                               "recorder " + to_hex(m->recorder) + " is not a trusted one"});
  report.what = std::move(*m);
}

/// The anchor alone, by the same rules as a proof file.
void check_anchor(recording_reader& reader, const signed_manifest& document, const trusted_keys& trusted,
                  audit_report& report) {
  auto anchor = reader.anchor();
  if (!anchor) return report.findings.push_back(found(audit_subject::anchor, anchor.error()));
  auto blocks = reader.blocks();
  if (!blocks) return report.findings.push_back(found(audit_subject::ledger, blocks.error()));
  auto proven = verify_proof({document, std::move(*anchor), std::move(*blocks), {}}, {{}, trusted.producers});
  if (!proven) {
    auto subject = proven.error().who == "ledger" ? audit_subject::ledger : audit_subject::anchor;
    return report.findings.push_back(found(subject, proven.error()));
  }
  report.anchored = true;
  report.block = proven->anchored_in;
  report.confirmations = proven->confirmations;
}

/// The key if it is this recording's; a wrong one is said once, not for every chunk.
const session_key* check_key(const audit_options& options, audit_report& report) {
  if (!options.key) return nullptr;
  if (commit_session_key(*options.key) == report.what->key_commitment) {
    report.decrypted = true;
    return options.key;
  }
  report.findings.push_back(
    {audit_subject::key, errc::wrong_key, {}, {}, "the key is not the one this recording was sealed under"});
  return nullptr;
}

void add(chunk_result&& result, audit_report& report) {
  ++report.chunk_count;
  report.block_count += result.block_count;
  report.sealed_bytes += result.sealed_bytes;
  report.plain_bytes += result.plain_bytes;
  for (auto& f : result.findings) {
    if (report.findings.size() < audit_finding_count_max) report.findings.push_back(std::move(f));
    else ++report.findings_left_out;
  }
}

} // namespace

std::string_view to_string(audit_subject subject) noexcept {
  static constexpr std::array<std::string_view, 9> names{"none",  "manifest", "key",        "anchor", "ledger",
                                                         "chunk", "block",    "leaf_table", "content"};
  auto index = static_cast<std::size_t>(subject);
  return index < names.size() ? names[index] : "unknown";
}

outcome<audit_report> verify_recording(recording_reader& reader, const audit_options& options) {
  audit_report report;
  signed_manifest document;
  check_manifest(reader, options.trusted, document, report);
  if (!report.what) return report; // Without it nothing says what the chunks should be.
  check_anchor(reader, document, options.trusted, report);
  chunk_auditor auditor(reader, chunks_of(*report.what), check_key(options, report), options);
  if (!auditor.run()) return fail(errc::cancelled, "audit", "asked to stop before every chunk was examined");
  for (auto& result : auditor.take()) add(std::move(result), report);
  return report;
}

outcome<recording_proof> prove_recording(recording_reader& reader, bool with_leaves) {
  auto document = reader.document();
  if (!document) return pass_on(std::move(document));
  auto anchor = reader.anchor();
  if (!anchor) return pass_on(std::move(anchor));
  auto blocks = reader.blocks();
  if (!blocks) return pass_on(std::move(blocks));
  recording_proof proof{std::move(*document), std::move(*anchor), std::move(*blocks), {}};
  auto proven = verify_proof(proof);
  if (!proven) return pass_on(std::move(proven));
  if (!with_leaves) return proof;
  for (const auto& record : chunks_of(proven->what)) {
    auto table = reader.leaves(record);
    if (!table) return pass_on(std::move(table));
    auto leaves = decode_leaves(*table, record);
    if (!leaves) return pass_on(std::move(leaves));
    proof.leaves.push_back({record.key.on, record.key.index, std::move(*leaves)});
  }
  return proof;
}

outcome<export_plan> plan_export(const manifest& m, std::optional<unix_time_us> from_us,
                                 std::optional<unix_time_us> to_us) {
  if (from_us && to_us && *from_us > *to_us)
    return fail(errc::invalid_input, "export", "the range ends before it begins");
  export_plan plan;
  for (const auto& chunk : chunks_of(m)) {
    if ((to_us && chunk.span.start_us > *to_us) || (from_us && chunk.span.end_us < *from_us)) continue;
    (chunk.key.on == track::video ? plan.video : plan.events).push_back(chunk);
    plan.sealed_bytes += chunk.sealed_size_bytes;
  }
  if (plan.video.empty() && plan.events.empty())
    return fail(errc::invalid_input, "export",
                "nothing was recorded in that range; the recording goes from " + std::to_string(m.started_us) + " to " +
                  std::to_string(m.ended_us) + " (microseconds, UTC)");
  return plan;
}

} // namespace lucid
