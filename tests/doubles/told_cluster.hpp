// tests/doubles/told_cluster.hpp - a cluster that is as a test says, and signing keys for its nodes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "adapters/sodium/sign.hpp"
#include "messages/ports/cluster.hpp"

namespace lucid::testing {

/// What is known of the cluster. Threads: one.
struct told_cluster final : cluster_port {
  cluster_view now;
  cluster_view view() const override { return now; }
};

/// The key whose seed is all `n`.
inline std::shared_ptr<const sign_key> key_of(std::uint8_t n) {
  secret_key seed;
  std::fill(seed.span().begin(), seed.span().end(), n);
  return std::make_shared<const sign_key>(seed);
}

} // namespace lucid::testing
