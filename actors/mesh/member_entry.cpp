// actors/mesh/member_entry.cpp - the bytes of an entry, its signature and its MAC.
#include "actors/mesh/member_entry.hpp"

#include <algorithm>

#include "actors/format/signing.hpp"
#include "actors/mesh/bounded_codec.hpp"
#include "actors/mesh/mesh_address.hpp"
#include "actors/mesh/mesh_contexts.hpp"
#include "actors/mesh/node_identity.hpp"
#include "adapters/blake3/blake3_hasher.hpp"
#include "adapters/sodium/password.hpp"

namespace lucid {
namespace {

constexpr const char* who = "membership";
constexpr std::uint8_t format_version = 1;

/// One shape for each kind of entry, so that one value has one encoding.
outcome<void> check_fields(const member_entry& e) {
  if (e.serial == 0 || e.serial > mesh_serial_max)
    return fail(errc::limit_exceeded, who, "the number of an entry is out of range");
  bool admits = e.kind == entry_kind::admit;
  if (admits && !is_node_name(e.name))
    return fail(errc::invalid_input, who, "a node's name has 1 to 63 of a-z, 0-9 and '-', with no '-' at its ends");
  if (e.authority == entry_authority::founder && !is_node_name(e.cluster_name))
    return fail(errc::invalid_input, who, "a cluster's name has 1 to 63 of a-z, 0-9 and '-', with no '-' at its ends");
  if (e.authority == entry_authority::founder && e.serial != 1)
    return fail(errc::invalid_input, who, "a founder's entry has number 1");
  if (!admits && e.authority != entry_authority::member)
    return fail(errc::invalid_input, who, "only a member removes another one");
  if (admits && e.authority != entry_authority::member && e.author != e.subject_key)
    return fail(errc::invalid_input, who, "a founder, or a node with the secret, admits itself alone");
  if (admits && e.subject != node_id_of(e.subject_key))
    return fail(errc::invalid_input, who, "a node's id that does not follow from its key");
  if (e.honoured.size() > removal_honours_max)
    return fail(errc::limit_exceeded, who, "a removal honours more admissions than one member may make");
  if (std::ranges::adjacent_find(e.honoured, std::ranges::greater_equal{}) != e.honoured.end())
    return fail(errc::invalid_input, who, "the admissions that a removal honours are not in order");
  return {};
}

/// `with_cluster`: the id of a new cluster follows from its first entry without it.
void put_content(bounded_writer& out, const member_entry& e, bool with_cluster) {
  out.put(format_version);
  if (with_cluster) out.put(e.cluster_id);
  out.put(e.serial).put(static_cast<std::uint8_t>(e.kind)).put(static_cast<std::uint8_t>(e.authority)).put(e.author);
  if (e.kind == entry_kind::remove) {
    out.put(e.subject).put(static_cast<std::uint16_t>(e.honoured.size()));
    for (auto& hash : e.honoured) out.put(hash);
  } else {
    out.put(e.subject_key).put_sized<std::uint8_t>(as_bytes(e.name));
    if (e.authority == entry_authority::founder) out.put_sized<std::uint8_t>(as_bytes(e.cluster_name));
  }
  out.put(e.time_us);
}

digest cluster_id_of(const member_entry& founding) {
  bounded_writer content;
  put_content(content, founding, false);
  return blake3_derive(contexts::cluster_id, {content.bytes()});
}

digest mac_of(const member_entry& entry, const secret_key& key) {
  return blake3_derive(contexts::cluster_mac, {key.view(), hash_of(entry)});
}

outcome<member_entry> sign_entry(member_entry entry, const sign_key& author) {
  if (auto good = check_fields(entry); !good) return pass_on(std::move(good));
  entry.by = author.sign(signed_message(contexts::entry_signature, hash_of(entry)));
  return entry;
}

member_entry self_admission(const std::string& node_name, const sign_key& self, unix_time_us now) {
  member_entry entry;
  entry.author = entry.subject_key = self.public_key();
  entry.subject = node_id_of(self.public_key());
  entry.name = node_name;
  entry.time_us = now;
  return entry;
}

std::shared_ptr<const secret_key> derive_shared(std::string_view context, const secret_key& from) {
  auto key = std::make_shared<secret_key>();
  blake3_derive_into(context, {from.view()}, key->span());
  return key;
}

} // namespace

outcome<cluster_secret> derive_cluster_secret(std::string_view secret, const std::string& cluster_name) {
  if (secret.empty()) return fail(errc::invalid_input, who, "the secret of a cluster is empty");
  if (!is_node_name(cluster_name))
    return fail(errc::invalid_input, who, "a cluster's name has 1 to 63 of a-z, 0-9 and '-', with no '-' at its ends");
  // The name is the salt: the same secret in two clusters gives two sets of keys.
  password_salt salt{};
  blake3_derive_into(contexts::cluster_salt, {as_bytes(cluster_name)}, salt);
  auto root = key_from_password(secret, salt, password_cost{});
  if (!root) return pass_on(std::move(root));
  cluster_secret cluster;
  cluster.origin = {blake3_derive(contexts::cluster_of_secret, {root->view()}), cluster_name,
                    derive_shared(contexts::cluster_mac_key, *root)};
  cluster.transport_root = derive_shared(contexts::cluster_transport_root, *root);
  return cluster;
}

secret_key transport_secret_of(const cluster_secret& cluster, std::string_view node_name) {
  secret_key key;
  blake3_derive_into(contexts::cluster_transport_key, {cluster.transport_root->view(), as_bytes(node_name)}, key.span());
  return key;
}

outcome<member_entry> found_cluster(const std::string& cluster_name, const std::string& node_name, const sign_key& founder,
                                    unix_time_us now) {
  auto entry = self_admission(node_name, founder, now);
  entry.authority = entry_authority::founder;
  entry.serial = 1;
  entry.cluster_name = cluster_name;
  if (auto good = check_fields(entry); !good) return pass_on(std::move(good));
  entry.cluster_id = cluster_id_of(entry);
  return sign_entry(std::move(entry), founder);
}

outcome<member_entry> admit_by_secret(const cluster_origin& origin, std::uint64_t serial, const std::string& node_name,
                                      const sign_key& self, unix_time_us now) {
  if (!origin.mac_key) return fail(errc::wrong_state, who, "this cluster is not formed by a secret");
  auto entry = self_admission(node_name, self, now);
  entry.authority = entry_authority::shared_secret;
  entry.cluster_id = origin.cluster_id;
  entry.serial = serial;
  if (auto good = check_fields(entry); !good) return pass_on(std::move(good));
  entry.mac = mac_of(entry, *origin.mac_key);
  return sign_entry(std::move(entry), self);
}

outcome<member_entry> admit_by_member(const digest& cluster_id, std::uint64_t serial, const sign_public_key& subject,
                                      const std::string& name, const sign_key& author, unix_time_us now) {
  member_entry entry;
  entry.cluster_id = cluster_id;
  entry.serial = serial;
  entry.author = author.public_key();
  entry.subject = node_id_of(subject);
  entry.subject_key = subject;
  entry.name = name;
  entry.time_us = now;
  return sign_entry(std::move(entry), author);
}

outcome<member_entry> remove_by_member(const digest& cluster_id, std::uint64_t serial, const node_id& subject,
                                       std::vector<digest> honoured, const sign_key& author, unix_time_us now) {
  member_entry entry;
  entry.cluster_id = cluster_id;
  entry.serial = serial;
  entry.kind = entry_kind::remove;
  entry.author = author.public_key();
  entry.subject = subject;
  std::ranges::sort(honoured);
  honoured.erase(std::unique(honoured.begin(), honoured.end()), honoured.end());
  entry.honoured = std::move(honoured);
  entry.time_us = now;
  return sign_entry(std::move(entry), author);
}

digest hash_of(const member_entry& entry) {
  bounded_writer content;
  put_content(content, entry, true);
  return blake3_derive(contexts::member_entry, {content.bytes()});
}

byte_buffer encode_member_entry(const member_entry& entry) {
  bounded_writer out;
  put_content(out, entry, true);
  if (entry.authority == entry_authority::shared_secret) out.put(entry.mac);
  return out.put(entry.by).take();
}

outcome<member_entry> decode_member_entry(byte_view bytes) {
  if (bytes.size() > member_entry_bytes_max) return fail(errc::limit_exceeded, who, "it is longer than an entry may be");
  bounded_reader in(bytes, who);
  member_entry e;
  if (auto version = in.get<std::uint8_t>(); in.good() && version != format_version)
    in.refuse(errc::unsupported, "version " + std::to_string(version) + " of an entry, this build reads version 1");
  in.get(e.cluster_id);
  e.serial = in.get<std::uint64_t>();
  auto kind = in.get<std::uint8_t>(), authority = in.get<std::uint8_t>();
  if (in.good() && (kind < 1 || kind > 2)) in.refuse(errc::invalid_input, "an entry of an unknown kind");
  if (in.good() && (authority < 1 || authority > 3)) in.refuse(errc::invalid_input, "an entry of an unknown authority");
  if (!in.good()) return pass_on(in.finish());
  e.kind = static_cast<entry_kind>(kind);
  e.authority = static_cast<entry_authority>(authority);
  in.get(e.author);
  if (e.kind == entry_kind::remove) {
    in.get(e.subject);
    auto count = in.get_count<std::uint16_t>(removal_honours_max, "admissions that a removal honours");
    for (std::size_t i = 0; i < count && in.good(); ++i) in.get(e.honoured.emplace_back());
  } else {
    in.get(e.subject_key);
    e.subject = node_id_of(e.subject_key);
    e.name = as_text(in.get_sized<std::uint8_t>(node_name_bytes_max, "name"));
    if (e.authority == entry_authority::founder)
      e.cluster_name = as_text(in.get_sized<std::uint8_t>(node_name_bytes_max, "name of the cluster"));
  }
  e.time_us = in.get<unix_time_us>();
  if (e.authority == entry_authority::shared_secret) in.get(e.mac);
  in.get(e.by);
  if (auto whole = in.finish(); !whole) return pass_on(std::move(whole));
  if (auto good = check_fields(e); !good) return pass_on(std::move(good));
  return e;
}

outcome<void> verify_entry(const member_entry& entry, const cluster_origin& origin) {
  if (auto good = check_fields(entry); !good) return good;
  if (entry.cluster_id != origin.cluster_id) return fail(errc::invalid_input, who, "an entry of another cluster");
  if (entry.authority == entry_authority::founder && cluster_id_of(entry) != origin.cluster_id)
    return fail(errc::invalid_input, who, "a founder's entry that the cluster's id does not follow from");
  if (entry.authority == entry_authority::shared_secret &&
      (!origin.mac_key || !equal_constant_time(mac_of(entry, *origin.mac_key), entry.mac)))
    return fail(errc::permission_denied, who, "an admission by a secret that is not this cluster's");
  if (!verify_signature(entry.by, signed_message(contexts::entry_signature, hash_of(entry)), entry.author))
    return fail(errc::bad_signature, who, "the signature of an entry does not verify");
  return {};
}

} // namespace lucid
