// adapters/sodium/system_random.hpp - the system's random source as a port.
#pragma once

#include "messages/ports/random.hpp"

namespace lucid {

/// getrandom() by way of libsodium. Threads: any.
class system_random final : public random_port {
public:
  void fill(std::span<std::uint8_t> into) override;
};

} // namespace lucid
