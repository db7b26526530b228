// actors/mesh/invitation.hpp - what a new node needs to join: address, key, and a token that lets it in once.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "adapters/sodium/secret.hpp"
#include "messages/identity.hpp"
#include "messages/mesh.hpp"
#include "messages/outcome.hpp"

namespace lucid {

inline constexpr std::string_view invitation_prefix = "lucid-join:";
inline constexpr std::size_t invitation_address_count_max = 4;
inline constexpr std::size_t invitation_text_bytes_max = cluster_invitation_bytes_max; ///< With two addresses it has about 300.

/// A secret: whoever has it can join until it is used or expires. Wiped when destroyed.
struct invitation {
  digest cluster_id{};
  node_id inviter{};
  transport_key inviter_key{};
  std::vector<std::string> addresses; ///< Of the inviter; 1..invitation_address_count_max.
  unix_time_us expires_us = 0;        ///< Whole seconds.
  std::array<std::uint8_t, 16> token{};

  invitation() = default;
  invitation(const invitation&) = default;
  invitation(invitation&&) = default;
  invitation& operator=(const invitation&) = default;
  invitation& operator=(invitation&&) = default;
  ~invitation() { wipe(token); }
  friend bool operator==(const invitation&, const invitation&) = default;
};

/// "lucid-join:" and base64url with a check sum. The text is as secret as the invitation.
/// Errors: `invalid_input`, `limit_exceeded` for addresses outside their grammar or bounds.
outcome<std::string> invitation_text(const invitation& what);

/// Blanks and line breaks anywhere are passed over: terminals wrap. Errors: `invalid_input` (no invitation),
/// `corrupted` (its check sum is wrong: mistyped or cut), `unsupported` (a newer version), `limit_exceeded`.
outcome<invitation> read_invitation(std::string_view text);

/// The CURVE secret that the joiner connects with. Being let in with it is the proof of having the token.
secret_key joining_secret(const invitation& what);

/// Its public half: what the inviter lets in.
transport_key joining_key(const invitation& what);

} // namespace lucid
