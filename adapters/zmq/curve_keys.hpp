// adapters/zmq/curve_keys.hpp - CURVE's key pairs as 32 raw bytes each.
#pragma once

#include "messages/identity.hpp"
#include "messages/outcome.hpp"
#include "messages/ports/mesh_transport.hpp"

namespace lucid {

struct curve_key_pair {
  transport_key public_key{};
  transport_secret secret;
};

/// A new pair, from the system's randomness. Errors: `unsupported` (a ZeroMQ without CURVE).
outcome<curve_key_pair> make_curve_keys();

/// The public half of `secret`. Errors: `unsupported`.
outcome<transport_key> curve_public_of(const transport_secret& secret);

} // namespace lucid
