// tests/fuzz/chunk_fuzzer.cpp - any bytes as a chunk file, as they are and with seals that hold.
#include <algorithm>
#include <cstdlib>

#include "actors/format/chunk_codec.hpp"
#include "actors/format/contexts.hpp"
#include "actors/format/proof_codec.hpp"

namespace {

using namespace lucid;

/// Makes digest, commitment, sizes and tag right, so that what lies behind them is reached.
byte_buffer repaired(byte_view input, const session_key& key) {
  byte_buffer file(input.begin(), input.end());
  std::ranges::copy(as_bytes("lucidchk\x01"), file.begin());
  file[9] = 0;
  std::uint32_t index = file[12] | file[13] << 8u | file[14] << 16u | static_cast<std::uint32_t>(file[15]) << 24u;
  auto chunk_key = derive_chunk_key(key, static_cast<track>(file[10]), index);
  auto commitment = commit_chunk_key(chunk_key);
  for (std::size_t i = 0; i < 8; ++i) file[56 + i] = static_cast<std::uint8_t>(file.size() >> (8 * i));
  std::ranges::copy(commitment, file.begin() + 128);
  auto check = blake3_derive(contexts::chunk_header, {byte_view(file).first(160)});
  std::ranges::copy(check, file.begin() + 160);
  aead_nonce nonce;
  std::copy_n(file.begin() + 104, nonce.size(), nonce.begin());
  auto head = byte_view(file).first(chunk_header_size_bytes);
  auto body = std::span(file).subspan(chunk_header_size_bytes);
  aead_seal(body, body.first(body.size() - aead_tag_size_bytes), head, nonce, chunk_key);
  return file;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  static const session_key key;
  byte_view input(data, size_bytes);
  if (open_chunk(input, key) && !read_chunk_header(input)) std::abort();
  chunk_record record;
  record.sealed_size_bytes = size_bytes;
  auto leaves = decode_leaves(input, record);
  check_chunk(input, record, {});
  if (size_bytes < chunk_overhead_size_bytes) return 0;
  auto file = repaired(input, key);
  auto opened = open_chunk(file, key);
  if (!opened && opened.error().code == errc::wrong_key) std::abort();
  if (opened && opened->plain.size() != opened->header.plain_size_bytes) std::abort();
  return 0;
}
