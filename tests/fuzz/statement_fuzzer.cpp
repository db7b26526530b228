// tests/fuzz/statement_fuzzer.cpp - any bytes as a node's statement; with a signature that verifies, too.
#include <algorithm>
#include <cstdlib>

#include "actors/format/signing.hpp"
#include "actors/mesh/mesh_contexts.hpp"
#include "actors/mesh/node_statement.hpp"
#include "adapters/blake3/blake3_hasher.hpp"

namespace {

using namespace lucid;

void read(byte_view bytes) {
  auto statement = decode_statement(bytes);
  if (!statement) return;
  auto again = encode_statement(*statement);
  if (!std::ranges::equal(again, bytes)) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  byte_view bytes(data, size_bytes);
  read(bytes);
  constexpr std::size_t key_at = 1, key_end = 33, signature_bytes = 64;
  if (size_bytes < key_end + signature_bytes || size_bytes > statement_bytes_max) return 0;
  static const sign_key key{secret_key{}};
  byte_buffer content(bytes.begin(), bytes.end() - signature_bytes);
  std::ranges::copy(key.public_key(), content.begin() + key_at);
  auto by = key.sign(signed_message(contexts::statement_signature, blake3_derive(contexts::node_statement, {content})));
  content.insert(content.end(), by.begin(), by.end());
  read(content);
  return 0;
}
