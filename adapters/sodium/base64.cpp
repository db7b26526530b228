// adapters/sodium/base64.cpp - libsodium's codecs, which refuse anything but the one right text.
#include "adapters/sodium/base64.hpp"

#include <sodium.h>

#include "adapters/sodium/secret.hpp"

namespace lucid {
namespace {
constexpr int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
} // namespace

std::string to_base64url(byte_view bytes) {
  prepare_sodium();
  std::string text(sodium_base64_encoded_len(bytes.size(), variant), '\0'); // With its end mark.
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), variant);
  text.pop_back();
  return text;
}

outcome<byte_buffer> from_base64url(std::string_view text, std::size_t size_bytes_max) {
  prepare_sodium();
  if (text.size() / 4 * 3 > size_bytes_max)
    return fail(errc::limit_exceeded, "base64", "more than " + std::to_string(size_bytes_max) + " bytes");
  byte_buffer bytes(text.size() / 4 * 3 + 3);
  std::size_t size_bytes = 0;
  const char* end = nullptr;
  auto failed = sodium_base642bin(bytes.data(), bytes.size(), text.data(), text.size(), nullptr, &size_bytes, &end, variant);
  if (failed != 0 || end != text.data() + text.size()) {
    wipe(bytes);
    return fail(errc::invalid_input, "base64", "not base64url: letters, digits, '-' and '_' alone");
  }
  bytes.resize(size_bytes);
  if (size_bytes > size_bytes_max) {
    wipe(bytes);
    return fail(errc::limit_exceeded, "base64", "more than " + std::to_string(size_bytes_max) + " bytes");
  }
  return bytes;
}

} // namespace lucid
