// actors/node/cli/command_prove.cpp - `lucid prove` makes the file that convinces others; `lucid verify-proof` is the others.
#include <algorithm>
#include <memory>

#include <fmt/core.h>

#include "actors/audit/audit.hpp"
#include "actors/node/cli/commands.hpp"
#include "actors/node/cli/damage_range.hpp"
#include "actors/node/cli/json.hpp"
#include "actors/node/cli/output_file.hpp"
#include "actors/node/cli/trust.hpp"
#include "actors/node/session_text.hpp"
#include "actors/node/stored_recording.hpp"
#include "adapters/files/atomic_write.hpp"
#include "messages/data_layout.hpp"
#include "runtime/log/text.hpp"

namespace lucid {
namespace {

// --- prove -----------------------------------------------------------------------------------------------------

struct prove_options {
  std::string id;
  std::string output;
  bool leaves = false;
  bool force = false;
};

outcome<void> write_proof(const prove_options& options, std::string_view text) {
  auto file = output_file::begin(options.output, options.force);
  if (!file) return pass_on(std::move(file));
  if (auto written = file->append(as_bytes(text)); !written) return written;
  return file->keep();
}

command_result prove(command_context& context, const prove_options& options) {
  auto loaded = context.load_settings();
  if (!loaded) return pass_on(std::move(loaded));
  auto recording = stored_recording::open(loaded->values.node.data_dir, options.id);
  if (!recording) return pass_on(std::move(recording));
  auto text = proof_text(**recording, options.leaves);
  if (!text) return pass_on(std::move(text));
  if (options.output.empty() || options.output == "-") {
    context.out << *text;
    return exit_code::ok;
  }
  if (auto written = write_proof(options, *text); !written) return pass_on(std::move(written));
  if (!context.options.quiet)
    context.err << fmt::format("{}: proof of recording {}, {}{}\n", printable(options.output), (*recording)->name(),
                               size_text(text->size()), options.leaves ? ", with the leaf tables that place damage" : "");
  return exit_code::ok;
}

// --- verify-proof ----------------------------------------------------------------------------------------------

struct verify_proof_options {
  std::string file;
  std::vector<std::string> chunks;
  std::vector<std::string> recorders;
  std::vector<std::string> producers;
};

/// A chunk file beside what the proof says of it.
struct examined_file {
  std::string name;
  outcome<chunk_check> check;
  bool good() const { return check && check->intact; }
};

outcome<recording_proof> read_proof(const std::string& file) {
  posix_file_system files;
  auto bytes = read_whole(files, file == "-" ? "/dev/stdin" : file, proof_size_bytes_max + 1);
  if (!bytes) return pass_on(std::move(bytes));
  return decode_proof(as_text(*bytes));
}

examined_file examine_file(const std::string& name, const proven_recording& proven, const recording_proof& proof) {
  posix_file_system files;
  auto bytes = read_whole(files, name, payload::size_bytes_max);
  if (!bytes) return {name, pass_on(std::move(bytes))};
  return {name, check_chunk_against_proof(*bytes, proven, proof.leaves)};
}

std::string chunk_name(const chunk_key& key) { return fmt::format("{} chunk {}", track_name(key.on), key.index); }

std::string damage_text(const chunk_check& check) {
  if (check.damage.empty())
    return fmt::format("its {} bytes are not the {} that were sealed; a proof made with --leaves would say where", check.size_bytes,
                       check.expected.sealed_size_bytes);
  std::string text;
  constexpr std::size_t shown_max = 5;
  auto ranges = joined_damage(check.damage, check.size_bytes);
  for (std::size_t i = 0; i < ranges.size() && i < shown_max; ++i)
    text += fmt::format("{}block{} {} (byte offset {}, {} bytes) {}", i == 0 ? "" : ", ", ranges[i].first_block == ranges[i].last_block ? "" : "s", blocks_text(ranges[i]), ranges[i].offset_bytes,
                        ranges[i].size_bytes, fate_text(ranges[i]));
  if (ranges.size() > shown_max) text += fmt::format(", and {} more", ranges.size() - shown_max);
  return text;
}

json file_json(const examined_file& file) {
  json line{{"file", file.name}, {"intact", file.good()}};
  if (!file.check) {
    line["code"] = to_string(file.check.error().code);
    line["what"] = file.check.error().what;
    return line;
  }
  line["track"] = track_name(file.check->expected.key.on);
  line["chunk"] = file.check->expected.key.index;
  line["damage"] = json::array();
  for (auto& d : file.check->damage)
    line["damage"].push_back({{"block", d.block}, {"offset_bytes", d.offset_bytes}, {"size_bytes", d.size_bytes}});
  return line;
}

json proven_json(const proven_recording& proven, const std::vector<examined_file>& files, bool trust_asked) {
  auto& m = proven.what;
  std::size_t chunk_count = 0;
  for (auto& t : m.tracks) chunk_count += t.chunks.size();
  json result{{"session", to_hex(m.session)}, {"title", m.title}, {"owner", m.owner}, {"source", m.source},
              {"recorder", to_hex(m.recorder)}, {"trust_checked", trust_asked}, {"started_us", m.started_us},
              {"ended_us", m.ended_us}, {"gap_count", m.gap_count}, {"interrupted", m.interrupted}, {"root", to_hex(m.root)},
              {"chunk_count", chunk_count}};
  result["block"] = {{"height", proven.anchored_in.height}, {"slot", proven.anchored_in.slot},
                     {"time_us", proven.anchored_in.time_us}, {"producer", to_hex(proven.anchored_in.producer)},
                     {"confirmations", proven.confirmations}};
  result["files"] = json::array();
  for (auto& file : files) result["files"].push_back(file_json(file));
  result["valid"] = std::all_of(files.begin(), files.end(), [](auto& file) { return file.good(); });
  return result;
}

void print_proven(command_context& context, const proven_recording& proven) {
  auto& m = proven.what;
  auto& block = proven.anchored_in;
  auto& out = context.out;
  out << fmt::format("recording  {}\n", to_hex(m.session));
  if (!m.title.empty()) out << "title      " << printable(m.title) << '\n';
  out << "source     " << printable(m.source) << '\n';
  out << fmt::format("recorded   {}, {} long{}{}\n", time_text(m.started_us), duration_text(m.ended_us - m.started_us),
                     m.gap_count == 0 ? "" : fmt::format(", {} gap{}", m.gap_count, m.gap_count == 1 ? "" : "s"),
                     m.interrupted ? ", interrupted" : "");
  out << fmt::format("recorder   {}\n", to_hex(m.recorder));
  out << fmt::format("anchored   block {}, slot {}, {}; {} block{} on top\n", block.height, block.slot, time_text(block.time_us),
                     proven.confirmations, proven.confirmations == 1 ? "" : "s");
  out << fmt::format("producer   {}\n\n", to_hex(block.producer));
}

void print_files(command_context& context, const std::vector<examined_file>& files) {
  if (files.empty()) return;
  table rows({{"file"}, {"is"}, {"verdict"}, {"found"}});
  for (auto& file : files) {
    if (!file.check) rows.add({file.name, "?", "FAIL", file.check.error().what});
    else rows.add({file.name, chunk_name(file.check->expected.key), file.good() ? "ok" : "DAMAGED", file.good() ? "every byte is what was sealed" : damage_text(*file.check)});
  }
  rows.print(context.out);
  context.out << '\n';
}

void print_conclusion(command_context& context, const std::vector<examined_file>& files, bool trust_asked) {
  auto bad = std::count_if(files.begin(), files.end(), [](auto& file) { return !file.good(); });
  if (bad > 0)
    context.out << fmt::format("The proof is VALID, but {} of {} files {} not what was sealed.\n", bad, files.size(), bad == 1 ? "is" : "are");
  else if (files.empty()) context.out << "VALID: the recorder signed this recording, and the chain holds it since that block.\n";
  else context.out << "VALID: the recorder signed this recording, the chain holds it, and the files are what was sealed.\n";
  if (!trust_asked && !context.options.quiet)
    context.out << "Whether that recorder is to be trusted is for you to know: compare its key, or name it by --recorder.\n";
}

command_result verify_proof_file(command_context& context, const verify_proof_options& options) {
  auto trusted = parse_trusted(options.recorders, options.producers);
  if (!trusted) return pass_on(std::move(trusted));
  auto proof = read_proof(options.file);
  if (!proof) return pass_on(std::move(proof));
  auto proven = verify_proof(*proof, *trusted);
  if (!proven) return pass_on(std::move(proven));
  std::vector<examined_file> files;
  auto line = context.make_progress("verifying", options.chunks.size(), progress_unit::count);
  for (auto& name : options.chunks) {
    files.push_back(examine_file(name, *proven, *proof));
    line.update(files.size());
  }
  line.finish();
  bool trust_asked = !options.recorders.empty();
  if (context.options.json) {
    print_json(context.out, proven_json(*proven, files, trust_asked));
  } else {
    print_proven(context, *proven);
    print_files(context, files);
    print_conclusion(context, files, trust_asked);
  }
  // A file that is not there is another matter than one that is damaged.
  for (auto& file : files)
    if (file.check && !file.good()) return exit_code::damaged;
  for (auto& file : files)
    if (!file.check) return exit_code_for(file.check.error().code);
  return exit_code::ok;
}

} // namespace

command_spec prove_command() {
  return {.name = "prove",
          .summary = "Write the proof that a recording existed, unaltered, at its place in the chain.",
          .details = "The proof is one line of JSON: manifest, signature, anchor and blocks. It reveals nothing of the content. "
                     "With --leaves an auditor can also tell which block of a chunk file is damaged; that costs 4 bytes for "
                     "each KiB of recording.",
          .examples = {{"lucid prove 3f9a > proof.json", "to hand to an auditor"},
                       {"lucid prove 3f9a --leaves --output proof.json", "with the tables that place damage"}},
          .hidden = false,
          .declare = [](command_options& app) -> command_action {
            auto o = std::make_shared<prove_options>();
            app.add_option("ID", o->id, "The recording: its id, or at least four digits of its beginning").required().type_name("");
            app.add_option("--output", o->output, "File to write instead of standard output").type_name("FILE");
            app.add_flag("--leaves", o->leaves, "With the hash of every 16 KiB block");
            app.add_flag("--force", o->force, "Replace a file that is there");
            return [o](command_context& context) { return prove(context, *o); };
          }};
}

command_spec verify_proof_command() {
  return {.name = "verify-proof",
          .summary = "Check a proof, and chunk files against it. Needs no node, no store and no key.",
          .details = "Checks the recorder's signature, the place in the chain, and the signatures and links of the blocks shown. "
                     "Ends with 4 if anything is not what was sealed, with 6 for a signer that is not trusted.",
          .examples = {{"lucid verify-proof proof.json", "is the proof valid, and what does it prove?"},
                       {"lucid verify-proof proof.json --recorder node.pub", "by this recorder? (from `lucid keys export node`)"},
                       {"lucid verify-proof proof.json --chunk video-000000.chunk", "is this file a part of that recording?"}},
          .hidden = false,
          .declare = [](command_options& app) -> command_action {
            auto o = std::make_shared<verify_proof_options>();
            app.add_option("PROOF", o->file, "The proof; - for standard input").required().type_name("");
            app.add_option("--chunk", o->chunks, "Chunk file to compare; may be repeated").type_name("FILE");
            app.add_option("--recorder", o->recorders, "Signing key that is trusted to record; may be repeated")
              .type_name("KEY").repeated();
            app.add_option("--producer", o->producers, "Signing key that is trusted to make blocks; may be repeated")
              .type_name("KEY").repeated();
            return [o](command_context& context) { return verify_proof_file(context, *o); };
          }};
}

} // namespace lucid
