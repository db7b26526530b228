// actors/console/audit_entry.hpp - one line of the log of actions: chained to the one before, signed by the node.
//
// Source: docs/format.md, "Audit log".
#pragma once

#include <string>
#include <string_view>

#include "adapters/sodium/sign.hpp"
#include "messages/audit.hpp"
#include "messages/outcome.hpp"

namespace lucid {

inline constexpr std::size_t audit_line_bytes_max = 32u << 10; ///< All texts escaped as \u00xx, and room.

/// The entry that follows. Errors: `limit_exceeded` for a text beyond its bound; `invalid_input` for one that is no UTF-8.
outcome<audit_entry> make_audit_entry(std::uint64_t number, const digest& previous, unix_time_us at_us,
                                      const audit_action& what, const sign_key& key);

/// One line, without its end. REQUIRES: `entry` was made or decoded by these functions.
std::string encode_audit_entry(const audit_entry& entry);

/// Reads a line; its hash is computed, its signature is not checked. Errors: `invalid_input` with offset or member.
outcome<audit_entry> decode_audit_entry(std::string_view line);

/// That `entry` is the one after `before_number` and `before_hash`, and signed. Errors: `corrupted`, `bad_signature`.
outcome<void> verify_audit_entry(const audit_entry& entry, std::uint64_t before_number, const digest& before_hash,
                                 const sign_public_key& key);

} // namespace lucid
