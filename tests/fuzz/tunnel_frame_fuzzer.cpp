// tests/fuzz/tunnel_frame_fuzzer.cpp - whatever a peer sends as frames of the tunnel is taken within its credit, or refused.
//
// Input: frames as {u16 length, bytes}. What is decoded must encode to what is decoded again.
#include <cstdlib>

#include "actors/mesh/tunnel_stream.hpp"

using namespace lucid;

namespace {

constexpr std::uint64_t credit = 64 * 1024;

void check_reads_back(const tunnel_frame& frame) {
  auto again = decode_tunnel_frame(encode(frame));
  if (!again || again->index() != frame.index()) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  byte_view input(data, size);
  tunnel_stream stream({.stream = 1, .side = basp_side::server, .credit_bytes = credit, .message_bytes_max = 1 << 16});
  if (!stream.export_actor(6)) std::abort();
  byte_buffer to_local;
  while (input.size() >= 2) {
    auto length = std::min<std::size_t>(input[0] | input[1] << 8, input.size() - 2);
    auto bytes = input.subspan(2, length);
    input = input.subspan(2 + length);
    auto frame = decode_tunnel_frame(bytes);
    if (!frame) return 0;
    check_reads_back(*frame);
    if (auto open = std::get_if<tunnel_open>(&*frame); open && !stream.established()) {
      if (!stream.accept(*open)) return 0;
      continue;
    }
    if (!stream.receive(*frame, to_local)) return 0;
    if (to_local.size() > credit || stream.readable_bytes() > tunnel_data_bytes_max) std::abort();
    stream.wrote_local(to_local.size() / 2);
    to_local.erase(to_local.begin(), to_local.begin() + static_cast<std::ptrdiff_t>(to_local.size() / 2));
  }
  return 0;
}
