// actors/mesh/network_message.cpp - version, then the fields.
#include "actors/mesh/network_message.hpp"

#include <algorithm>

#include "actors/mesh/bounded_codec.hpp"

namespace lucid {

namespace {

constexpr std::uint8_t version = 1;

void read_version(bounded_reader& in) {
  if (auto read = in.get<std::uint8_t>(); in.good() && read != version)
    in.refuse(errc::unsupported, "its version is " + std::to_string(read) + ", not 1");
}

byte_buffer copy_of(byte_view bytes) { return {bytes.begin(), bytes.end()}; }

} // namespace

byte_buffer encode_network_hello(const network_hello& hello) {
  bounded_writer out;
  out.put(version).put(hello.epoch);
  out.put_sized<std::uint8_t>(as_bytes(hello.software));
  out.put_sized<std::uint16_t>(hello.statement);
  return out.take();
}

outcome<network_hello> decode_network_hello(byte_view bytes) {
  bounded_reader in(bytes, "network hello");
  read_version(in);
  network_hello hello;
  hello.epoch = in.get<std::uint64_t>();
  auto software = as_text(in.get_sized<std::uint8_t>(network_software_bytes_max, "software"));
  auto statement = in.get_sized<std::uint16_t>(statement_bytes_max, "statement");
  if (hello.epoch == 0) in.refuse(errc::invalid_input, "its epoch is 0");
  if (!std::ranges::all_of(software, [](char c) { return c >= ' ' && c <= '~'; }))
    in.refuse(errc::invalid_input, "software: not printable ASCII");
  if (statement.empty()) in.refuse(errc::invalid_input, "no statement");
  if (auto done = in.finish(); !done) return pass_on(std::move(done));
  hello.software = software;
  hello.statement = copy_of(statement);
  return hello;
}

byte_buffer encode_peer_list(const peer_list& list) {
  bounded_writer out;
  out.put(version).put(static_cast<std::uint8_t>(list.statements.size()));
  for (auto& statement : list.statements) out.put_sized<std::uint16_t>(statement);
  return out.take();
}

outcome<peer_list> decode_peer_list(byte_view bytes) {
  bounded_reader in(bytes, "peer list");
  read_version(in);
  std::vector<byte_view> views(in.get_count<std::uint8_t>(network_statements_max, "statements"));
  for (auto& view : views) view = in.get_sized<std::uint16_t>(statement_bytes_max, "statement");
  for (std::size_t i = 0; i < views.size() && in.good(); ++i) {
    if (views[i].empty()) in.refuse(errc::invalid_input, "an empty statement");
    else if (i > 0 && !std::ranges::lexicographical_compare(views[i - 1], views[i]))
      in.refuse(errc::invalid_input, "statements out of order, or one twice");
  }
  if (auto done = in.finish(); !done) return pass_on(std::move(done));
  peer_list list;
  for (auto& view : views) list.statements.push_back(copy_of(view));
  return list;
}

} // namespace lucid
