// tests/fuzz/audit_fuzzer.cpp - any bytes as a line of the audit log: refused, or exactly what is written again.
#include <cstdlib>

#include "actors/console/audit_entry.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lucid;
  auto line = as_text({data, size});
  auto entry = decode_audit_entry(line);
  if (!entry) return entry.error().what.empty() ? (std::abort(), 0) : 0;
  if (encode_audit_entry(*entry) != line) std::abort();
  if (verify_audit_entry(*entry, entry->number - 1, entry->previous, sign_public_key{})) std::abort();
  return 0;
}
