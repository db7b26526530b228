// tests/fuzz/manifest_fuzzer.cpp - any bytes as a manifest, as they are and made canonical first.
#include <cstdlib>

#include "actors/format/canonical_json.hpp"
#include "actors/format/manifest_codec.hpp"

namespace {

void read(std::string_view text) {
  using namespace lucid;
  auto m = decode_manifest(text);
  if (!m) return;
  auto again = encode_manifest(*m);
  if (!again || *again != text) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  auto text = lucid::as_text({data, size_bytes});
  read(text);
  auto value = lucid::json::parse(text, nullptr, false);
  if (value.is_discarded()) return 0;
  if (auto canonical = lucid::canonical_text(value, "fuzz")) read(*canonical);
  return 0;
}
