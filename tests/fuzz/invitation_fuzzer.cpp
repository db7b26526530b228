// tests/fuzz/invitation_fuzzer.cpp - any text as an invitation; with a check sum that holds, too.
#include <cstdlib>

#include "actors/mesh/invitation.hpp"
#include "actors/mesh/mesh_address.hpp"
#include "actors/mesh/mesh_contexts.hpp"
#include "adapters/blake3/blake3_hasher.hpp"
#include "adapters/sodium/base64.hpp"

namespace {

using namespace lucid;

void read(std::string_view text) {
  auto what = read_invitation(text);
  if (!what) return;
  auto again = invitation_text(*what);
  if (!again) std::abort();
  auto read_again = read_invitation(*again);
  if (!read_again || !(*read_again == *what)) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  byte_view bytes(data, size_bytes);
  auto text = as_text(bytes);
  read(text);
  if (auto address = parse_mesh_address(text); address && to_string(*address) != text) std::abort();
  byte_buffer content(bytes.begin(), bytes.end());
  std::array<std::uint8_t, 4> sum{};
  blake3_derive_into(contexts::invitation_check, {bytes}, sum);
  content.insert(content.end(), sum.begin(), sum.end());
  auto whole = std::string(invitation_prefix) + to_base64url(content);
  auto what = read_invitation(whole);
  if (what && invitation_text(*what).value_or("") != whole) std::abort();
  return 0;
}
