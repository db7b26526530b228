// actors/node/node_keys.cpp - keys from keys.dir.
#include "actors/node/node_keys.hpp"

#include <array>
#include <fstream>
#include <span>
#include <utility>

#include "adapters/sodium/secret.hpp"
#include "runtime/log/log.hpp"

namespace lucid {
namespace {

constexpr std::size_t passphrase_line_bytes_max = 1024;

} // namespace

outcome<secret_text> secret_from_file(const std::filesystem::path& file) {
  std::ifstream from(file);
  std::array<char, passphrase_line_bytes_max + 1> line{};
  if (!from || !from.getline(line.data(), line.size()))
    return fail(errc::invalid_input, "keys",
                "cannot read a secret from " + file.string() + ": its first line is taken, of 1 to " +
                  std::to_string(passphrase_line_bytes_max) + " bytes");
  secret_text secret{std::string_view(line.data())};
  wipe(std::span(reinterpret_cast<std::uint8_t*>(line.data()), line.size()));
  if (secret.empty())
    return fail(errc::invalid_input, "keys", "the first line of " + file.string() + " is empty; it should be the secret");
  return secret;
}

outcome<secret_text> node_passphrase(const configuration& settings) {
  if (!settings.keys.passphrase_file.empty()) return secret_from_file(settings.keys.passphrase_file);
  return settings.keys.passphrase;
}

outcome<node_keys> load_node_keys(const configuration& settings, file_system& files, random_port& random,
                                  unix_time_us now) {
  auto passphrase = node_passphrase(settings);
  if (!passphrase) return pass_on(std::move(passphrase));
  key_store store(files, settings.keys.dir);
  auto key = store.load(node_key_name, passphrase->reveal());
  if (!key && key.error().code == errc::not_found) {
    key_protection protection = no_passphrase{};
    if (!passphrase->empty()) protection = under_passphrase{passphrase->reveal()};
    auto made = store.create(key_kind::node, node_key_name, protection, now, random);
    if (!made) return pass_on(std::move(made));
    log::info("node", "made the node's key in {}, {}", settings.keys.dir.string(),
              passphrase->empty() ? "without a passphrase: protected by file rights only" : "under its passphrase");
    key = store.load(node_key_name, passphrase->reveal());
  }
  if (!key) return pass_on(std::move(key));
  if (!key->sign_seed)
    return fail(errc::invalid_input, "node",
                "the key \"node\" in " + settings.keys.dir.string() + " is an owner's key; a node needs one that signs");
  node_keys keys;
  keys.sign = std::make_shared<const sign_key>(*key->sign_seed);
  keys.box = key->open.box;
  keys.box_secret = std::make_shared<const secret_key>(std::move(key->box_secret));
  return keys;
}

outcome<std::vector<box_public_key>> default_recipients(const configuration& settings, file_system& files) {
  std::vector<box_public_key> recipients;
  for (auto& text : settings.keys.recipients) {
    box_public_key key{};
    if (auto read = from_hex_into(text, key); !read)
      return fail(errc::invalid_input, "node", "keys.recipients holds no public key of 64 hexadecimal digits: " + text);
    recipients.push_back(key);
  }
  if (!recipients.empty()) return recipients;
  auto owner = key_store(files, settings.keys.dir).show(owner_key_name);
  if (owner)
    recipients.push_back(owner->box);
  else if (owner.error().code != errc::not_found)
    return pass_on(std::move(owner));
  return recipients;
}

} // namespace lucid
