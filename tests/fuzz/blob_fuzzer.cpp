// tests/fuzz/blob_fuzzer.cpp - whatever a peer sends on channel 3 is taken or refused, within bounds, and reads back.
#include <cstdlib>

#include "actors/blobs/blob_core.hpp"

using namespace lucid;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr node_id peer{1};
  blob_limits limits;
  limits.memory_bytes_max = 1u << 20;
  blob_core core(limits);
  blob_effects out;
  std::chrono::nanoseconds now(1);
  core.up(peer, now, out);
  core.send(1, peer, blob_id{1}, payload(byte_buffer(1000)), digest{}, now, out);
  // The input is a row of frames, each behind its length in two bytes.
  for (byte_view rest(data, size); rest.size() >= 2;) {
    std::size_t length = rest[0] | rest[1] << 8;
    rest = rest.subspan(2);
    auto frame = rest.first(std::min(length, rest.size()));
    rest = rest.subspan(frame.size());
    if (auto decoded = blob_frames::decode(frame)) {
      auto wire = blob_frames::encode(*decoded);
      if (!std::equal(wire.begin(), wire.end(), frame.begin(), frame.end())) std::abort();
    }
    core.frame(peer, frame, now, out);
    now += std::chrono::seconds(1);
    core.tick(now, out);
    if (core.memory_bytes() > limits.memory_bytes_max) std::abort();
  }
  core.down(peer, now);
  core.tick(now + std::chrono::hours(1), out);
  if (core.memory_bytes() != 0 || out.sends.size() != 1) std::abort();
  return 0;
}
