// tests/fuzz/proof_fuzzer.cpp - any bytes as a proof file and as a block header; what reads back is also verified.
#include <algorithm>
#include <cstdlib>

#include "actors/format/canonical_json.hpp"
#include "actors/format/ledger_codec.hpp"
#include "actors/format/proof_codec.hpp"

namespace {

using namespace lucid;

void read(std::string_view text) {
  auto proof = decode_proof(text);
  if (!proof) return;
  auto again = encode_proof(*proof);
  if (!again || *again != (text.ends_with('\n') ? text.substr(0, text.size() - 1) : text)) std::abort();
  (void)verify_proof(*proof);
  if (!proof->blocks.empty()) (void)verify_anchor(proof->anchor, proof->blocks.front());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  byte_view input(data, size_bytes);
  if (auto header = decode_block_header(input)) {
    if (!std::ranges::equal(encode_block_header(*header), input)) std::abort();
    (void)verify_block(*header);
  }
  auto text = as_text(input);
  read(text);
  auto value = json::parse(text, nullptr, false);
  if (value.is_discarded()) return 0;
  if (auto canonical = canonical_text(value, "fuzz")) read(*canonical);
  return 0;
}
