// tests/fuzz/key_file_fuzzer.cpp - any bytes as a key file and as a public key's line; with a check that holds, too.
#include <cstdlib>

#include "actors/format/canonical_json.hpp"
#include "actors/format/contexts.hpp"
#include "actors/format/key_file.hpp"
#include "adapters/blake3/blake3_hasher.hpp"

namespace {

using namespace lucid;

void read(std::string_view text) {
  auto open = read_public_identity(text);
  // Argon2id is slow by design: only files without it are opened.
  if (open && !open->has_passphrase) (void)open_key_file(text, "");
  if (open && !import_public(export_public(*open))) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  auto text = as_text({data, size_bytes});
  read(text);
  if (auto key = import_public(text); key && !import_public(export_public(*key))) std::abort();
  auto value = json::parse(text, nullptr, false);
  if (value.is_discarded() || !value.is_object()) return 0;
  value.erase("check");
  auto canonical = canonical_text(value, "fuzz");
  if (!canonical) return 0;
  value["check"] = to_hex(blake3_derive(contexts::key_file, {as_bytes(*canonical)}));
  if (auto whole = canonical_text(value, "fuzz")) read(*whole);
  return 0;
}
