// actors/node/cli/command_verify.cpp - `lucid verify`: is a recording what was sealed, signed and anchored?
#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

#include <fmt/core.h>
#include <malloc.h>

#include "actors/audit/audit.hpp"
#include "actors/node/cli/chain_members.hpp"
#include "actors/node/cli/commands.hpp"
#include "actors/node/cli/damage_range.hpp"
#include "actors/node/cli/json.hpp"
#include "actors/node/cli/node_client.hpp"
#include "actors/node/cli/recording_access.hpp"
#include "actors/node/cli/signals.hpp"
#include "actors/node/cli/trust.hpp"
#include "actors/node/node_keys.hpp"
#include "actors/node/session_text.hpp"
#include "actors/node/verdict.hpp"
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
  auto report = audit_stored(recording, how);
  if (!report) return pass_on(std::move(report));
  line.finish();
  verdict_of_recording result{std::move(*report), std::nullopt, std::chrono::steady_clock::now() - begun};
  if (*key) result.key_name = (*key)->name;
  return result;
}

// --- for people ------------------------------------------------------------------------------------------------

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

void print_checks(command_context& context, const verdict_of_recording& verdict, anchor_verdict anchor,
                  const std::string& other_block) {
  table rows({{"check"}, {"verdict"}, {"found"}});
  for (auto& check : checks_of(verdict.report, anchor, verdict.key_name, other_block)) rows.add({check.name, check.verdict, check.found});
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

void print_verdict(command_context& context, const verdict_of_recording& verdict, anchor_verdict anchor) {
  context.out << fmt::format("\n{} ({})\n", verdict_text(verdict.report, anchor), rate_text(verdict));
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
              {"copy", recording.is_copy()},
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
  auto recording = stored_recording::open(settings.node.data_dir, options.id);
  if (!recording) return pass_on(std::move(recording));
  if (auto ready = check_verifiable(**recording); !ready) return pass_on(std::move(ready));
  auto verdict = examine(context, settings, options, **recording);
  if (!verdict) return pass_on(std::move(verdict));
  auto anchor = anchor_verdict_of(**recording, verdict->report);
  if (context.options.json) {
    print_json(context.out, verdict_json(**recording, *verdict));
  } else {
    print_head(context, settings, **recording, verdict->report);
    context.out << '\n';
    auto names = names_for(node_client(settings), {(*recording)->row().summary});
    print_checks(context, *verdict, anchor, other_block_of(**recording, verdict->report, names));
    if (anchor != anchor_verdict::no_chain) print_findings(context, **recording, verdict->report);
    print_verdict(context, *verdict, anchor);
  }
  if (verdict->report.intact()) return exit_code::ok;
  return anchor == anchor_verdict::judged ? exit_code::damaged : exit_code::not_now;
}

} // namespace

command_spec verify_command() {
  return {.name = "verify",
          .summary = "Check that a recording is what was sealed, signed and anchored.",
          .details = "Re-hashes every block of every chunk; checks manifest, signatures, and the place in the chain. Damage is "
                     "named by track, chunk, block and byte offset. With a key, the content is decrypted and checked too: a "
                     "key of keys.dir is used if it opens without a question. Ends with 4 if the recording is not intact, "
                     "with 8 if only its anchor is still to come. In a folder of copies (`--data-dir DATA/replicas`) there is no chain: "
                     "unless another node than the recorder anchored it, all else is checked, and it ends with 8 when that is intact.",
          .examples = {{"lucid verify 3f9a", "the recording whose id begins so"},
                       {"lucid verify 3f9a --no-key --threads 1 --json", "hashes and signatures only, on one core, for a program"},
                       {"lucid verify 3f9a --key owner --passphrase-file pw", "also decrypt"}},
          .hidden = false,
          .declare = [](command_options& app) -> command_action {
            auto o = std::make_shared<verify_options>();
            app.add_option("ID", o->id, "The recording: its id, or at least four digits of its beginning").required().type_name("");
            o->key = add_key_options(app);
            app.add_flag("--no-key", o->no_key, "Do not look for a key").excludes("--key");
            app.add_option("--threads", o->threads, "Threads that hash; 0 is one a core").between(0, 64).type_name("N");
            app.add_option("--recorder", o->recorders, "Signing key that must have recorded it; may be repeated")
              .type_name("KEY").repeated();
            return [o](command_context& context) { return verify(context, *o); };
          }};
}

} // namespace lucid
