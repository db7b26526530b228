// actors/mesh/node_statement.cpp - the bytes of a statement, and its signature.
#include "actors/mesh/node_statement.hpp"

#include <algorithm>

#include "actors/format/signing.hpp"
#include "actors/mesh/bounded_codec.hpp"
#include "actors/mesh/mesh_address.hpp"
#include "actors/mesh/mesh_contexts.hpp"
#include "actors/mesh/node_identity.hpp"
#include "adapters/blake3/blake3_hasher.hpp"
#include "messages/ports/cluster.hpp"

namespace lucid {
namespace {

constexpr const char* who = "statement";
constexpr std::uint8_t format_version = 1;

outcome<void> check_fields(const node_statement& s) {
  if (s.serial == 0 || s.serial > mesh_serial_max) return fail(errc::invalid_input, who, "its number is out of range");
  if (!is_node_name(s.name))
    return fail(errc::invalid_input, who, "a node's name has 1 to 63 of a-z, 0-9 and '-', with no '-' at its ends");
  if (auto good = check_mesh_addresses(s.addresses); !good) return good;
  if (auto good = check_mesh_addresses(s.chunk_addresses); !good) return good;
  bool printable = std::ranges::all_of(s.software, [](char c) { return c >= ' ' && c <= '~'; });
  if (s.software.size() > software_text_bytes_max || !printable)
    return fail(errc::invalid_input, who, "the name of its software has at most 64 bytes of printable ASCII");
  return {};
}

void put_addresses(bounded_writer& out, const std::vector<std::string>& addresses) {
  out.put(static_cast<std::uint8_t>(addresses.size()));
  for (auto& address : addresses) out.put_sized<std::uint8_t>(as_bytes(address));
}

std::vector<std::string> get_addresses(bounded_reader& in) {
  std::vector<std::string> addresses;
  auto count = in.get_count<std::uint8_t>(mesh_address_count_max, "addresses");
  for (std::size_t i = 0; i < count && in.good(); ++i)
    addresses.emplace_back(as_text(in.get_sized<std::uint8_t>(mesh_address_bytes_max, "address")));
  return addresses;
}

void put_content(bounded_writer& out, const node_statement& s) {
  out.put(format_version).put(s.sign_key).put(s.box_key).put(s.transport).put(s.onion_client).put(s.serial);
  out.put_sized<std::uint8_t>(as_bytes(s.name));
  put_addresses(out, s.addresses);
  put_addresses(out, s.chunk_addresses);
  out.put_sized<std::uint8_t>(as_bytes(s.software)).put(s.time_us);
}

} // namespace

outcome<node_statement> sign_statement(node_statement what, const sign_key& by) {
  what.sign_key = by.public_key();
  if (auto good = check_fields(what); !good) return pass_on(std::move(good));
  what.by = by.sign(signed_message(contexts::statement_signature, hash_of(what)));
  return what;
}

node_id subject_of(const node_statement& statement) noexcept { return node_id_of(statement.sign_key); }

digest hash_of(const node_statement& statement) {
  bounded_writer content;
  put_content(content, statement);
  return blake3_derive(contexts::node_statement, {content.bytes()});
}

bool is_newer(const node_statement& a, const node_statement& than) {
  return a.serial != than.serial ? a.serial > than.serial : hash_of(a) > hash_of(than);
}

byte_buffer encode_statement(const node_statement& statement) {
  bounded_writer out;
  put_content(out, statement);
  return out.put(statement.by).take();
}

outcome<node_statement> decode_statement(byte_view bytes) {
  if (bytes.size() > statement_bytes_max) return fail(errc::limit_exceeded, who, "it is longer than a statement may be");
  bounded_reader in(bytes, who);
  node_statement s;
  if (auto version = in.get<std::uint8_t>(); in.good() && version != format_version)
    in.refuse(errc::unsupported, "version " + std::to_string(version) + ", this build reads version 1");
  in.get(s.sign_key);
  in.get(s.box_key);
  in.get(s.transport);
  in.get(s.onion_client);
  s.serial = in.get<std::uint64_t>();
  s.name = as_text(in.get_sized<std::uint8_t>(node_name_bytes_max, "name"));
  s.addresses = get_addresses(in);
  s.chunk_addresses = get_addresses(in);
  s.software = as_text(in.get_sized<std::uint8_t>(software_text_bytes_max, "software"));
  s.time_us = in.get<unix_time_us>();
  in.get(s.by);
  if (auto whole = in.finish(); !whole) return pass_on(std::move(whole));
  if (auto good = check_fields(s); !good) return pass_on(std::move(good));
  if (!verify_signature(s.by, signed_message(contexts::statement_signature, hash_of(s)), s.sign_key))
    return fail(errc::bad_signature, who, "the signature of " + s.name + "'s statement does not verify");
  return s;
}

} // namespace lucid
