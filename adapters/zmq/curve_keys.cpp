// adapters/zmq/curve_keys.cpp - libzmq speaks of keys as Z85 text; we speak of bytes.
#include "adapters/zmq/curve_keys.hpp"

#include <zmq.h>

#include <array>

namespace lucid {
namespace {

using key_text = std::array<char, 41>; ///< 32 bytes as Z85, and a zero.

tl::unexpected<error> without_curve() { return fail(errc::unsupported, "zmq", "this ZeroMQ was built without CURVE"); }

} // namespace

outcome<curve_key_pair> make_curve_keys() {
  key_text public_text{}, secret_text{};
  if (zmq_curve_keypair(public_text.data(), secret_text.data()) != 0) return without_curve();
  curve_key_pair keys;
  zmq_z85_decode(keys.public_key.data(), public_text.data());
  zmq_z85_decode(keys.secret.span().data(), secret_text.data());
  explicit_bzero(secret_text.data(), secret_text.size());
  return keys;
}

outcome<transport_key> curve_public_of(const transport_secret& secret) {
  key_text public_text{}, secret_text{};
  zmq_z85_encode(secret_text.data(), secret.view().data(), secret.view().size());
  auto derived = zmq_curve_public(public_text.data(), secret_text.data());
  explicit_bzero(secret_text.data(), secret_text.size());
  if (derived != 0) return without_curve();
  transport_key key{};
  zmq_z85_decode(key.data(), public_text.data());
  return key;
}

} // namespace lucid
