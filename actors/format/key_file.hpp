// actors/format/key_file.hpp - key files of nodes and owners: public half readable, secret half under a passphrase.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "adapters/sodium/password.hpp"
#include "adapters/sodium/secret.hpp"
#include "adapters/sodium/sign.hpp"
#include "messages/identity.hpp"
#include "messages/outcome.hpp"
#include "messages/ports/random.hpp"

namespace lucid {

inline constexpr std::size_t key_file_size_bytes_max = 16u << 10;
inline constexpr std::size_t key_name_size_bytes_max = 64;

/// 1..64 of a-z A-Z 0-9 . _ - ; begins with a letter or digit.
bool is_key_name(std::string_view name) noexcept;

enum class key_kind : std::uint8_t {
  node = 1,  ///< Signs manifests and blocks (Ed25519), and can be a recipient (X25519).
  owner,     ///< Opens recordings (X25519).
  transport, ///< Connects to other nodes: a CURVE key, which is X25519 too.
};

/// What anybody may know of a key.
struct public_identity {
  key_kind kind = key_kind::owner;
  std::string name;                ///< Of the grammar above.
  unix_time_us created_us = 0;
  bool has_passphrase = false;
  box_public_key box{};
  sign_public_key sign{};          ///< Nodes only; zero for others.
  friend bool operator==(const public_identity&, const public_identity&) = default;
};

/// A key with its secret half.
struct identity {
  public_identity open;
  secret_key box_secret;
  std::optional<secret_key> sign_seed; ///< Nodes only.
};

/// A fresh key. Errors: `invalid_input` for a name that breaks its grammar.
outcome<identity> make_identity(key_kind kind, std::string name, unix_time_us created_us, random_port& random);

/// How the secret half is kept: under a passphrase, or in the clear, said in so many words.
struct no_passphrase {};
struct under_passphrase {
  std::string_view passphrase; ///< 1..1024 bytes.
  password_cost cost = {};
};
using key_protection = std::variant<no_passphrase, under_passphrase>;

/// The key file as text. Errors: `invalid_input` for an empty passphrase; those of key_from_password.
outcome<std::string> encode_key_file(const identity& key, const key_protection& protection, random_port& random);

/// The public half; needs no passphrase. Errors: `invalid_input`, `unsupported`, `corrupted`.
outcome<public_identity> read_public_identity(std::string_view file);

/// The whole key. `passphrase` is not looked at if the file has none.
/// Errors: as above; `wrong_key` for another passphrase.
outcome<identity> open_key_file(std::string_view file, std::string_view passphrase);

/// One line for others to copy: "lucid-owner:<hex>", "lucid-transport:<hex>" or "lucid-node:<sign hex>:<box hex>", a blank,
/// the name.
std::string export_public(const public_identity& key);

/// Reads such a line. Errors: `invalid_input`.
outcome<public_identity> import_public(std::string_view line);

} // namespace lucid
