// actors/format/key_file.cpp - key files as one line of canonical JSON.
#include "actors/format/key_file.hpp"

#include <algorithm>

#include "actors/format/canonical_json.hpp"
#include "actors/format/contexts.hpp"
#include "adapters/blake3/blake3_hasher.hpp"
#include "adapters/sodium/aead.hpp"

namespace lucid {
namespace {

constexpr const char* who = "keys";
constexpr std::string_view format_name = "lucid key";
constexpr std::size_t passphrase_size_bytes_max = 1024;

std::string_view name_of(key_kind kind) noexcept {
  return kind == key_kind::node ? "node" : kind == key_kind::owner ? "owner" : "transport";
}

std::optional<key_kind> kind_of(std::string_view name) noexcept {
  for (auto kind : {key_kind::node, key_kind::owner, key_kind::transport})
    if (name == name_of(kind)) return kind;
  return std::nullopt;
}

bool is_alphanumeric(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

tl::unexpected<error> bad_name(std::string_view name) {
  return fail(errc::invalid_input, who,
              "a key's name has 1..64 letters, digits, '.', '_' or '-' and begins with a letter or digit; got " +
                std::to_string(name.size()) + " bytes that do not");
}

/// The secret half as it is sealed: X25519 secret, then for nodes the Ed25519 seed.
secret_bytes<64> pack(const identity& key) {
  secret_bytes<64> secret;
  std::ranges::copy(key.box_secret.view(), secret.span().begin());
  if (key.sign_seed) std::ranges::copy(key.sign_seed->view(), secret.span().begin() + 32);
  return secret;
}

constexpr std::size_t secret_size(key_kind kind) noexcept { return kind == key_kind::node ? 64 : 32; }

json public_part(const public_identity& key) {
  return {{"box_public", to_hex(key.box)},
          {"created_us", key.created_us},
          {"format", format_name},
          {"kind", name_of(key.kind)},
          {"name", key.name},
          {"sign_public", key.kind == key_kind::node ? to_hex(key.sign) : ""},
          {"version", 1}};
}

/// What is sealed with the secret, so that nobody can put another public half or a cheaper Argon2id beside it.
std::string associated_text(json value) {
  value.erase("check");
  value.erase("sealed");
  return value.dump();
}

/// Tells a damaged file from a wrong passphrase.
std::string check_of(json value) {
  value.erase("check");
  return to_hex(blake3_derive(contexts::key_file, {as_bytes(value.dump())}));
}

struct sealed_secret {
  password_salt salt{};
  password_cost cost;
  aead_nonce nonce{};
  byte_buffer sealed;
};

struct parsed_key_file {
  public_identity open;
  byte_buffer secret;   ///< Without passphrase.
  sealed_secret locked; ///< With passphrase.
  std::string associated;
};

void read_secret(json_reader& in, parsed_key_file& file) {
  auto size = secret_size(file.open.kind);
  if (!file.open.has_passphrase) {
    file.secret.resize(size);
    in.hex("secret", file.secret);
    return;
  }
  in.hex("salt", file.locked.salt);
  in.hex("nonce", file.locked.nonce);
  file.locked.cost.passes = static_cast<std::uint32_t>(in.number("passes", password_cost::passes_max));
  file.locked.cost.memory_bytes = static_cast<std::uint32_t>(in.number("memory_bytes", password_cost::memory_bytes_max));
  file.locked.sealed.resize(size + aead_tag_size_bytes);
  in.hex("sealed", file.locked.sealed);
}

outcome<parsed_key_file> parse(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  auto value = parse_canonical(text, key_file_size_bytes_max, who);
  if (!value) return pass_on(std::move(value));
  json_reader in(*value, "", who);
  parsed_key_file file;
  if (in.text("format", 64) != format_name) in.refuse("format", "expected \"lucid key\"");
  if (auto version = in.number("version"); in.good() && version != 1)
    in.refuse("version", std::to_string(version) + ", this build reads version 1", errc::unsupported);
  auto kind = kind_of(in.text("kind", 16));
  if (!kind) in.refuse("kind", "expected \"node\", \"owner\" or \"transport\"");
  file.open.kind = kind.value_or(key_kind::owner);
  file.open.name = in.text("name", key_name_size_bytes_max);
  if (!is_key_name(file.open.name)) in.refuse("name", "not a key's name");
  file.open.created_us = in.time("created_us");
  in.hex("box_public", file.open.box);
  if (file.open.kind == key_kind::node) in.hex("sign_public", file.open.sign);
  else in.text("sign_public", 0);
  auto protection = in.text("protection", 16);
  file.open.has_passphrase = protection == "argon2id";
  if (protection != "argon2id" && protection != "none") in.refuse("protection", "expected \"argon2id\" or \"none\"");
  read_secret(in, file);
  digest check{};
  in.hex("check", check);
  if (in.good() && check_of(*value) != to_hex(check)) in.refuse("check", "the file was changed or damaged", errc::corrupted);
  if (auto done = in.finish(); !done) return pass_on(std::move(done));
  file.associated = associated_text(std::move(*value));
  return file;
}

outcome<identity> unpack(const public_identity& open, std::span<const std::uint8_t> secret) {
  identity key{open, secret_key(secret.first<32>()), std::nullopt};
  if (open.kind == key_kind::node) key.sign_seed.emplace(secret.subspan(32).first<32>());
  bool matches = box_public_key_of(key.box_secret) == open.box &&
                 (!key.sign_seed || sign_key(*key.sign_seed).public_key() == open.sign);
  if (!matches) return fail(errc::corrupted, who, "key " + open.name + ": its secret half is not that of its public half");
  return key;
}

outcome<void> add_protection(json& value, const identity& key, const under_passphrase& how, random_port& random) {
  if (how.passphrase.empty() || how.passphrase.size() > passphrase_size_bytes_max)
    return fail(errc::invalid_input, who, "a passphrase has 1..1024 bytes");
  password_salt salt;
  random.fill(salt);
  aead_nonce nonce;
  random.fill(nonce);
  auto lock = key_from_password(how.passphrase, salt, how.cost);
  if (!lock) return pass_on(std::move(lock));
  value["protection"] = "argon2id";
  value["salt"] = to_hex(salt);
  value["nonce"] = to_hex(nonce);
  value["passes"] = how.cost.passes;
  value["memory_bytes"] = how.cost.memory_bytes;
  auto secret = pack(key);
  auto plain = byte_view(secret.view()).first(secret_size(key.open.kind));
  byte_buffer sealed(plain.size() + aead_tag_size_bytes);
  aead_seal(sealed, plain, as_bytes(associated_text(value)), nonce, *lock);
  value["sealed"] = to_hex(sealed);
  return {};
}

} // namespace

bool is_key_name(std::string_view name) noexcept {
  auto allowed = [](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; };
  return !name.empty() && name.size() <= key_name_size_bytes_max && is_alphanumeric(name.front()) &&
         std::all_of(name.begin(), name.end(), allowed);
}

outcome<identity> make_identity(key_kind kind, std::string name, unix_time_us created_us, random_port& random) {
  if (!is_key_name(name)) return bad_name(name);
  identity key;
  random.fill(key.box_secret.span());
  key.open = {kind, std::move(name), created_us, false, box_public_key_of(key.box_secret), {}};
  if (kind == key_kind::node) {
    random.fill(key.sign_seed.emplace().span());
    key.open.sign = sign_key(*key.sign_seed).public_key();
  }
  return key;
}

outcome<std::string> encode_key_file(const identity& key, const key_protection& protection, random_port& random) {
  if (!is_key_name(key.open.name)) return bad_name(key.open.name);
  auto value = public_part(key.open);
  if (auto how = std::get_if<under_passphrase>(&protection)) {
    if (auto added = add_protection(value, key, *how, random); !added) return pass_on(std::move(added));
  } else {
    auto secret = pack(key);
    value["protection"] = "none";
    value["secret"] = to_hex(byte_view(secret.view()).first(secret_size(key.open.kind)));
  }
  value["check"] = check_of(value);
  return value.dump() + "\n";
}

outcome<public_identity> read_public_identity(std::string_view text) {
  auto file = parse(text);
  if (!file) return pass_on(std::move(file));
  wipe(file->secret);
  return file->open;
}

outcome<identity> open_key_file(std::string_view text, std::string_view passphrase) {
  auto file = parse(text);
  if (!file) return pass_on(std::move(file));
  if (!file->open.has_passphrase) {
    auto key = unpack(file->open, file->secret);
    wipe(file->secret);
    return key;
  }
  if (passphrase.size() > passphrase_size_bytes_max)
    return fail(errc::invalid_input, who, "a passphrase has 1..1024 bytes");
  auto lock = key_from_password(passphrase, file->locked.salt, file->locked.cost);
  if (!lock) return pass_on(std::move(lock));
  secret_bytes<64> secret;
  auto plain = std::span<std::uint8_t>(secret.span()).first(secret_size(file->open.kind));
  if (!aead_open(plain, file->locked.sealed, as_bytes(file->associated), file->locked.nonce, *lock))
    return fail(errc::wrong_key, who, "key " + file->open.name + ": the passphrase does not open it");
  return unpack(file->open, plain);
}

std::string export_public(const public_identity& key) {
  auto sign = key.kind == key_kind::node ? to_hex(key.sign) + ":" : "";
  return "lucid-" + std::string(name_of(key.kind)) + ":" + sign + to_hex(key.box) + " " + key.name;
}

outcome<public_identity> import_public(std::string_view line) {
  static constexpr std::string_view prefix = "lucid-";
  while (line.ends_with('\n') || line.ends_with(' ')) line.remove_suffix(1);
  auto malformed = fail(errc::invalid_input, who,
                        "a public key is lucid-owner:<64 digits> NAME, lucid-transport:<64 digits> NAME or "
                        "lucid-node:<64 digits>:<64 digits> NAME");
  auto colon = line.find(':');
  if (!line.starts_with(prefix) || colon == line.npos) return malformed;
  auto kind = kind_of(line.substr(prefix.size(), colon - prefix.size()));
  if (!kind) return malformed;
  public_identity key;
  key.kind = *kind;
  line.remove_prefix(colon + 1);
  if (key.kind == key_kind::node) {
    if (line.size() < 65 || line[64] != ':' || !from_hex_into(line.substr(0, 64), key.sign)) return malformed;
    line.remove_prefix(65);
  }
  if (line.size() < 66 || line[64] != ' ' || !from_hex_into(line.substr(0, 64), key.box)) return malformed;
  key.name = line.substr(65);
  if (!is_key_name(key.name)) return bad_name(key.name);
  return key;
}

} // namespace lucid
