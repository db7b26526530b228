// actors/format/manifest_codec.hpp - the manifest as canonical JSON, its hash and its signature.
#pragma once

#include "adapters/sodium/sign.hpp"
#include "messages/manifest.hpp"
#include "messages/outcome.hpp"

namespace lucid {

/// Bounds of a manifest. 32 MiB are about 80,000 chunks: 800 GB at the default chunk size.
inline constexpr std::size_t manifest_size_bytes_max = 32u << 20;
inline constexpr std::size_t manifest_text_size_bytes_max = 200;    ///< title, owner, software, media type
inline constexpr std::size_t manifest_reason_size_bytes_max = 1000;
inline constexpr std::size_t manifest_source_size_bytes_max = 2000;

/// Root of the session's tree: its leaves are the chunk roots, tracks in order.
digest session_root(const std::vector<manifest_track>& tracks);

/// RFC 8785. Errors: `invalid_input` naming the field that breaks a rule; `limit_exceeded`.
outcome<std::string> encode_manifest(const manifest& m);

/// Strict: unknown, missing, repeated or badly formed fields, and any byte that is not canonical, are refused.
/// Errors: `unsupported` for a later version; `invalid_input`; `limit_exceeded`.
outcome<manifest> decode_manifest(std::string_view canonical);

/// Encodes and signs. Errors: those of encode_manifest; `invalid_input` if `m.recorder` is not the key's public half.
outcome<signed_manifest> sign_manifest(const manifest& m, const sign_key& key);

/// Checks hash and signature against the recorder that the manifest names; whether that recorder is to be trusted is
/// the caller's question. Errors: those of decode_manifest; `corrupted` for another hash; `bad_signature`.
outcome<manifest> verify_manifest(const signed_manifest& document);

} // namespace lucid
