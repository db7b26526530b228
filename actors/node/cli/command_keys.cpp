// actors/node/cli/command_keys.cpp - `lucid keys init|list|show|export`.
#include <chrono>
#include <memory>

#include <fmt/core.h>

#include "actors/format/key_store.hpp"
#include "actors/mesh/node_identity.hpp"
#include "actors/node/cli/commands.hpp"
#include "actors/node/cli/json.hpp"
#include "actors/node/cli/passphrase.hpp"
#include "actors/node/node_keys.hpp"
#include "actors/node/session_text.hpp"
#include "adapters/files/posix_file_system.hpp"
#include "adapters/sodium/system_random.hpp"

namespace lucid {
namespace {

struct init_options {
  std::string name = owner_key_name;
  bool no_passphrase = false;
  std::string passphrase_file;
};

std::string_view kind_text(const public_identity& key) {
  return key.kind == key_kind::node ? "node" : key.kind == key_kind::owner ? "owner" : "transport";
}
std::string_view protection_text(const public_identity& key) { return key.has_passphrase ? "passphrase" : "file rights only"; }
std::filesystem::path file_of(const configuration& settings, const std::string& name) {
  return settings.keys.dir / (name + ".key");
}

json key_json(const configuration& settings, const public_identity& key) {
  json line{{"name", key.name},
            {"kind", kind_text(key)},
            {"public_key", to_hex(key.box)},
            {"passphrase", key.has_passphrase},
            {"created_us", key.created_us},
            {"file", file_of(settings, key.name).string()},
            {"export", export_public(key)}};
  if (key.kind == key_kind::node) line["signing_key"] = to_hex(key.sign);
  return line;
}

/// How new keys are to be kept. Empty: without a passphrase, because that was said.
outcome<secret_text> new_passphrase(command_context& context, const configuration& settings, const init_options& options) {
  if (options.no_passphrase) return secret_text();
  if (!options.passphrase_file.empty()) return secret_from_file(options.passphrase_file);
  auto configured = node_passphrase(settings);
  if (!configured || !configured->empty()) return configured;
  if (!is_terminal(keyboard_input))
    return fail(errc::invalid_input, "keys",
                "standard input is no terminal, so no passphrase can be asked for; say --passphrase-file FILE, or "
                "--no-passphrase to keep the keys in the clear");
  return ask_new_passphrase(keyboard_input, context.err, "Passphrase for the new keys");
}

struct made_key {
  public_identity key;
  bool is_new = false;
};

outcome<made_key> make_key(key_store& keys, key_kind kind, const std::string& name, const secret_text& passphrase) {
  system_random random;
  key_protection protection = no_passphrase{};
  if (!passphrase.empty()) protection = under_passphrase{passphrase.reveal()};
  auto now = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch());
  auto made = keys.create(kind, name, protection, now.count(), random);
  if (!made) return pass_on(std::move(made));
  return made_key{std::move(*made), true};
}

/// The node's key, made if it is not there.
outcome<made_key> node_key(key_store& keys, const secret_text& passphrase) {
  auto there = keys.show(node_key_name);
  if (there) return made_key{std::move(*there), false};
  if (there.error().code != errc::not_found) return pass_on(std::move(there));
  return make_key(keys, key_kind::node, node_key_name, passphrase);
}

void print_keys(command_context& context, const configuration& settings, const made_key& node, const made_key& owner) {
  table rows({{"key"}, {""}, {"does"}, {"public key"}, {"protected by"}, {"file"}});
  auto add = [&](const made_key& made, std::string_view does, const std::array<std::uint8_t, 32>& public_key) {
    rows.add({made.key.name, made.is_new ? "made" : "was there", std::string(does), to_hex(public_key),
              std::string(protection_text(made.key)), file_of(settings, made.key.name).string()});
  }; // What others need of each: the node's signing key, the owner's recipient key.
  add(node, "signs recordings and blocks", node.key.sign);
  add(owner, "opens recordings", owner.key.box);
  rows.print(context.out);
}

/// What is to be done now, in the order of what is lost otherwise.
void advise(command_context& context, const configuration& settings, const made_key& node, const made_key& owner,
            bool configured) {
  auto& out = context.out;
  out << fmt::format("\nCopy {} to a safe place now: without it nobody can ever open the recordings made for it.\n",
                     file_of(settings, owner.key.name).string());
  out << (owner.key.has_passphrase
            ? "Its passphrase cannot be recovered either.\n"
            : "It has no passphrase: whoever can read the file can open the recordings.\n");
  if (owner.key.name != owner_key_name)
    out << fmt::format("Recordings are made for \"{}\" by default; for this key: keys.recipients = [\"{}\"]\n", owner_key_name,
                       to_hex(owner.key.box));
  if (node.is_new && node.key.has_passphrase && !configured)
    out << "The node asks for the same passphrase at its start: set keys.passphrase_file, or LUCID_KEYS_PASSPHRASE.\n";
  out << fmt::format("Auditors need the node's public key to know who recorded: lucid keys export {}\n", node_key_name);
}

command_result init(command_context& context, const init_options& options) {
  auto loaded = context.load_settings();
  if (!loaded) return pass_on(std::move(loaded));
  auto& settings = loaded->values;
  for (std::string_view own : {node_key_name, transport_key_name, transport_previous_key_name})
    if (options.name == own)
      return fail(errc::invalid_input, "keys",
                  fmt::format("\"{}\" is the name of a key of the node's own; an owner needs another one", own));
  if (!is_key_name(options.name))
    return fail(errc::invalid_input, "keys", "a key's name has 1 to 64 letters, digits, '.', '_' or '-'");
  posix_file_system files;
  key_store keys(files, settings.keys.dir);
  if (keys.show(options.name))
    return fail(errc::already_exists, "keys",
                fmt::format("there is a key {0} in {1} already, and no key is ever overwritten; `lucid keys show {0}` shows "
                            "it, --name makes another one",
                            options.name, settings.keys.dir.string()));
  auto passphrase = new_passphrase(context, settings, options);
  if (!passphrase) return pass_on(std::move(passphrase));
  auto node = node_key(keys, *passphrase);
  if (!node) return pass_on(std::move(node));
  auto owner = make_key(keys, key_kind::owner, options.name, *passphrase);
  if (!owner) return pass_on(std::move(owner));
  if (context.options.json) {
    print_json(context.out, {{"node", key_json(settings, node->key)}, {"owner", key_json(settings, owner->key)}});
    return exit_code::ok;
  }
  print_keys(context, settings, *node, *owner);
  auto configured = node_passphrase(settings);
  if (!context.options.quiet) advise(context, settings, *node, *owner, configured && !configured->empty());
  return exit_code::ok;
}

command_result list(command_context& context) {
  auto loaded = context.load_settings();
  if (!loaded) return pass_on(std::move(loaded));
  auto& settings = loaded->values;
  posix_file_system files;
  auto keys = key_store(files, settings.keys.dir).list();
  if (!keys) return pass_on(std::move(keys));
  json lines = json::array();
  table rows({{"name"}, {"kind"}, {"public key"}, {"protected by"}, {"created"}});
  for (auto& key : *keys) {
    lines.push_back(key_json(settings, key));
    rows.add({key.name, std::string(kind_text(key)), to_hex(key.box), std::string(protection_text(key)), time_text(key.created_us)});
  }
  if (context.options.json) print_json(context.out, lines);
  else if (!keys->empty()) rows.print(context.out);
  else if (!context.options.quiet)
    context.err << fmt::format("There is no key in {}; `lucid keys init` makes them.\n", settings.keys.dir.string());
  return exit_code::ok;
}

command_result show(command_context& context, const std::string& name) {
  if (name.empty()) return list(context);
  auto loaded = context.load_settings();
  if (!loaded) return pass_on(std::move(loaded));
  posix_file_system files;
  auto key = key_store(files, loaded->values.keys.dir).show(name);
  if (!key) return pass_on(std::move(key));
  if (context.options.json) {
    print_json(context.out, key_json(loaded->values, *key));
    return exit_code::ok;
  }
  auto& out = context.out;
  out << fmt::format("name          {}\nkind          {}\n", key->name, kind_text(*key));
  if (key->kind == key_kind::transport)
    out << fmt::format("transport key {}  (CURVE: connects to other nodes)\n", to_hex(key->box));
  else out << fmt::format("recipient key {}  (X25519: recordings are sealed for it)\n", to_hex(key->box));
  if (key->kind == key_kind::node) out << fmt::format("signing key   {}  (Ed25519: signs manifests and blocks)\n", to_hex(key->sign));
  out << fmt::format("protected by  {}\ncreated       {}\nfile          {}\n", protection_text(*key), time_text(key->created_us),
                     file_of(loaded->values, key->name).string());
  return exit_code::ok;
}

command_result export_key(command_context& context, const std::string& name) {
  auto loaded = context.load_settings();
  if (!loaded) return pass_on(std::move(loaded));
  posix_file_system files;
  auto key = key_store(files, loaded->values.keys.dir).show(name);
  if (!key) return pass_on(std::move(key));
  context.out << export_public(*key) << '\n';
  return exit_code::ok;
}

} // namespace

command_spec keys_init_command() {
  return {.name = "keys init",
          .summary = "Make the node's key and an owner's key.",
          .details = "The node's key signs recordings and the chain; the owner's opens recordings. A key that is there is "
                     "never overwritten. Without a flag the passphrase is the configured one (keys.passphrase), else it "
                     "is asked for twice.",
          .examples = {{"lucid keys init", "asks for a passphrase"},
                       {"lucid keys init --passphrase-file /run/secrets/lucid", "takes its first line"},
                       {"lucid keys init --name alice --no-passphrase", "keys in the clear, protected by file rights only"}},
          .hidden = false,
          .declare = [](command_options& app) -> command_action {
            auto o = std::make_shared<init_options>();
            app.add_option("--name", o->name, "Name of the owner's key (default: owner)").type_name("NAME");
            auto none = app.add_flag("--no-passphrase", o->no_passphrase, "Keep the secret halves in the clear");
            app.add_option("--passphrase-file", o->passphrase_file, "File whose first line is the passphrase")
              .type_name("FILE").excludes(none);
            return [o](command_context& context) { return init(context, *o); };
          }};
}

command_spec keys_list_command() {
  return {.name = "keys list",
          .summary = "List the keys of this node.",
          .details = {},
          .examples = {{"lucid keys list", "names, public keys, and whether a passphrase protects them"}},
          .hidden = false,
          .declare = [](command_options&) -> command_action { return list; }};
}

command_spec keys_show_command() {
  return {.name = "keys show",
          .summary = "Show the public half of a key, or list all of them.",
          .details = "Needs no passphrase.",
          .examples = {{"lucid keys show", "all keys"},
                       {"lucid keys show owner", "what to give as a recipient: lucid record --recipient KEY"}},
          .hidden = false,
          .declare = [](command_options& app) -> command_action {
            auto name = std::make_shared<std::string>();
            app.add_option("NAME", *name, "Name of the key; without it all of them").type_name("");
            return [name](command_context& context) { return show(context, *name); };
          }};
}

command_spec keys_export_command() {
  return {.name = "keys export",
          .summary = "Print the public half of a key as one line for others.",
          .details = "Nothing in it is secret.",
          .examples = {{"lucid keys export node > node.pub", "what an auditor trusts: lucid verify-proof --recorder"},
                       {"lucid keys export owner", "what others seal recordings for"}},
          .hidden = false,
          .declare = [](command_options& app) -> command_action {
            auto name = std::make_shared<std::string>();
            app.add_option("NAME", *name, "Name of the key").required().type_name("");
            return [name](command_context& context) { return export_key(context, *name); };
          }};
}

} // namespace lucid
