// actors/node/cli/recording_access.cpp - keys from keys.dir, and chunks that they open.
#include "actors/node/cli/recording_access.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "actors/format/chunk_codec.hpp"
#include "actors/format/proof_codec.hpp"
#include "actors/node/cli/passphrase.hpp"
#include "actors/node/node_keys.hpp"
#include "messages/data_layout.hpp"
#include "runtime/log/text.hpp"

namespace lucid {
namespace {

constexpr const char* who = "lucid"; // These sentences stand alone on a terminal.

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

// --- keys ------------------------------------------------------------------------------------------------------

std::shared_ptr<key_choice> add_key_options(command_options& app) {
  auto choice = std::make_shared<key_choice>();
  app.add_option("--key", choice->key, "Name of a key, or a key file (default: one of keys.dir that it is sealed for)")
    .type_name("KEY");
  app.add_option("--passphrase-file", choice->passphrase_file, "File whose first line is the passphrase of that key")
    .type_name("FILE");
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
