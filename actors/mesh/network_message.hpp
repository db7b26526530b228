// actors/mesh/network_message.hpp - what nodes of different operators say to begin with.
#pragma once

#include <string>
#include <vector>

#include "actors/mesh/message_table.hpp"

namespace lucid {

/// The first envelope of each side of a link.
struct network_hello {
  std::uint64_t epoch = 0;    ///< Random, never 0: what the other side puts into its further envelopes.
  std::string software;       ///< At most network_software_bytes_max printable characters.
  byte_buffer statement;      ///< The sender's own, as node_statement.hpp encodes it; not looked into here.
  bool operator==(const network_hello&) const = default;
};

/// Statements of nodes that the sender knows; each is signed by the node it is of, and checked as such.
struct peer_list {
  std::vector<byte_buffer> statements; ///< At most network_statements_max; in rising order, none twice.
  bool operator==(const peer_list&) const = default;
};

/// One encoding for one value. REQUIRES: within the bounds.
byte_buffer encode_network_hello(const network_hello& hello);
byte_buffer encode_peer_list(const peer_list& list);

/// Errors: `unsupported`, `limit_exceeded`, `truncated`, `invalid_input`.
outcome<network_hello> decode_network_hello(byte_view bytes);
outcome<peer_list> decode_peer_list(byte_view bytes);

} // namespace lucid
