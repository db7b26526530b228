// messages/bytes.cpp - hexadecimal text.
#include "messages/bytes.hpp"

#include <algorithm>

namespace lucid {
namespace {

int digit_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

} // namespace

std::string to_hex(byte_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (auto byte : bytes) {
    text.push_back(digits[byte >> 4]);
    text.push_back(digits[byte & 15]);
  }
  return text;
}

outcome<byte_buffer> from_hex(std::string_view hex) {
  byte_buffer bytes(hex.size() / 2);
  if (hex.size() % 2 != 0)
    return fail(errc::invalid_input, "hex", "an odd number of hexadecimal digits");
  if (auto filled = from_hex_into(hex, bytes); !filled) return tl::unexpected(filled.error());
  return bytes;
}

outcome<void> from_hex_into(std::string_view hex, std::span<std::uint8_t> into) {
  if (hex.size() != into.size() * 2)
    return fail(errc::invalid_input, "hex",
                "expected " + std::to_string(into.size() * 2) + " hexadecimal digits, got " +
                  std::to_string(hex.size()));
  for (std::size_t i = 0; i < into.size(); ++i) {
    auto high = digit_value(hex[2 * i]);
    auto low = digit_value(hex[2 * i + 1]);
    if (high < 0 || low < 0)
      return fail(errc::invalid_input, "hex",
                  "character " + std::to_string(2 * i + (high < 0 ? 1 : 2)) + " is no hexadecimal digit");
    into[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return {};
}

} // namespace lucid
