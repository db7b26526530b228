// actors/node/bench/bench_input.hpp - what is sealed again and again: the same bytes for everything that is compared.
#pragma once

#include <string_view>
#include <vector>

#include "messages/fragment.hpp"

namespace lucid {

enum class input_kind : std::uint8_t {
  video, ///< Random bytes: what an encoder delivers does not compress further.
  text,  ///< Lines as a terminal shows them: repeating words, counters, some random numbers.
};
std::string_view to_string(input_kind kind) noexcept;

/// One chunk's worth of bytes, as a whole and as the fragments it arrives in.
struct bench_input {
  input_kind kind = input_kind::video;
  byte_buffer whole;
  std::vector<fragment> fragments; ///< 256 KiB each, without sequence.
};

/// The same bytes each time.
bench_input make_input(input_kind kind, std::size_t size_bytes);

} // namespace lucid
