// actors/mesh/node_identity.hpp - a node's id, and the keys it connects with.
#pragma once

#include <memory>
#include <optional>

#include "actors/format/key_store.hpp"
#include "adapters/sodium/sign.hpp"
#include "messages/identity.hpp"

namespace lucid {

inline constexpr const char* transport_key_name = "transport";
inline constexpr const char* transport_previous_key_name = "transport-previous";

/// derive_key of the signing key: who has the id can be checked by anybody who has the key.
node_id node_id_of(const sign_public_key& key) noexcept;

/// One CURVE key pair. CURVE's keys are X25519's, in Z85 as text (ZeroMQ RFC 26 and 32).
struct transport_key_pair {
  transport_key open{};
  std::shared_ptr<const secret_key> secret;
};

/// What the node connects with, and what it connected with before, while a peer may still need it.
struct transport_keys {
  transport_key_pair present;
  std::optional<transport_key_pair> previous;
};

/// The pair of a secret that was derived. Threads: any.
transport_key_pair transport_pair_of(secret_key secret);

/// The node's keys; made at the first call. `protection` is that of the node's key.
/// Errors: `wrong_key`, `corrupted`, `wrong_state` for a key of another kind; those of key_store.
outcome<transport_keys> load_transport_keys(key_store& keys, const key_protection& protection, unix_time_us now,
                                            random_port& random);

/// A new key becomes the present one, the present one the previous one; on disk before it returns. Errors: as above.
outcome<transport_keys> rotate_transport_keys(key_store& keys, const key_protection& protection, unix_time_us now,
                                              random_port& random);

/// Removes the previous key; harmless if there is none.
outcome<void> forget_previous_transport_key(key_store& keys);

} // namespace lucid
