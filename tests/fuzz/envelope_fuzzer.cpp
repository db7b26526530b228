// tests/fuzz/envelope_fuzzer.cpp - any bytes as an envelope, as they are and signed, and as what envelopes hold.
#include <algorithm>
#include <cstdlib>

#include "actors/mesh/envelope.hpp"
#include "actors/mesh/lease_codec.hpp"
#include "actors/mesh/network_message.hpp"

namespace {

using namespace lucid;

void require(bool so) {
  if (!so) std::abort();
}

bool equal(byte_view a, byte_view b) { return std::ranges::equal(a, b); }

/// Whatever is decoded has that one encoding.
void contents(byte_view input) {
  if (auto lease = decode_lease_message(input)) require(equal(encode_lease_message(*lease), input));
  if (auto hello = decode_network_hello(input)) require(equal(encode_network_hello(*hello), input));
  if (auto list = decode_peer_list(input)) require(equal(encode_peer_list(*list), input));
}

/// The signature made right, so that what lies behind it is reached.
void signed_anew(byte_view input, const sign_key& key, envelope_ring ring) {
  auto head = peek_envelope(input, ring);
  if (!head) return;
  auto content = envelope_content(input);
  auto sealed = seal_envelope(*head, content, key);
  require(sealed.has_value() && sealed->size() == input.size());
  require(equal(byte_view(*sealed).first(input.size() - 64), input.first(input.size() - 64)));
  envelope_counter counter{head->counter - 1, head->epoch};
  auto opened = open_envelope(*sealed, key.public_key(), counter, ring);
  bool hello = head->type == static_cast<std::uint16_t>(network_message::hello);
  require(opened.has_value() == (!hello || head->epoch == 0));
  if (opened) require(equal(*opened, content) && !open_envelope(*sealed, key.public_key(), counter, ring));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  static const sign_key key{secret_key()};
  byte_view input(data, size_bytes);
  contents(input);
  for (auto ring : {envelope_ring::cluster, envelope_ring::network}) {
    envelope_counter counter;
    auto size = envelope_size(input, ring);
    auto head = peek_envelope(input, ring);
    require(!head || (size.has_value() && *size == size_bytes));
    auto opened = open_envelope(input, key.public_key(), counter, ring);
    require(opened.has_value() == (counter.last != 0));
    signed_anew(input, key, ring);
    if (head) contents(envelope_content(input));
  }
  return 0;
}
