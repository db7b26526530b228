// actors/mesh/mesh_address.hpp - where a node is reached: "tcp://HOST:PORT" or "tor://<56 letters>.onion:PORT".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "messages/outcome.hpp"

namespace lucid {

inline constexpr std::size_t mesh_address_bytes_max = 128;
inline constexpr std::size_t mesh_address_count_max = 8; ///< Of one node, for messages and for chunks each.

enum class address_transport : std::uint8_t { tcp = 1, tor };

/// An address in its parts. One address has one text: hosts are lower-case, ports have no leading zeros.
struct mesh_address {
  address_transport transport = address_transport::tcp;
  std::string host;       ///< A name, an IPv4 address, an IPv6 address without brackets, or "<56 letters>.onion".
  std::uint16_t port = 0; ///< 1..65535.
  friend bool operator==(const mesh_address&, const mesh_address&) = default;
};

/// Errors: `invalid_input`, telling what would be right.
outcome<mesh_address> parse_mesh_address(std::string_view text);
std::string to_string(const mesh_address& address);

/// Each one readable, none twice. Errors: `invalid_input`, `limit_exceeded`.
outcome<void> check_mesh_addresses(const std::vector<std::string>& addresses);

/// 1..node_name_bytes_max of a-z 0-9 - ; neither begins nor ends with '-'.
bool is_node_name(std::string_view name) noexcept;

} // namespace lucid
