// actors/node/cli/recording_access.cpp - the store as an auditor reads it; keys from keys.dir.
#include "actors/node/cli/recording_access.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "actors/audit/audit.hpp"
#include "actors/format/chunk_codec.hpp"
#include "actors/format/manifest_codec.hpp"
#include "actors/ledger/ledger_file.hpp"
#include "actors/node/cli/passphrase.hpp"
#include "actors/node/node_keys.hpp"
#include "adapters/files/atomic_write.hpp"
#include "messages/data_layout.hpp"
#include "runtime/log/text.hpp"

namespace lucid {
namespace {

constexpr const char* who = "lucid"; // These sentences stand alone on a terminal.
constexpr std::uint32_t ambiguous_count_shown_max = 5;
constexpr std::uint32_t blocks_shown_max = 1000; // What the port allows.

outcome<session_id> find_session(recording_store& store, const std::string& id) {
  if (id.size() < id_prefix_length_min)
    return fail(errc::invalid_input, who,
                fmt::format("\"{}\" is too short for a recording's id; give at least {} of its digits", printable(id),
                            id_prefix_length_min));
  auto found = store.find(id, ambiguous_count_shown_max + 1);
  if (!found) return pass_on(std::move(found));
  if (found->empty())
    return fail(errc::not_found, who,
                fmt::format("there is no recording {}; `lucid sessions list` shows those that are there", printable(id)));
  if (found->size() == 1) return found->front();
  std::string names;
  for (std::size_t i = 0; i < found->size() && i < ambiguous_count_shown_max; ++i)
    names += (i == 0 ? "" : ", ") + to_hex((*found)[i]).substr(0, std::max<std::size_t>(12, id.size() + 4));
  return fail(errc::invalid_input, who,
              fmt::format("several recordings begin with {}: {}{}; give more digits", printable(id), names,
                          found->size() > ambiguous_count_shown_max ? " ..." : ""));
}

// --- keys ------------------------------------------------------------------------------------------------------

/// Where a key lies: a name in keys.dir, or a file of its own.
struct key_place {
  std::filesystem::path folder;
  std::string name;
};

key_place place_of(const configuration& settings, const std::string& key) {
  std::filesystem::path path(key);
  if (key.find('/') == key.npos && path.extension() != ".key") return {settings.keys.dir, key};
  auto folder = path.parent_path();
  return {folder.empty() ? "." : folder, path.extension() == ".key" ? path.stem().string() : path.filename().string()};
}

bool is_sealed_for(const manifest& m, const box_public_key& key) {
  return std::any_of(m.keys.begin(), m.keys.end(), [&](const wrapped_key& w) { return w.recipient == key; });
}

std::string recipients_text(const manifest& m) {
  std::string text;
  for (auto& key : m.keys) text += (text.empty() ? "" : ", ") + to_hex(byte_view(key.recipient).first(8)) + "...";
  return text.empty() ? "nobody" : text;
}

/// Our keys it is sealed for: those of owners first, since the node's is for finishing what it began.
std::vector<public_identity> fitting_keys(key_store& keys, const manifest& m) {
  std::vector<public_identity> fitting;
  auto all = keys.list();
  if (!all) return fitting;
  for (auto& key : *all)
    if (is_sealed_for(m, key.box)) fitting.push_back(std::move(key));
  std::stable_sort(fitting.begin(), fitting.end(), [](auto& a, auto& b) {
    return std::pair(a.has_passphrase, a.kind != key_kind::owner) < std::pair(b.has_passphrase, b.kind != key_kind::owner);
  });
  return fitting;
}

outcome<opened_key> unwrap(const manifest& m, const identity& with) {
  bool committed = m.key_commitment != digest{};
  auto key = unwrap_session_key(m.keys, with.box_secret, committed ? &m.key_commitment : nullptr);
  if (!key) return pass_on(std::move(key));
  return opened_key{std::move(*key), with.open.name};
}

/// Opens the key file with what the options say, else with what the configuration says, else by asking.
outcome<identity> load_key(command_context& context, const configuration& settings, key_store& keys,
                           const public_identity& key, const key_choice& choice) {
  if (!key.has_passphrase) return keys.load(key.name, {});
  if (!choice.passphrase_file.empty()) {
    auto passphrase = secret_from_file(choice.passphrase_file);
    if (!passphrase) return pass_on(std::move(passphrase));
    return keys.load(key.name, passphrase->reveal());
  }
  auto configured = node_passphrase(settings);
  if (!configured) return pass_on(std::move(configured));
  if (!configured->empty()) {
    auto opened = keys.load(key.name, configured->reveal());
    if (opened || opened.error().code != errc::wrong_key || !is_terminal(keyboard_input)) return opened;
  }
  if (!is_terminal(keyboard_input))
    return fail(errc::wrong_key, who,
                fmt::format("the key {} is under a passphrase; give the file that holds it by --passphrase-file", key.name));
  auto typed = ask_passphrase(keyboard_input, context.err, "Passphrase of the key " + key.name);
  if (!typed) return pass_on(std::move(typed));
  return keys.load(key.name, typed->reveal());
}

} // namespace

// --- stored_recording ------------------------------------------------------------------------------------------

outcome<std::unique_ptr<stored_recording>> stored_recording::open(const configuration& settings, const std::string& id) {
  auto files = std::make_shared<posix_file_system>();
  auto size = files->size_of(store_file(settings.node.data_dir));
  if (!size && size.error().code == errc::not_found)
    return fail(errc::not_found, who,
                fmt::format("nothing has been recorded in {}; --data-dir names another folder", settings.node.data_dir.string()));
  auto store = recording_store::open_read_only({.folder = settings.node.data_dir}, *files);
  if (!store) return pass_on(std::move(store));
  auto found = find_session(*store, id);
  if (!found) return pass_on(std::move(found));
  auto row = store->session(*found);
  if (!row) return pass_on(std::move(row));
  return std::unique_ptr<stored_recording>(
    new stored_recording(settings, std::move(files), std::move(*store), std::move(*row)));
}

outcome<signed_manifest> stored_recording::document() {
  std::lock_guard lock(mutex_);
  return store_.manifest_of(row_.summary.id);
}

outcome<anchor_record> stored_recording::anchor() {
  std::lock_guard lock(mutex_);
  return store_.anchor_of(row_.summary.id);
}

outcome<std::vector<block_header>> stored_recording::blocks() {
  auto place = anchor();
  if (!place) return pass_on(std::move(place));
  auto chain = ledger_file::open_read_only(ledger_file_name(data_dir_));
  if (!chain) return pass_on(std::move(chain));
  auto headers = chain->headers(place->block_height, blocks_shown_max);
  if (headers && headers->empty())
    return fail(errc::not_found, "ledger", fmt::format("block {} is not in the chain", place->block_height));
  return headers;
}

outcome<payload> stored_recording::chunk(const chunk_record& record) {
  auto bytes = read_whole(*files_, store_.chunk_path(record.key), payload::size_bytes_max);
  if (!bytes) return pass_on(std::move(bytes));
  return payload(std::move(*bytes));
}

outcome<byte_buffer> stored_recording::leaves(const chunk_record& record) {
  std::lock_guard lock(mutex_);
  auto digests = store_.leaves(record.key);
  if (!digests) return pass_on(std::move(digests));
  return encode_leaves(*digests);
}

outcome<recording_content> stored_recording::content() {
  auto stored = document();
  if (!stored && stored.error().code == errc::not_found) return content_so_far();
  if (!stored) return pass_on(std::move(stored));
  auto m = verify_manifest(*stored);
  if (!m) return pass_on(std::move(m));
  if (m->session != row_.summary.id)
    return fail(errc::corrupted, "manifest",
                fmt::format("the manifest stored for recording {} is that of {}", name(), short_id(m->session)));
  return recording_content{std::move(*m), true};
}

/// What is stored of a recording that is not finished; it has as many chunks as it has now.
outcome<recording_content> stored_recording::content_so_far() {
  std::lock_guard lock(mutex_);
  auto chunks = store_.chunks(row_.summary.id);
  if (!chunks) return pass_on(std::move(chunks));
  recording_content content;
  auto& m = content.what;
  m.session = row_.summary.id;
  m.title = row_.summary.title;
  m.owner = row_.summary.owner;
  m.source = row_.summary.source;
  m.keys = row_.keys;
  for (auto& chunk : *chunks) {
    if (m.tracks.empty() || m.tracks.back().on != chunk.key.on) m.tracks.push_back({chunk.key.on, {}, {}});
    m.tracks.back().chunks.push_back(chunk);
    m.started_us = m.started_us == 0 ? chunk.span.start_us : std::min(m.started_us, chunk.span.start_us);
    m.ended_us = std::max(m.ended_us, chunk.span.end_us);
  }
  return content;
}

outcome<void> check_readable(const stored_recording& recording, const recording_content& content) {
  if (!content.what.tracks.empty()) return {};
  auto& summary = recording.row().summary;
  if (summary.state == session_state::failed)
    return fail(errc::wrong_state, who, fmt::format("recording {} failed: {}", recording.name(), printable(summary.reason)));
  return fail(errc::wrong_state, who,
              fmt::format("recording {} is {} and has no stored chunk yet; `lucid sessions show {}` tells how far it is",
                          recording.name(), to_string(summary.state), recording.name()));
}

// --- keys ------------------------------------------------------------------------------------------------------

std::shared_ptr<key_choice> add_key_options(CLI::App& app) {
  auto choice = std::make_shared<key_choice>();
  app.add_option("--key", choice->key, "Name of a key, or a key file (default: one of keys.dir that it is sealed for)")
    ->type_name("KEY");
  app.add_option("--passphrase-file", choice->passphrase_file, "File whose first line is the passphrase of that key")
    ->type_name("FILE");
  return choice;
}

outcome<opened_key> open_session_key(command_context& context, const configuration& settings, const manifest& m,
                                     const key_choice& choice) {
  posix_file_system files;
  auto place = place_of(settings, choice.key);
  key_store keys(files, place.folder);
  if (!choice.key.empty()) {
    auto key = keys.show(place.name);
    if (!key) return pass_on(std::move(key));
    if (!is_sealed_for(m, key->box))
      return fail(errc::wrong_key, who,
                  fmt::format("recording {} is not sealed for the key {} ({}...), but for {}", short_id(m.session), key->name,
                              to_hex(byte_view(key->box).first(8)), recipients_text(m)));
    auto opened = load_key(context, settings, keys, *key, choice);
    if (!opened) return pass_on(std::move(opened));
    return unwrap(m, *opened);
  }
  auto fitting = fitting_keys(keys, m);
  if (fitting.empty())
    return fail(errc::wrong_key, who,
                fmt::format("no key in {} opens recording {}, which is sealed for {}; name the key file by --key",
                            place.folder.string(), short_id(m.session), recipients_text(m)));
  auto opened = load_key(context, settings, keys, fitting.front(), choice);
  if (!opened) return pass_on(std::move(opened));
  return unwrap(m, *opened);
}

std::optional<opened_key> find_session_key(const configuration& settings, const manifest& m) {
  posix_file_system files;
  key_store keys(files, settings.keys.dir);
  auto configured = node_passphrase(settings);
  for (auto& key : fitting_keys(keys, m)) {
    if (key.has_passphrase && (!configured || configured->empty())) continue;
    auto opened = keys.load(key.name, configured ? configured->reveal() : std::string_view());
    if (!opened) continue;
    if (auto session = unwrap(m, *opened)) return std::move(*session);
  }
  return std::nullopt;
}

// --- chunk_stream ----------------------------------------------------------------------------------------------

outcome<byte_buffer> chunk_stream::next() {
  while (at_ < chunks_.size()) {
    if (told_ && !told_(done_bytes_)) return fail(errc::cancelled, who, "interrupted; nothing was left behind");
    auto& record = chunks_[at_++];
    auto name = fmt::format("{} chunk {} of recording {}", track_name(record.key.on), record.key.index, short_id(record.key.session));
    auto file = recording_.chunk(record);
    if (!file) return fail(file.error().code, who, name + " cannot be read", file.error());
    if (!check_chunk(file->view(), record, {}).intact)
      return fail(errc::corrupted, who,
                  fmt::format("{} is not what was sealed; `lucid verify {}` says where", name, short_id(record.key.session)));
    auto opened = open_chunk(file->view(), key_, decompressor_);
    if (!opened) return fail(opened.error().code, who, name + " cannot be opened", opened.error());
    if (opened->header.key != record.key) return fail(errc::corrupted, who, name + " is another chunk");
    done_bytes_ += record.sealed_size_bytes;
    if (told_ && at_ == chunks_.size()) (void)told_(done_bytes_);
    if (!opened->plain.empty()) return std::move(opened->plain);
  }
  return byte_buffer();
}

} // namespace lucid
