// tests/bench/envelope_bench.cpp - signed envelopes decoded and checked, in one thread.
//
// Among them what should cost little: envelopes that are refused before the signature is looked at. With --check the
// program fails below 10,000 of the dearest a second. The time is the processor's: other programs take none of it.
#include <chrono>
#include <cstdio>
#include <ctime>
#include <string_view>
#include <vector>

#include "actors/mesh/envelope.hpp"
#include "actors/mesh/lease_codec.hpp"
#include "actors/mesh/peer_quota.hpp"
#include "adapters/sodium/system_random.hpp"

namespace {

using namespace lucid;

constexpr double least_per_s = 10'000;
constexpr double least_time_s = 1.5;

secret_key seed_of(random_port& random) {
  secret_key seed;
  random.fill(seed.span());
  return seed;
}

/// What the heartbeat of a cluster says: eight leases asked for and eight answers.
byte_buffer lease_content() {
  lease_message m{1, 2, 3, {}, {}, {}};
  for (std::uint32_t place = 0; place < lease_places_max; ++place) {
    m.asks.push_back({{"replicas", place}, 7, true});
    m.answers.push_back({{"replicas", place}, lease_verdict::granted, 7, 7, 1, 2});
  }
  return encode_lease_message(m);
}

/// Envelopes a second of the processor's time; of all that are given, again and again, each round with a new count.
template <class Work>
double per_second(const std::vector<byte_buffer>& envelopes, Work&& work) {
  auto start = std::clock();
  std::size_t done = 0;
  double passed = 0;
  do {
    envelope_counter counter;
    for (auto& each : envelopes)
      if (!work(each, counter)) return 0;
    done += envelopes.size();
    passed = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  } while (passed < least_time_s);
  return static_cast<double>(done) / passed;
}

} // namespace

int main(int argc, char** argv) {
  bool check = argc > 1 && std::string_view(argv[1]) == "--check";
  system_random random;
  sign_key key(seed_of(random)), other(seed_of(random));
  std::vector<byte_buffer> sound, forged, oversized;
  auto lease = static_cast<std::uint16_t>(mesh_message::lease);
  auto content = lease_content();
  for (std::uint64_t i = 1; i <= 256; ++i) {
    sound.push_back(seal_envelope({lease, {}, i, 0}, content, key).value());
    forged.push_back(seal_envelope({lease, {}, i, 0}, content, other).value());
    oversized.push_back(sound.back());
    oversized.back()[6] = 0x7f; // The length claims two gigabytes.
  }
  peer_quota quota({1e12, 1e12, 1e15, 1e15});
  std::int64_t now = 0;
  auto opened = per_second(sound, [&](auto& bytes, auto& counter) {
    auto admitted = quota.admit({}, bytes.size(), 1, std::chrono::nanoseconds(++now));
    auto inside = open_envelope(bytes, key.public_key(), counter);
    return admitted && inside && decode_lease_message(*inside);
  });
  auto refuses = [&](auto& bytes, auto& counter) { return !open_envelope(bytes, key.public_key(), counter); };
  auto refused = per_second(forged, refuses);
  auto bounded = per_second(oversized, refuses);
  std::printf("envelopes of %zu bytes, a second of one core's time\n", sound.front().size());
  std::printf("  admitted, verified, content decoded   %12.0f a second\n", opened);
  std::printf("  forged: refused by the signature      %12.0f a second\n", refused);
  std::printf("  oversized: refused by the length      %12.0f a second\n", bounded);
  if (check && (opened < least_per_s || refused < least_per_s || bounded < 10 * least_per_s)) {
    std::printf("below 10,000 a second\n");
    return 1;
  }
  return 0;
}
