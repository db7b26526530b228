// tests/fuzz/journal_fuzzer.cpp - any bytes as a journal file, behind a header and a first record that hold.
#include <algorithm>
#include <cstdlib>

#include "actors/format/contexts.hpp"
#include "actors/format/journal_codec.hpp"
#include "adapters/blake3/blake3_hasher.hpp"

namespace {

using namespace lucid;

class zero_random final : public random_port {
public:
  void fill(std::span<std::uint8_t> into) override { std::ranges::fill(into, std::uint8_t{0}); }
};

void read_all(byte_view file, const session_key& key) {
  auto decoder = journal_decoder::open(file, key);
  if (!decoder) return;
  for (std::size_t before = 0;;) {
    auto next = decoder->next();
    if (!next || !*next) return;
    if (decoder->offset_bytes() <= before || decoder->offset_bytes() > file.size()) std::abort();
    before = decoder->offset_bytes();
  }
}

/// The record at the file's end gets the check and the tag that belong to it.
void repair_record(byte_buffer& file, const session_key& key, const std::array<std::uint8_t, 16>& previous) {
  constexpr auto at = journal_header_size_bytes;
  if (file.size() < at + journal_record_header_size_bytes + aead_tag_size_bytes) return;
  auto digest_of_header = byte_view(file).subspan(80, 32);
  auto record = std::span(file).subspan(at);
  blake3_derive_into(contexts::journal_record, {digest_of_header, previous, byte_view(record).first(40)},
                     record.subspan(40, 8));
  byte_buffer associated(digest_of_header.begin(), digest_of_header.end());
  associated.insert(associated.end(), previous.begin(), previous.end());
  associated.insert(associated.end(), record.begin(), record.begin() + 48);
  secret_key journal_key;
  const std::array<std::uint8_t, 4> segment{};
  blake3_derive_into(contexts::journal_key, {key.view(), segment}, journal_key.span());
  aead_nonce nonce;
  std::copy_n(record.begin() + 16, nonce.size(), nonce.begin());
  auto sealed = record.subspan(48);
  aead_seal(sealed, sealed.first(sealed.size() - aead_tag_size_bytes), associated, nonce, journal_key);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  static const session_key key;
  zero_random random;
  read_all({data, size_bytes}, key);
  journal_encoder encoder({}, 0, key, random);
  byte_buffer file(encoder.header().begin(), encoder.header().end());
  file.insert(file.end(), data, data + size_bytes);
  read_all(file, key);
  repair_record(file, key, {});
  read_all(file, key);
  return 0;
}
