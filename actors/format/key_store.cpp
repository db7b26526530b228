// actors/format/key_store.cpp - key files through the file system port.
#include "actors/format/key_store.hpp"

#include <algorithm>

namespace lucid {
namespace {

constexpr std::string_view suffix = ".key";

outcome<void> write_whole(file_system& files, const file_system::path& to, std::string_view text) {
  auto temporary = to;
  temporary += ".new";
  auto file = files.open(temporary, open_mode::fresh);
  if (!file) return pass_on(std::move(file));
  if (auto done = (*file)->append(as_bytes(text)); !done) return done;
  if (auto done = (*file)->sync(); !done) return done;
  if (auto done = files.rename(temporary, to); !done) return done;
  return files.sync_folder(to.parent_path());
}

} // namespace

outcome<public_identity> key_store::create(key_kind kind, const std::string& name, const key_protection& protection,
                                           unix_time_us created_us, random_port& random) {
  auto key = make_identity(kind, name, created_us, random);
  if (!key) return pass_on(std::move(key));
  if (auto folder = files_.make_folder(folder_); !folder) return pass_on(std::move(folder));
  auto names = files_.list(folder_);
  if (!names) return pass_on(std::move(names));
  if (std::ranges::find(*names, name + std::string(suffix)) != names->end())
    return fail(errc::already_exists, "keys", "there is a key " + name + " in " + folder_.string() + " already");
  if (auto written = write(name, *key, protection, random); !written) return pass_on(std::move(written));
  return show(name); // Read back: a key that cannot be read must not be relied on.
}

outcome<void> key_store::write(const std::string& name, const identity& key, const key_protection& protection,
                               random_port& random) {
  auto text = encode_key_file(key, protection, random);
  if (!text) return pass_on(std::move(text));
  auto written = write_whole(files_, file_of(name), *text);
  wipe(*text);
  return written;
}

outcome<public_identity> key_store::rotate(const std::string& name, const std::string& previous_name,
                                           const key_protection& protection, unix_time_us created_us, random_port& random) {
  auto lock = std::get_if<under_passphrase>(&protection);
  auto present = load(name, lock ? lock->passphrase : "");
  if (!present) return pass_on(std::move(present));
  auto fresh = make_identity(present->open.kind, name, created_us, random);
  if (!fresh) return pass_on(std::move(fresh));
  // The old key is on disk under its new name before its file is replaced.
  present->open.name = previous_name;
  if (auto kept = write(previous_name, *present, protection, random); !kept) return pass_on(std::move(kept));
  if (auto written = write(name, *fresh, protection, random); !written) return pass_on(std::move(written));
  return show(name); // Read back, as in `create`.
}

outcome<void> key_store::remove(const std::string& name) {
  if (!is_key_name(name)) return fail(errc::invalid_input, "keys", "a key's name has 1..64 letters, digits, '.', '_' or '-'");
  auto names = files_.list(folder_);
  if (!names) return pass_on(std::move(names));
  if (std::ranges::find(*names, name + std::string(suffix)) == names->end()) return {};
  if (auto gone = files_.remove(file_of(name)); !gone) return gone;
  return files_.sync_folder(folder_);
}

outcome<std::string> key_store::read(const std::string& name) {
  if (!is_key_name(name)) return fail(errc::invalid_input, "keys", "a key's name has 1..64 letters, digits, '.', '_' or '-'");
  auto bytes = files_.read(file_of(name), 0, key_file_size_bytes_max + 1);
  if (!bytes) {
    if (bytes.error().code == errc::not_found)
      return fail(errc::not_found, "keys", "there is no key " + name + " in " + folder_.string(), std::move(bytes).error());
    return pass_on(std::move(bytes));
  }
  std::string text(as_text(*bytes));
  wipe(*bytes);
  return text;
}

outcome<identity> key_store::load(const std::string& name, std::string_view passphrase) {
  auto text = read(name);
  if (!text) return pass_on(std::move(text));
  auto key = open_key_file(*text, passphrase);
  wipe(*text);
  return key;
}

outcome<public_identity> key_store::show(const std::string& name) {
  auto text = read(name);
  if (!text) return pass_on(std::move(text));
  auto key = read_public_identity(*text);
  wipe(*text);
  return key;
}

outcome<std::vector<public_identity>> key_store::list() {
  auto names = files_.list(folder_);
  if (!names) return pass_on(std::move(names));
  std::vector<public_identity> keys;
  for (const auto& file : *names) {
    if (!file.ends_with(suffix)) continue;
    auto key = show(file.substr(0, file.size() - suffix.size()));
    if (!key) return pass_on(std::move(key));
    keys.push_back(std::move(*key));
  }
  return keys;
}

} // namespace lucid
