// adapters/sodium/base64.hpp - bytes as text for URLs and terminals: base64url without padding.
#pragma once

#include <string>
#include <string_view>

#include "messages/bytes.hpp"

namespace lucid {

/// RFC 4648, section 5, without padding.
std::string to_base64url(byte_view bytes);

/// At most `size_bytes_max` bytes. One value has one text. Errors: `invalid_input`, `limit_exceeded`.
outcome<byte_buffer> from_base64url(std::string_view text, std::size_t size_bytes_max);

} // namespace lucid
