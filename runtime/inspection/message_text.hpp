// runtime/inspection/message_text.hpp - messages for people: how large they are, and what is in them.
#pragma once

#include <cstdint>
#include <string>

#include <caf/fwd.hpp>

namespace lucid {

/// Bytes of the contents of `message`: numbers, texts and bytes, without framing. 0 for types outside of the vocabulary.
std::uint64_t message_size(const caf::type_erased_tuple& message);

/// The fields of `message`, at most `tapped_fields_bytes_max`: "sequence=12 on=0 bytes=4096 bytes". Secrets are "***",
/// credentials in URLs are blotted out, bytes of recordings are counted, digests shortened. Empty for types outside of
/// the vocabulary, which nobody vouches for.
std::string message_text(const caf::type_erased_tuple& message);

} // namespace lucid
