// actors/mesh/envelope.cpp - the fields in their order; cheap checks before dear ones.
#include "actors/mesh/envelope.hpp"

#include <string>

#include "actors/format/little_endian.hpp"
#include "actors/format/signing.hpp"
#include "actors/mesh/mesh_contexts.hpp"
#include "adapters/blake3/blake3_hasher.hpp"

namespace lucid {

namespace {

constexpr std::size_t signature_bytes = sizeof(signature);
constexpr std::size_t length_end = 1 + 2 + 4;

tl::unexpected<error> refused(errc code, std::string what) { return fail(code, "envelope", std::move(what)); }

byte_buffer message_of(byte_view signed_part) {
  return signed_message(contexts::envelope_signature, blake3_derive(contexts::envelope, {signed_part}));
}

} // namespace

outcome<byte_buffer> seal_envelope(const envelope_head& head, byte_view content, const sign_key& key) {
  auto* rule = rule_of(head.type, envelope_ring::cluster);
  if (!rule) rule = rule_of(head.type, envelope_ring::network);
  if (!rule) return refused(errc::unsupported, "no message has type " + std::to_string(head.type));
  if (content.size() > rule->bytes_max)
    return refused(errc::limit_exceeded, "a " + std::string(rule->name) + " of " + std::to_string(content.size()) + " bytes");
  byte_buffer bytes(envelope_overhead_bytes + content.size());
  field_writer to(bytes);
  to.put(envelope_version).put(head.type).put(static_cast<std::uint32_t>(content.size()));
  to.put(head.sender).put(head.epoch).put(head.counter).put(content);
  to.put(key.sign(message_of(byte_view(bytes).first(bytes.size() - signature_bytes))));
  return bytes;
}

outcome<std::size_t> envelope_size(byte_view start, envelope_ring ring) {
  if (start.size() < length_end) return refused(errc::truncated, "no head");
  field_reader from(start);
  if (auto version = from.get<std::uint8_t>(); version != envelope_version)
    return refused(errc::unsupported, "its version is " + std::to_string(version) + ", not 1");
  auto type = from.get<std::uint16_t>();
  auto* rule = rule_of(type, ring);
  if (!rule) return refused(errc::unsupported, "this ring has no message of type " + std::to_string(type));
  auto length = from.get<std::uint32_t>();
  if (length > rule->bytes_max)
    return refused(errc::limit_exceeded, "a " + std::string(rule->name) + " of " + std::to_string(length) + " bytes; at most " +
                                           std::to_string(rule->bytes_max) + " are allowed");
  return envelope_overhead_bytes + length;
}

std::uint16_t envelope_type(byte_view start) noexcept { return field_reader(start.subspan(1)).get<std::uint16_t>(); }

outcome<envelope_head> peek_envelope(byte_view bytes, envelope_ring ring) {
  auto size = envelope_size(bytes, ring);
  if (!size) return pass_on(std::move(size));
  if (bytes.size() < *size) return refused(errc::truncated, "it ends before its signature does");
  if (bytes.size() > *size) return refused(errc::invalid_input, "bytes after the signature");
  envelope_head head;
  field_reader from(bytes.subspan(1));
  head.type = from.get<std::uint16_t>();
  from.get<std::uint32_t>();
  from.get(head.sender);
  head.epoch = from.get<std::uint64_t>();
  head.counter = from.get<std::uint64_t>();
  if (head.counter == 0) return refused(errc::invalid_input, "its counter is 0");
  return head;
}

byte_view envelope_content(byte_view bytes) noexcept {
  return bytes.subspan(envelope_head_bytes, bytes.size() - envelope_overhead_bytes);
}

outcome<byte_view> open_envelope(byte_view bytes, const sign_public_key& key, envelope_counter& counter, envelope_ring ring) {
  auto head = peek_envelope(bytes, ring);
  if (!head) return pass_on(std::move(head));
  if (head->counter <= counter.last) return refused(errc::protocol_violation, "its counter does not rise: sent before");
  auto epoch = head->type == static_cast<std::uint16_t>(network_message::hello) ? 0 : counter.epoch;
  if (head->epoch != epoch) return refused(errc::protocol_violation, "its epoch is of another link");
  signature by;
  field_reader(bytes.last(signature_bytes)).get(by);
  if (!verify_signature(by, message_of(bytes.first(bytes.size() - signature_bytes)), key))
    return refused(errc::bad_signature, "its signature is not the sender's");
  counter.last = head->counter;
  return envelope_content(bytes);
}

} // namespace lucid
