// actors/mesh/node_statement.hpp - what a node says of itself: keys, name, addresses; signed, the newest one counts.
#pragma once

#include <string>
#include <vector>

#include "adapters/sodium/sign.hpp"
#include "messages/identity.hpp"
#include "messages/outcome.hpp"

namespace lucid {

inline constexpr std::size_t software_text_bytes_max = 64;
inline constexpr std::size_t statement_bytes_max = 2560; ///< 16 addresses of 128 bytes, and the rest.
inline constexpr std::uint64_t mesh_serial_max = 1ull << 62; ///< A number above it would leave no room to count on.

/// Source: docs/mesh.md, "Statement".
struct node_statement {
  sign_public_key sign_key{};
  box_public_key box_key{};
  transport_key transport{};
  box_public_key onion_client{};            ///< With which it is let into onion services; zero: it has none.
  std::uint64_t serial = 0;                 ///< 1..mesh_serial_max; rises with each statement of the node.
  std::string name;                         ///< node_name.
  std::vector<std::string> addresses;       ///< mesh_address; at most mesh_address_count_max.
  std::vector<std::string> chunk_addresses; ///< The same, for chunks.
  std::string software;                     ///< "lucid 0.1.0"; printable ASCII.
  unix_time_us time_us = 0;                 ///< When it was made, by the node's clock; never compared.
  signature by{};
  friend bool operator==(const node_statement&, const node_statement&) = default;
};

/// Fills in key and signature. Errors: `invalid_input`, `limit_exceeded` for a field outside its grammar or bound.
outcome<node_statement> sign_statement(node_statement what, const sign_key& by);

node_id subject_of(const node_statement& statement) noexcept;

/// Of everything but the signature.
digest hash_of(const node_statement& statement);

/// Which of two statements of one node counts: the higher serial, of equal ones the higher hash.
bool is_newer(const node_statement& a, const node_statement& than);

byte_buffer encode_statement(const node_statement& statement);

/// One value has one encoding. The signature is verified. Errors: `truncated`, `invalid_input`, `limit_exceeded`,
/// `unsupported` for another version, `bad_signature`.
outcome<node_statement> decode_statement(byte_view bytes);

} // namespace lucid
