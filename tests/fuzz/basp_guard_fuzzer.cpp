// tests/fuzz/basp_guard_fuzzer.cpp - whatever two middlemen say, in any pieces, is passed, dropped or refused the same way,
// and nothing of a breach passes.
//
// Input: one byte of settings (side, piece size), then pieces {u8 direction and length, bytes}.
#include <cstdlib>

#include "actors/mesh/basp_guard.hpp"

using namespace lucid;

namespace {

constexpr std::uint64_t message_bytes_max = 1 << 16;

struct result {
  byte_buffer to_local, to_peer;
  bool failed = false;
  bool operator==(const result&) const = default;
};

/// Feeds all pieces, each cut into slices.
result run(byte_view input, basp_side side, std::size_t slice_bytes) {
  basp_guard guard(side, message_bytes_max);
  if (!guard.export_actor(6)) std::abort();
  result r;
  while (!input.empty() && !r.failed) {
    bool from_peer = (input[0] & 0x80) != 0;
    auto piece = input.subspan(1, std::min<std::size_t>(input[0] & 0x7f, input.size() - 1));
    input = input.subspan(1 + piece.size());
    while (!piece.empty() && !r.failed) {
      auto slice = piece.first(std::min(slice_bytes, piece.size()));
      piece = piece.subspan(slice.size());
      auto read = from_peer ? guard.from_peer(slice, r.to_local) : guard.from_local(slice, r.to_peer);
      if (read) continue;
      r.failed = true;
      auto before = r.to_local.size();
      if (from_peer && (guard.from_peer(piece, r.to_local) || r.to_local.size() != before)) std::abort();
    }
  }
  return r;
}

/// Every header that passed to our middleman keeps the bound, and no service is named.
void check_passed(byte_view stream) {
  while (stream.size() >= basp_header_bytes) {
    std::uint64_t length = std::uint64_t{stream[4]} << 24 | stream[5] << 16 | stream[6] << 8 | stream[7];
    if (stream[0] > 6 || stream[0] == 3 || length > message_bytes_max) std::abort();
    if (stream[0] == 2 && (stream[3] & 1) != 0) std::abort();
    stream = stream.subspan(basp_header_bytes);
    stream = stream.subspan(std::min<std::size_t>(static_cast<std::size_t>(length), stream.size()));
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  auto side = (data[0] & 0x80) != 0 ? basp_side::server : basp_side::client;
  byte_view input(data + 1, size - 1);
  auto whole = run(input, side, 128);
  if (!(whole == run(input, side, 1 + (data[0] & 0x1f)))) std::abort();
  check_passed(whole.to_local);
  return 0;
}
