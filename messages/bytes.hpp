// messages/bytes.hpp - byte sequences as the whole project speaks of them, and their text form.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "messages/outcome.hpp"

namespace lucid {

using byte_buffer = std::vector<std::uint8_t>;
using byte_view = std::span<const std::uint8_t>;

/// `text` as bytes; the view lives as long as the text.
inline byte_view as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// `bytes` as text; the view lives as long as the bytes.
inline std::string_view as_text(byte_view bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Lower-case hexadecimal, two digits a byte.
std::string to_hex(byte_view bytes);

/// The bytes that `hex` (either case) stands for.
/// Errors: `invalid_input` for an odd length or a character that is no hexadecimal digit.
outcome<byte_buffer> from_hex(std::string_view hex);

/// Fills `into` from exactly that many bytes of `hex`. Errors: as `from_hex`, and for another length.
outcome<void> from_hex_into(std::string_view hex, std::span<std::uint8_t> into);

} // namespace lucid
