// tests/doubles/basp_bytes.hpp - what middlemen say to each other, made by hand. Laid out as CAF 0.17.6 was seen to write it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "messages/bytes.hpp"

namespace lucid::testing {

// Sized first and filled then: g++ 12 takes an insert into a short vector for an overflow.

inline void put_big(byte_buffer& into, std::size_t at, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) into[at + i] = static_cast<std::uint8_t>(value >> (8 * (bytes - 1 - i)));
}

inline byte_buffer both(const byte_buffer& first, const byte_buffer& second) {
  byte_buffer all(first.size() + second.size());
  std::copy(second.begin(), second.end(), std::copy(first.begin(), first.end(), all.begin()));
  return all;
}

/// A header and its content; `claimed` is the length that the header speaks of instead of the true one.
inline byte_buffer basp(std::uint8_t operation, std::uint8_t flags, std::uint64_t data, std::uint64_t source, std::uint64_t target,
                        const byte_buffer& content, std::optional<std::uint32_t> claimed = {}) {
  byte_buffer header(32, 0);
  header[0] = operation;
  header[3] = flags;
  put_big(header, 4, claimed.value_or(static_cast<std::uint32_t>(content.size())), 4);
  put_big(header, 8, data, 8);
  put_big(header, 16, source, 8);
  put_big(header, 24, target, 8);
  return both(header, content);
}

/// CAF's name of a node: its kind, and 24 bytes that tell it from others.
inline byte_buffer node_name(std::uint8_t seed) {
  constexpr std::array<std::uint8_t, 8> kind{0x00, 0x00, 0x3e, 0x9a, 0xab, 0x9b, 0xac, 0x79};
  byte_buffer name(32, seed);
  std::copy(kind.begin(), kind.end(), name.begin());
  return name;
}


/// A message's content: no stages, the names of its types, and what follows.
inline byte_buffer message_of(std::string_view types, std::size_t body_bytes = 8) {
  byte_buffer content(4 + types.size() + body_bytes, 0x2a);
  std::fill_n(content.begin(), 3, std::uint8_t{0});
  content[3] = static_cast<std::uint8_t>(types.size());
  std::copy(types.begin(), types.end(), content.begin() + 4);
  return content;
}

inline byte_buffer server_handshake(std::uint8_t node) {
  return basp(0, 0, 3, 0, 0, both(node_name(node), byte_buffer(26, 1))); // Then application ids, the published actor.
}
inline byte_buffer client_handshake(std::uint8_t node) { return basp(1, 0, 0, 0, 0, node_name(node)); }
inline byte_buffer direct(std::uint64_t source, std::uint64_t target, std::string_view types = "@<>+@u64", std::size_t body_bytes = 8) {
  return basp(2, 0, 1ull << 60, source, target, message_of(types, body_bytes));
}
inline byte_buffer monitor(std::uint8_t from, std::uint8_t to, std::uint64_t actor) {
  return basp(4, 0, 0, 0, actor, both(node_name(from), node_name(to)));
}
inline byte_buffer down(std::uint8_t from, std::uint8_t to, std::uint64_t actor) {
  return basp(5, 0, 0, actor, 0, both(both(node_name(from), node_name(to)), byte_buffer(4, 4)));
}
inline byte_buffer heartbeat() { return basp(6, 0, 0, 0, 0, {}); }

} // namespace lucid::testing
