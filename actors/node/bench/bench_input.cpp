// actors/node/bench/bench_input.cpp - seeded bytes.
#include "actors/node/bench/bench_input.hpp"

#include <algorithm>
#include <cstdio>
#include <random>

namespace lucid {
namespace {

constexpr std::size_t fragment_size_bytes = 256u << 10;

byte_buffer video_like(std::size_t size_bytes, std::mt19937_64& random) {
  byte_buffer bytes(size_bytes);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random() >> 32);
  return bytes;
}

byte_buffer terminal_like(std::size_t size_bytes, std::mt19937_64& random) {
  byte_buffer bytes;
  bytes.reserve(size_bytes + 256);
  for (unsigned line = 0; bytes.size() < size_bytes; ++line) {
    char text[256];
    auto length = std::snprintf(text, sizeof text,
                                "%02u:%02u:%02u line %06u: the quick brown fox jumps over the lazy dog, user-%llu took %llu us\n",
                                line / 3600 % 24, line / 60 % 60, line % 60, line,
                                static_cast<unsigned long long>(random() % 100),
                                static_cast<unsigned long long>(random() % 100'000));
    bytes.insert(bytes.end(), text, text + length);
  }
  bytes.resize(size_bytes);
  return bytes;
}

} // namespace

std::string_view to_string(input_kind kind) noexcept { return kind == input_kind::video ? "video" : "text"; }

bench_input make_input(input_kind kind, std::size_t size_bytes) {
  std::mt19937_64 random(7); // NOLINT: the same bytes each time are the point.
  bench_input input;
  input.kind = kind;
  input.whole = kind == input_kind::video ? video_like(size_bytes, random) : terminal_like(size_bytes, random);
  for (std::size_t at = 0; at < size_bytes; at += fragment_size_bytes) {
    auto piece = byte_view(input.whole).subspan(at, std::min(fragment_size_bytes, size_bytes - at));
    fragment f;
    f.on = track::events;
    f.kind = fragment_kind::event; // A chunk may be cut before each.
    f.bytes = payload(byte_buffer(piece.begin(), piece.end()));
    input.fragments.push_back(std::move(f));
  }
  return input;
}

} // namespace lucid
