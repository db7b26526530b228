// actors/mesh/mesh_contexts.hpp - every domain separation string of the mesh, version 1, in one place.
#pragma once

#include <string_view>

/// BLAKE3 derive_key contexts and signature prefixes. Source: docs/mesh.md, "Contexts".
namespace lucid::contexts {

inline constexpr std::string_view node_id = "lucid v1 node id";
inline constexpr std::string_view node_statement = "lucid v1 node statement";
inline constexpr std::string_view statement_set = "lucid v1 node statement set";
inline constexpr std::string_view cluster_id = "lucid v1 cluster id";
inline constexpr std::string_view member_entry = "lucid v1 member entry";
inline constexpr std::string_view member_set = "lucid v1 member entry set";
inline constexpr std::string_view cluster_salt = "lucid v1 cluster secret salt";
inline constexpr std::string_view cluster_of_secret = "lucid v1 cluster id of secret";
inline constexpr std::string_view cluster_mac_key = "lucid v1 cluster mac key";
inline constexpr std::string_view cluster_mac = "lucid v1 cluster mac";
inline constexpr std::string_view cluster_transport_root = "lucid v1 cluster transport root";
inline constexpr std::string_view cluster_transport_key = "lucid v1 cluster transport key";
inline constexpr std::string_view invitation_key = "lucid v1 invitation key";
inline constexpr std::string_view invitation_check = "lucid v1 invitation check";
inline constexpr std::string_view envelope = "lucid v1 envelope";

/// What an Ed25519 signature begins with, before the 32-byte hash; the last byte is zero.
inline constexpr std::string_view statement_signature{"lucid v1 node statement signature", 34};
inline constexpr std::string_view entry_signature{"lucid v1 member entry signature", 32};
inline constexpr std::string_view envelope_signature{"lucid v1 envelope signature", 28};

} // namespace lucid::contexts
