// actors/mesh/member_entry.hpp - one entry of the list of members: who was admitted or removed, and by what right.
#pragma once

#include <compare>
#include <memory>
#include <string>
#include <vector>

#include "actors/mesh/node_statement.hpp"
#include "adapters/sodium/secret.hpp"
#include "messages/ports/cluster.hpp"

namespace lucid {

enum class entry_kind : std::uint8_t { admit = 1, remove };

/// By what right an entry was made.
enum class entry_authority : std::uint8_t {
  founder = 1,   ///< The first entry: the founder admits itself, and the cluster's id follows from it.
  member,        ///< The author is a member.
  shared_secret, ///< A node that knows the cluster's secret admits itself.
};

inline constexpr std::size_t removal_honours_max = 256; ///< So many nodes one member may admit.
inline constexpr std::size_t member_entry_bytes_max = 320 + removal_honours_max * sizeof(digest);

/// Source: docs/mesh.md, "List of members".
struct member_entry {
  digest cluster_id{};
  std::uint64_t serial = 0;       ///< One above the highest that the author had seen; 1..mesh_serial_max.
  entry_kind kind = entry_kind::admit;
  entry_authority authority = entry_authority::member;
  sign_public_key author{};
  node_id subject{};
  sign_public_key subject_key{};  ///< admit: the subject's id follows from it. remove: zero.
  std::string name;               ///< admit: the subject's; remove: empty.
  std::string cluster_name;       ///< founder alone.
  std::vector<digest> honoured;   ///< remove alone: hashes of the subject's admissions that stand. Ascending.
  unix_time_us time_us = 0;       ///< By the author's clock; for people, never compared.
  digest mac{};                   ///< shared_secret alone.
  signature by{};                 ///< The author's.
  friend bool operator==(const member_entry&, const member_entry&) = default;
};

/// What a cluster's entries are checked against.
struct cluster_origin {
  digest cluster_id{};
  std::string name;                            ///< Of clusters formed by files; others carry it in their first entry.
  std::shared_ptr<const secret_key> mac_key{}; ///< Of clusters formed by files.
};

/// What follows from the secret of a cluster that is formed by files. Slow by design (Argon2id).
/// Errors: `limit_exceeded` when there is no memory for it, `invalid_input` for an empty secret.
struct cluster_secret {
  cluster_origin origin;
  std::shared_ptr<const secret_key> transport_root; ///< For transport_secret_of.
};
outcome<cluster_secret> derive_cluster_secret(std::string_view secret, const std::string& cluster_name);

/// The CURVE secret that `node_name` connects with until the others have its statement. Whoever knows the cluster's
/// secret knows it: it lets a node in to be heard, what counts is signed.
secret_key transport_secret_of(const cluster_secret& cluster, std::string_view node_name);

/// The first entry of a new cluster. Errors: `invalid_input` for a name outside its grammar.
outcome<member_entry> found_cluster(const std::string& cluster_name, const std::string& node_name, const sign_key& founder,
                                    unix_time_us now);
/// Errors: `invalid_input` for a name outside its grammar, `limit_exceeded`, `wrong_state` without a MAC key.
outcome<member_entry> admit_by_secret(const cluster_origin& origin, std::uint64_t serial, const std::string& node_name,
                                      const sign_key& self, unix_time_us now);
outcome<member_entry> admit_by_member(const digest& cluster_id, std::uint64_t serial, const sign_public_key& subject,
                                      const std::string& name, const sign_key& author, unix_time_us now);
outcome<member_entry> remove_by_member(const digest& cluster_id, std::uint64_t serial, const node_id& subject,
                                       std::vector<digest> honoured, const sign_key& author, unix_time_us now);

/// Of everything but MAC and signature: what the entry is known by.
digest hash_of(const member_entry& entry);

byte_buffer encode_member_entry(const member_entry& entry);

/// One value has one encoding. Checks the grammar alone. Errors: `truncated`, `invalid_input`, `limit_exceeded`,
/// `unsupported` for another version.
outcome<member_entry> decode_member_entry(byte_view bytes);

/// Whether it is of this cluster and its author made it. Says nothing of the author's right to.
/// Errors: `invalid_input` (another cluster), `bad_signature`, `permission_denied` (a wrong MAC, or no secret to check it).
outcome<void> verify_entry(const member_entry& entry, const cluster_origin& origin);

} // namespace lucid
