// actors/format/signing.hpp - what the format's Ed25519 signatures are over.
#pragma once

#include "actors/format/little_endian.hpp"
#include "messages/identity.hpp"

namespace lucid {

/// The prefix of the kind of statement (contexts.hpp), then the statement's hash: a signature of one kind is never
/// one of another.
inline byte_buffer signed_message(std::string_view prefix, const digest& hash) {
  byte_buffer message(prefix.size() + hash.size());
  field_writer(message).put(as_bytes(prefix)).put(hash);
  return message;
}

} // namespace lucid
