// actors/mesh/link_messages.cpp - hello and heartbeat as bytes.
#include "actors/mesh/link_messages.hpp"

#include "actors/mesh/bounded_codec.hpp"

namespace lucid {

byte_buffer encode_hello(const mesh_hello& hello) {
  bounded_writer out;
  out.put(byte_view(hello.cluster_id));
  out.put_sized<std::uint16_t>(encode_statement(hello.statement));
  out.put(static_cast<std::uint8_t>(hello.admission.size()));
  for (auto& entry : hello.admission) out.put_sized<std::uint16_t>(encode_member_entry(entry));
  return out.take();
}

outcome<mesh_hello> decode_hello(byte_view bytes) {
  bounded_reader in(bytes, "hello");
  mesh_hello hello;
  in.get(hello.cluster_id);
  auto statement = in.get_sized<std::uint16_t>(statement_bytes_max, "statement");
  std::vector<byte_view> entries(in.get_count<std::uint8_t>(hello_entries_max, "admissions"));
  for (auto& entry : entries) entry = in.get_sized<std::uint16_t>(member_entry_bytes_max, "admission");
  if (auto done = in.finish(); !done) return pass_on(std::move(done));
  auto read = decode_statement(statement);
  if (!read) return pass_on(std::move(read));
  hello.statement = std::move(*read);
  for (auto& entry : entries) {
    auto one = decode_member_entry(entry);
    if (!one) return pass_on(std::move(one));
    hello.admission.push_back(std::move(*one));
  }
  return hello;
}

byte_buffer encode_heartbeat(const mesh_heartbeat& beat) {
  bounded_writer out;
  out.put(beat.sent).put(beat.echo);
  return out.take();
}

outcome<mesh_heartbeat> decode_heartbeat(byte_view bytes) {
  bounded_reader in(bytes, "heartbeat");
  mesh_heartbeat beat;
  beat.sent = in.get<std::uint64_t>();
  beat.echo = in.get<std::uint64_t>();
  if (auto done = in.finish(); !done) return pass_on(std::move(done));
  return beat;
}

} // namespace lucid
