// tests/bench/format_bench.cpp - sealing and verifying a chunk against the bare library calls they are made of.
//
// The roofline of a chunk is what zstd (one call), libsodium (one call) and BLAKE3 (whole file, and each 16 KiB block
// as a leaf) take on the same bytes, one after the other, on warm buffers. Both are measured interleaved in one run.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <vector>

#include <benchmark/benchmark.h>
#include <blake3.h>
#include <sodium.h>
#include <zstd.h>

#include "actors/format/chunk_codec.hpp"
#include "actors/format/merkle.hpp"
#include "actors/format/proof_codec.hpp"
#include "adapters/sodium/system_random.hpp"

namespace {

using namespace lucid;

constexpr std::size_t size_bytes = chunk_size_bytes_default;

/// 0: random bytes, as video is. 1: JSON lines with random numbers in them, as events are.
byte_buffer input_of(int kind) {
  byte_buffer bytes(size_bytes);
  randombytes_buf_deterministic(bytes.data(), bytes.size(), byte_buffer(randombytes_SEEDBYTES, 7).data());
  if (kind == 0) return bytes;
  byte_buffer text;
  for (std::size_t i = 0; text.size() < size_bytes; i += 4) {
    char line[128];
    auto length = std::snprintf(line, sizeof line, "{\"at_us\":%zu,\"event\":\"pointer\",\"x\":%u,\"y\":%u,\"buttons\":%u}\n",
                                1'704'067'200'000'000 + i * 997, bytes[i] * 7u, bytes[i + 1] * 4u, bytes[i + 2] & 3u);
    text.insert(text.end(), line, line + length);
  }
  text.resize(size_bytes);
  return text;
}

/// As capture delivers it: fragments of a second each.
plain_chunk chunk_of(const byte_buffer& bytes) {
  plain_chunk chunk;
  constexpr std::size_t fragment_size_bytes = 300'000;
  for (std::size_t at = 0; at < bytes.size(); at += fragment_size_bytes) {
    auto end = std::min(at + fragment_size_bytes, bytes.size());
    chunk.parts.emplace_back(byte_buffer(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.begin() + static_cast<std::ptrdiff_t>(end)));
  }
  return chunk;
}

/// The bare calls, with buffers that are there already.
struct roofline {
  ZSTD_CCtx* zstd = ZSTD_createCCtx();
  byte_buffer compressed = byte_buffer(ZSTD_compressBound(size_bytes));
  byte_buffer sealed = byte_buffer(ZSTD_compressBound(size_bytes) + 1024);
  ::blake3_hasher leaf_start;
  std::uint8_t key[32] = {1}, nonce[24] = {2}, head[192] = {3};

  roofline() { ::blake3_hasher_init_derive_key(&leaf_start, "lucid v1 merkle leaf"); }
  ~roofline() { ZSTD_freeCCtx(zstd); }

  void run(const byte_buffer& plain) {
    auto size = ZSTD_compressCCtx(zstd, compressed.data(), compressed.size(), plain.data(), plain.size(), 3);
    auto body = size < plain.size() ? compressed.data() : plain.data();
    size = std::min(size, plain.size());
    unsigned long long sealed_size = 0;
    crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.data(), &sealed_size, body, size, head, sizeof head, nullptr, nonce, key);
    hash(sealed.data(), sealed_size);
  }

  void hash(const std::uint8_t* bytes, std::size_t size) {
    std::uint8_t out[32];
    ::blake3_hasher whole;
    blake3_hasher_init(&whole);
    blake3_hasher_update(&whole, bytes, size);
    blake3_hasher_finalize(&whole, out, 32);
    for (std::size_t at = 0; at < size; at += block_size_bytes) {
      auto leaf = leaf_start;
      blake3_hasher_update(&leaf, bytes + at, std::min(block_size_bytes, size - at));
      blake3_hasher_finalize(&leaf, out, 32);
      benchmark::DoNotOptimize(out);
    }
  }

};

double seconds_of(auto&& work) {
  auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

void sealing_against_roofline(benchmark::State& state) {
  auto bytes = input_of(static_cast<int>(state.range(0)));
  auto plain = chunk_of(bytes);
  roofline bare;
  system_random random;
  auto key = make_session_key(random);
  seal_scratch scratch;
  compress_options options;
  if (state.range(1) == 0) options.give_up_after_bytes = size_bytes * 2; // Compresses to the end, as the bare call does.
  std::vector<double> ours, theirs;
  for (auto _ : state) {
    double sealing = seconds_of([&] { benchmark::DoNotOptimize(seal_chunk(plain, key, random, scratch, options)); });
    theirs.push_back(seconds_of([&] { bare.run(bytes); }));
    ours.push_back(sealing);
    state.SetIterationTime(sealing);
  }
  state.counters["GB_per_s"] = static_cast<double>(size_bytes) / median(ours) / 1e9;
  state.counters["roofline_GB_per_s"] = static_cast<double>(size_bytes) / median(theirs) / 1e9;
  state.counters["of_roofline"] = median(theirs) / median(ours);
}
BENCHMARK(sealing_against_roofline)
  ->ArgNames({"compressible", "may_give_up"})->Args({0, 0})->Args({0, 1})->Args({1, 1})
  ->UseManualTime()->Iterations(60)->Unit(benchmark::kMillisecond);

void verifying_without_a_key(benchmark::State& state) {
  auto plain = chunk_of(input_of(0));
  system_random random;
  seal_scratch scratch;
  auto chunk = seal_chunk(plain, make_session_key(random), random, scratch).value();
  for (auto _ : state) benchmark::DoNotOptimize(check_chunk(chunk.file.view(), chunk.record, chunk.leaves));
  state.SetBytesProcessed(static_cast<std::int64_t>(chunk.file.size()) * state.iterations());
}
BENCHMARK(verifying_without_a_key)->Unit(benchmark::kMillisecond);

void opening_with_a_key(benchmark::State& state) {
  auto plain = chunk_of(input_of(static_cast<int>(state.range(0))));
  system_random random;
  auto key = make_session_key(random);
  seal_scratch scratch;
  auto chunk = seal_chunk(plain, key, random, scratch).value();
  zstd_decompressor decompressor;
  for (auto _ : state) benchmark::DoNotOptimize(open_chunk(chunk.file.view(), key, decompressor));
  state.SetBytesProcessed(static_cast<std::int64_t>(size_bytes) * state.iterations());
}
BENCHMARK(opening_with_a_key)->ArgName("compressible")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

} // namespace

int main(int argc, char** argv) {
  if (sodium_init() < 0) return 1;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
