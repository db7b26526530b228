// runtime/log/text.cpp - escaping of foreign text.
#include "runtime/log/text.hpp"

#include <cstdint>

#include <fmt/core.h>

namespace lucid {
namespace {

struct code_point {
  std::uint32_t value = 0;
  std::size_t size_bytes = 0; ///< 0: no valid UTF-8.
};

/// The first code point of `text`. Source: RFC 3629, section 3; overlong forms and surrogates are refused.
code_point first_of(std::string_view text) {
  auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  auto lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return {};
  std::uint32_t value = lead & (0x7fu >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    value = value << 6 | (byte(i) & 0x3f);
  }
  constexpr std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < smallest[size] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return {};
  return {value, size};
}

/// Control characters of both blocks, line separators, and marks that turn the direction of text.
bool steers(std::uint32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

} // namespace

std::string printable(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    auto c = first_of(text);
    auto size = c.size_bytes == 0 ? 1 : c.size_bytes;
    if (c.size_bytes == 0) shown += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(text[0]));
    else if (c.value == '\n') shown += "\\n";
    else if (c.value == '\t') shown += "\\t";
    else if (steers(c.value)) shown += c.value < 0x80 ? fmt::format("\\x{:02x}", c.value) : fmt::format("\\u{{{:04X}}}", c.value);
    else shown += text.substr(0, size);
    text.remove_prefix(size);
  }
  return shown;
}

std::string shortened(std::string text, std::size_t size_bytes) {
  if (text.size() <= size_bytes) return text;
  auto end = size_bytes - 2;
  while (end > 0 && (static_cast<std::uint8_t>(text[end]) & 0xc0) == 0x80) --end;
  text.resize(end);
  return text.append("..");
}

std::string without_credentials(std::string_view text) {
  std::string shown;
  for (;;) {
    auto mark = text.find("://");
    if (mark == std::string_view::npos) return shown += text;
    auto authority = mark + 3;
    auto end = text.find_first_of(" \t\n\"'<>", authority);
    auto at = text.substr(0, end).rfind('@');
    shown += text.substr(0, authority);
    if (at != std::string_view::npos && at >= authority) {
      shown += "***";
      authority = at;
    }
    text.remove_prefix(authority);
  }
}

} // namespace lucid
