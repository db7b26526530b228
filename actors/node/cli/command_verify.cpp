// actors/node/cli/command_verify.cpp - `lucid verify`: is a recording what was sealed, signed and anchored?
#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

#include <fmt/core.h>
#include <malloc.h>

#include "actors/audit/audit.hpp"
#include "actors/node/cli/commands.hpp"
#include "actors/node/cli/damage_range.hpp"
#include "actors/node/cli/json.hpp"
#include "actors/node/cli/recording_access.hpp"
#include "actors/node/cli/session_text.hpp"
#include "actors/node/cli/signals.hpp"
#include "actors/node/cli/trust.hpp"
#include "actors/node/node_keys.hpp"
#include "messages/data_layout.hpp"
#include "runtime/log/text.hpp"

namespace lucid {
namespace {

using namespace std::chrono_literals;
using seconds = std::chrono::duration<double>;

/// Findings a terminal is shown; --json has all of them.
constexpr std::size_t findings_shown_max = 50;

/// A chunk file is read into a buffer of its own. By default the C library takes each from the kernel and gives it back:
/// 2,600 page faults for every 10 MiB, a third of the time. Above the largest chunk, so that buffers are used again.
constexpr int kept_buffer_bytes_max = 32 << 20; // glibc's own bound.
void keep_large_buffers() {
  ::mallopt(M_MMAP_THRESHOLD, kept_buffer_bytes_max);
  ::mallopt(M_TRIM_THRESHOLD, 4 * kept_buffer_bytes_max);
}

struct verify_options {
  std::string id;
  std::shared_ptr<key_choice> key;
  bool no_key = false;
  std::uint32_t threads = 0;
  std::vector<std::string> recorders;
};

/// What was found out, and how long it took.
struct verdict_of_recording {
  audit_report report;
  std::optional<std::string> key_name;
  seconds took{};

  /// Nothing is wrong except that the recording is not finished: no finding but the missing anchor.
  bool pending(const session_row& row) const {
    return !is_final(row.summary.state) && report.findings.size() == 1 &&
           report.findings[0].subject == audit_subject::anchor && report.findings[0].code == errc::not_found;
  }
};

/// The session key: the one asked for, or one that opens without a question.
outcome<std::optional<opened_key>> choose_key(command_context& context, const configuration& settings, const verify_options& options,
                                              stored_recording& recording) {
  if (options.no_key) return std::nullopt;
  auto content = recording.content();
  if (!content) return std::nullopt; // The audit says what is wrong with the manifest.
  if (options.key->key.empty() && options.key->passphrase_file.empty()) return find_session_key(settings, content->what);
  auto opened = open_session_key(context, settings, content->what, *options.key);
  if (!opened) return pass_on(std::move(opened));
  return std::optional(std::move(*opened));
}

outcome<void> check_verifiable(stored_recording& recording) {
  auto& summary = recording.row().summary;
  auto document = recording.document();
  if (document || document.error().code != errc::not_found) return {};
  if (summary.state == session_state::failed)
    return fail(errc::wrong_state, "lucid", fmt::format("recording {} failed and was never sealed: {}", recording.name(), summary.reason));
  if (is_final(summary.state)) return {}; // Its manifest is gone: that is for the audit to say.
  return fail(errc::wrong_state, "lucid",
              fmt::format("recording {} is not finished (it is in the state \"{}\"); it can be verified once it is completed", recording.name(), to_string(summary.state)));
}

outcome<verdict_of_recording> examine(command_context& context, const configuration& settings, const verify_options& options,
                                      stored_recording& recording) {
  auto trusted = parse_trusted(options.recorders, {});
  if (!trusted) return pass_on(std::move(trusted));
  auto key = choose_key(context, settings, options, recording);
  if (!key) return pass_on(std::move(key));
  stop_signals signals;
  keep_large_buffers();
  auto line = context.make_progress("verifying", recording.row().summary.stored_bytes, progress_unit::bytes);
  audit_options how;
  how.key = *key ? &(*key)->key : nullptr;
  how.thread_count = options.threads != 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  how.trusted = std::move(*trusted);
  how.progress = [&](const audit_progress& p) { line.update(p.done_bytes); };
  how.cancelled = [&] { return signals.wait(0ms).has_value(); };
  auto begun = std::chrono::steady_clock::now();
  auto report = verify_recording(recording, how);
  if (!report) return pass_on(std::move(report));
  line.finish();
  verdict_of_recording result{std::move(*report), std::nullopt, std::chrono::steady_clock::now() - begun};
  if (*key) result.key_name = (*key)->name;
  if (result.report.what && result.report.what->session != recording.row().summary.id)
    result.report.findings.push_back({audit_subject::manifest, errc::corrupted, {}, {},
                                      "it is the manifest of recording " + short_id(result.report.what->session)});
  return result;
}

// --- for people ------------------------------------------------------------------------------------------------

bool any_of(const audit_report& report, std::initializer_list<audit_subject> subjects) {
  for (auto& f : report.findings)
    for (auto subject : subjects)
      if (f.subject == subject) return true;
  return false;
}

std::string recorder_text(const configuration& settings, const manifest& m) {
  posix_file_system files;
  auto own = key_store(files, settings.keys.dir).show(node_key_name);
  bool is_own = own && own->sign == m.recorder;
  return to_hex(m.recorder) + (is_own ? " (this node)" : "");
}

void print_head(command_context& context, const configuration& settings, const stored_recording& recording,
                const audit_report& report) {
  auto& out = context.out;
  out << fmt::format("recording  {}\n", to_hex(recording.row().summary.id));
  if (!report.what) return;
  auto& m = *report.what;
  if (!m.title.empty()) out << "title      " << printable(m.title) << '\n';
  out << "source     " << printable(m.source) << '\n';
  out << fmt::format("recorded   {}, {} long{}{}\n", time_text(m.started_us), duration_text(m.ended_us - m.started_us),
                     m.gap_count == 0 ? "" : fmt::format(", {} gap{}", m.gap_count, m.gap_count == 1 ? "" : "s"),
                     m.interrupted ? ", interrupted" : "");
  out << fmt::format("recorder   {}\n", recorder_text(settings, m));
}

std::string anchor_text(const audit_report& report) {
  if (!report.block) return "not found in the chain";
  auto& block = *report.block;
  return fmt::format("block {}, slot {}, {}, signed by {}...; {} block{} on top", block.height, block.slot, time_text(block.time_us),
                     to_hex(byte_view(block.producer).first(8)), report.confirmations, report.confirmations == 1 ? "" : "s");
}

std::string chunks_text(const manifest& m, const audit_report& report) {
  std::string tracks;
  for (auto& t : m.tracks) tracks += fmt::format("{}{} of {}", tracks.empty() ? "" : ", ", t.chunks.size(), track_name(t.on));
  return fmt::format("{} chunk{} ({}), {} blocks, {} re-hashed", report.chunk_count, report.chunk_count == 1 ? "" : "s", tracks,
                     report.block_count, size_text(report.sealed_bytes));
}

std::uint64_t plain_bytes_of(const manifest& m) {
  std::uint64_t sum = 0;
  for (auto& t : m.tracks)
    for (auto& chunk : t.chunks) sum += chunk.plain_size_bytes;
  return sum;
}

void print_checks(command_context& context, const verdict_of_recording& verdict, bool pending) {
  auto& report = verdict.report;
  table rows({{"check"}, {"verdict"}, {"found"}});
  auto add = [&](std::string check, bool good, std::string found) {
    rows.add({std::move(check), good ? "ok" : "FAIL", std::move(found)});
  };
  bool manifest_good = report.what && !any_of(report, {audit_subject::manifest});
  add("manifest", manifest_good, report.what ? "hash and signature of the recorder" : "cannot be read or does not verify");
  if (report.what) {
    if (pending) rows.add({"anchor", "pending", "not yet in the chain"});
    else add("anchor", report.anchored && !any_of(report, {audit_subject::anchor, audit_subject::ledger}), anchor_text(report));
    add("chunks", !any_of(report, {audit_subject::chunk, audit_subject::block, audit_subject::leaf_table}), chunks_text(*report.what, report));
    auto whole = plain_bytes_of(*report.what);
    if (report.decrypted && !any_of(report, {audit_subject::content}) && report.plain_bytes < whole)
      rows.add({"content", "partly", fmt::format("{} of {} decrypted with the key {}: what is intact", size_text(report.plain_bytes), size_text(whole), verdict.key_name.value_or("?"))});
    else if (report.decrypted)
      add("content", !any_of(report, {audit_subject::content}),
          fmt::format("{} decrypted with the key {}", size_text(report.plain_bytes), verdict.key_name.value_or("?")));
    else if (any_of(report, {audit_subject::key})) add("content", false, "the key is not the recording's");
    else rows.add({"content", "-", "not looked into: no key was given, none is needed for the rest"});
  }
  rows.print(context.out);
}

/// The findings of one chunk's blocks, from `i` on, as rows; answers where they end.
std::size_t add_blocks(const std::vector<finding>& findings, std::size_t i, std::vector<std::vector<std::string>>& rows) {
  auto& key = *findings[i].chunk;
  std::vector<block_damage> damage;
  std::uint64_t file_size_bytes = UINT64_MAX; // Of which the first missing block tells the end.
  for (; i < findings.size() && findings[i].block && findings[i].chunk == key; ++i) {
    damage.push_back(*findings[i].block);
    if (findings[i].code == errc::truncated) file_size_bytes = std::min(file_size_bytes, damage.back().offset_bytes);
  }
  for (auto& range : joined_damage(damage, file_size_bytes))
    rows.push_back({"block", std::string(track_name(key.on)), std::to_string(key.index), blocks_text(range),
                    std::to_string(range.offset_bytes), std::to_string(range.size_bytes), std::string(fate_text(range))});
  return i;
}

void print_findings(command_context& context, const stored_recording& recording, const audit_report& report) {
  if (report.findings.empty()) return;
  std::vector<std::vector<std::string>> rows;
  std::vector<chunk_key> damaged;
  for (std::size_t i = 0; i < report.findings.size();) {
    auto& f = report.findings[i];
    if (f.chunk && (damaged.empty() || damaged.back() != *f.chunk)) damaged.push_back(*f.chunk);
    if (f.block) {
      i = add_blocks(report.findings, i, rows);
      continue;
    }
    auto chunk = f.chunk ? std::to_string(f.chunk->index) : std::string();
    rows.push_back({std::string(to_string(f.subject)), f.chunk ? std::string(track_name(f.chunk->on)) : "", chunk, "", "", "", f.what});
    ++i;
  }
  table lines({{"wrong"}, {"track"}, {"chunk", table::align::right}, {"block", table::align::right}, {"byte offset", table::align::right},
               {"bytes", table::align::right}, {"what"}});
  for (std::size_t i = 0; i < rows.size() && i < findings_shown_max; ++i) lines.add(rows[i]);
  context.out << '\n';
  lines.print(context.out);
  if (rows.size() > findings_shown_max || report.findings_left_out > 0) context.out << "... and more; --json lists them\n";
  if (!damaged.empty()) context.out << '\n';
  for (std::size_t i = 0; i < damaged.size() && i < findings_shown_max; ++i)
    context.out << fmt::format("{} chunk {} is {}\n", track_name(damaged[i].on), damaged[i].index, printable(recording.chunk_path(damaged[i]).string()));
}

std::string rate_text(const verdict_of_recording& verdict) {
  if (verdict.took.count() <= 0) return "";
  return fmt::format("{:.0f} MB/s, {:.2f} s", static_cast<double>(verdict.report.sealed_bytes) / 1e6 / verdict.took.count(),
                     verdict.took.count());
}

void print_verdict(command_context& context, const verdict_of_recording& verdict, bool pending) {
  auto& report = verdict.report;
  auto count = report.findings.size() + report.findings_left_out;
  context.out << '\n';
  if (report.intact()) context.out << "INTACT: every byte is what was sealed, signed and anchored.";
  else if (pending) context.out << "NOT YET ANCHORED: every byte is what was sealed and signed.";
  else context.out << fmt::format("NOT INTACT: {} finding{}.", count, count == 1 ? "" : "s");
  context.out << fmt::format(" ({})\n", rate_text(verdict));
}

// --- for programs ----------------------------------------------------------------------------------------------

json finding_json(const stored_recording& recording, const finding& f) {
  json line{{"subject", to_string(f.subject)}, {"code", to_string(f.code)}};
  if (f.chunk) {
    line["track"] = track_name(f.chunk->on);
    line["chunk"] = f.chunk->index;
    line["file"] = recording.chunk_path(*f.chunk).string();
  }
  if (f.block) {
    line["block"] = f.block->block;
    line["offset_bytes"] = f.block->offset_bytes;
    line["size_bytes"] = f.block->size_bytes;
  }
  line["what"] = f.what;
  return line;
}

json verdict_json(const stored_recording& recording, const verdict_of_recording& verdict) {
  auto& report = verdict.report;
  json result{{"session", to_hex(recording.row().summary.id)},
              {"state", to_string(recording.row().summary.state)},
              {"intact", report.intact()},
              {"anchored", report.anchored},
              {"decrypted", report.decrypted}};
  if (report.what) {
    result["title"] = report.what->title;
    result["source"] = report.what->source;
    result["recorder"] = to_hex(report.what->recorder);
    result["started_us"] = report.what->started_us;
    result["ended_us"] = report.what->ended_us;
    result["gap_count"] = report.what->gap_count;
    result["interrupted"] = report.what->interrupted;
    result["root"] = to_hex(report.what->root);
  }
  if (report.block)
    result["block"] = {{"height", report.block->height}, {"slot", report.block->slot}, {"time_us", report.block->time_us},
                       {"producer", to_hex(report.block->producer)}, {"confirmations", report.confirmations}};
  result["chunk_count"] = report.chunk_count;
  result["block_count"] = report.block_count;
  result["sealed_bytes"] = report.sealed_bytes;
  result["plain_bytes"] = report.plain_bytes;
  if (verdict.key_name) result["key"] = *verdict.key_name;
  result["seconds"] = verdict.took.count();
  result["findings"] = json::array();
  for (auto& f : report.findings) result["findings"].push_back(finding_json(recording, f));
  result["findings_left_out"] = report.findings_left_out;
  return result;
}

command_result verify(command_context& context, const verify_options& options) {
  auto loaded = context.load_settings();
  if (!loaded) return pass_on(std::move(loaded));
  auto& settings = loaded->values;
  auto recording = stored_recording::open(settings, options.id);
  if (!recording) return pass_on(std::move(recording));
  if (auto ready = check_verifiable(**recording); !ready) return pass_on(std::move(ready));
  auto verdict = examine(context, settings, options, **recording);
  if (!verdict) return pass_on(std::move(verdict));
  bool pending = verdict->pending((*recording)->row());
  if (context.options.json) {
    print_json(context.out, verdict_json(**recording, *verdict));
  } else {
    print_head(context, settings, **recording, verdict->report);
    context.out << '\n';
    print_checks(context, *verdict, pending);
    print_findings(context, **recording, verdict->report);
    print_verdict(context, *verdict, pending);
  }
  if (verdict->report.intact()) return exit_code::ok;
  return pending ? exit_code::not_now : exit_code::damaged;
}

} // namespace

command_spec verify_command() {
  return {.name = "verify",
          .summary = "Check that a recording is what was sealed, signed and anchored.",
          .details = "Re-hashes every block of every chunk; checks manifest, signatures, and the place in the chain. Damage is "
                     "named by track, chunk, block and byte offset. With a key, the content is decrypted and checked too: a "
                     "key of keys.dir is used if it opens without a question. Ends with 4 if the recording is not intact, "
                     "with 8 if only its anchor is still to come.",
          .examples = {{"lucid verify 3f9a", "the recording whose id begins so"},
                       {"lucid verify 3f9a --no-key --threads 1 --json", "hashes and signatures only, on one core, for a program"},
                       {"lucid verify 3f9a --key owner --passphrase-file pw", "also decrypt"}},
          .hidden = false,
          .declare = [](CLI::App& app) -> command_action {
            auto o = std::make_shared<verify_options>();
            app.add_option("ID", o->id, "The recording: its id, or at least four digits of its beginning")->required()->type_name("");
            o->key = add_key_options(app);
            app.add_flag("--no-key", o->no_key, "Do not look for a key")->excludes("--key");
            app.add_option("--threads", o->threads, "Threads that hash; 0 is one a core")->check(CLI::Range(0, 64))->type_name("N");
            app.add_option("--recorder", o->recorders, "Signing key that must have recorded it; may be repeated")
              ->type_name("KEY")->allow_extra_args(false);
            return [o](command_context& context) { return verify(context, *o); };
          }};
}

} // namespace lucid
