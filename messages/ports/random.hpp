// messages/ports/random.hpp - randomness, as a part a test can replace.
#pragma once

#include <cstdint>
#include <span>

namespace lucid {

/// Where keys, nonces and ids come from. The real one is the system's random source.
/// Threads: implementations are safe to call from any thread.
class random_port {
public:
  virtual ~random_port() = default;
  virtual void fill(std::span<std::uint8_t> into) = 0;
};

} // namespace lucid
