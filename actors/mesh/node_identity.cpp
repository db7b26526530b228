// actors/mesh/node_identity.cpp - ids, and transport keys in the key store.
#include "actors/mesh/node_identity.hpp"

#include <utility>

#include "actors/mesh/mesh_contexts.hpp"
#include "adapters/blake3/blake3_hasher.hpp"

namespace lucid {
namespace {

std::string_view passphrase_of(const key_protection& protection) {
  auto lock = std::get_if<under_passphrase>(&protection);
  return lock ? lock->passphrase : std::string_view();
}

outcome<transport_key_pair> load_pair(key_store& keys, const char* name, const key_protection& protection) {
  auto key = keys.load(name, passphrase_of(protection));
  if (!key) return pass_on(std::move(key));
  if (key->open.kind != key_kind::transport)
    return fail(errc::wrong_state, "mesh", "the key \"" + std::string(name) + "\" is no transport key; give it another name");
  return transport_pair_of(std::move(key->box_secret));
}

} // namespace

node_id node_id_of(const sign_public_key& key) noexcept { return blake3_derive(contexts::node_id, {key}); }

transport_key_pair transport_pair_of(secret_key secret) {
  transport_key_pair pair;
  pair.open = box_public_key_of(secret);
  pair.secret = std::make_shared<const secret_key>(std::move(secret));
  return pair;
}

outcome<transport_keys> load_transport_keys(key_store& keys, const key_protection& protection, unix_time_us now,
                                            random_port& random) {
  auto present = load_pair(keys, transport_key_name, protection);
  if (!present && present.error().code == errc::not_found) {
    auto made = keys.create(key_kind::transport, transport_key_name, protection, now, random);
    if (!made) return pass_on(std::move(made));
    present = load_pair(keys, transport_key_name, protection);
  }
  if (!present) return pass_on(std::move(present));
  transport_keys found{std::move(*present), std::nullopt};
  auto previous = load_pair(keys, transport_previous_key_name, protection);
  if (!previous && previous.error().code != errc::not_found) return pass_on(std::move(previous));
  // A rotation that was interrupted leaves the present key under both names.
  if (previous && previous->open != found.present.open) found.previous = std::move(*previous);
  return found;
}

outcome<transport_keys> rotate_transport_keys(key_store& keys, const key_protection& protection, unix_time_us now,
                                              random_port& random) {
  auto present = load_transport_keys(keys, protection, now, random);
  if (!present) return pass_on(std::move(present));
  auto made = keys.rotate(transport_key_name, transport_previous_key_name, protection, now, random);
  if (!made) return pass_on(std::move(made));
  return load_transport_keys(keys, protection, now, random);
}

outcome<void> forget_previous_transport_key(key_store& keys) { return keys.remove(transport_previous_key_name); }

} // namespace lucid
