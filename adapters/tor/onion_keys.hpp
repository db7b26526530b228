// adapters/tor/onion_keys.hpp - the private keys of the onion service and of this node as a client of others'.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "adapters/tor/secret_text.hpp"
#include "messages/identity.hpp"
#include "messages/outcome.hpp"

namespace lucid {

/// X25519, for the client authorisation of onion services.
struct onion_client_key {
  tor_secret_text secret; ///< Base64, as ONION_CLIENT_AUTH_ADD takes it.
  box_public_key public_key{};
};

/// Two files of one folder, mode 0600, written whole or not at all:
///
///     onion_service.secret   "ED25519-V3:<base64>", as ADD_ONION gives and takes it
///     onion_client.secret    "x25519:<base64>"
///
/// A file that others may read is refused. Threads: one at a time. Errors: `permission_denied`, `corrupted`,
/// `read_only`, `disk_full`, `io_failed`; the text names the file.
class onion_keys {
public:
  /// Makes the folder (0700) if it is not there.
  static outcome<onion_keys> open(std::filesystem::path folder);

  /// None before the first service.
  outcome<std::optional<tor_secret_text>> service() const;

  /// Replaces the kept one. Synced when this returns.
  outcome<void> keep_service(const tor_secret_text& key) const;

  /// Made at the first time.
  outcome<onion_client_key> client() const;

private:
  explicit onion_keys(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path folder_;
};

/// RFC 4648, without padding: how ADD_ONION takes the keys of clients.
std::string base32(const box_public_key& key);

/// Is `text` of the form "ED25519-V3:<base64 of 64 bytes>"?
bool is_onion_key(std::string_view text);

} // namespace lucid
