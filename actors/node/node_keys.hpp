// actors/node/node_keys.hpp - the node's own key, and who can open its recordings.
#pragma once

#include <memory>
#include <vector>

#include "actors/format/key_store.hpp"
#include "adapters/sodium/sign.hpp"
#include "messages/outcome.hpp"
#include "runtime/config/configuration.hpp"

namespace lucid {

inline constexpr const char* node_key_name = "node";
inline constexpr const char* owner_key_name = "owner"; ///< Recipient when nobody else is named.

/// What the node signs and opens with.
struct node_keys {
  std::shared_ptr<const sign_key> sign;
  std::shared_ptr<const secret_key> box_secret;
  box_public_key box{};
};

/// The first line of `file`. Errors: `invalid_input` when it cannot be read, is empty or too long.
outcome<secret_text> secret_from_file(const std::filesystem::path& file);

/// The passphrase of the node's key, from configuration or the file it names; empty without either.
outcome<secret_text> node_passphrase(const configuration& settings);

/// The node's key; made at the first start, protected by the configured passphrase or, without one, by file rights only.
/// Errors: `wrong_key` for another passphrase; those of key_store.
outcome<node_keys> load_node_keys(const configuration& settings, file_system& files, random_port& random,
                                  unix_time_us now);

/// keys.recipients; without any, the key "owner" in keys.dir; without that, nobody.
outcome<std::vector<box_public_key>> default_recipients(const configuration& settings, file_system& files);

} // namespace lucid
