// actors/format/chunk_codec.hpp - the chunk file: compress, seal and hash a chunk, and open it again.
#pragma once

#include "actors/format/keys.hpp"
#include "adapters/sodium/aead.hpp"
#include "adapters/zstd/zstd_codec.hpp"
#include "messages/chunk.hpp"
#include "messages/ports/random.hpp"

namespace lucid {

inline constexpr std::size_t chunk_header_size_bytes = 192;
inline constexpr std::size_t chunk_overhead_size_bytes = chunk_header_size_bytes + aead_tag_size_bytes;

/// The fixed part at the start of a chunk file. Source: docs/format.md, "Chunk file".
struct chunk_header {
  chunk_key key;
  chunk_span span;
  bool last_of_track = false;
  bool compressed = false; ///< zstd; else the plaintext is stored as it is.
  std::uint64_t plain_size_bytes = 0;
  std::uint64_t sealed_size_bytes = 0; ///< Of the whole file.
  aead_nonce nonce{};
  digest key_commitment{};
  friend bool operator==(const chunk_header&, const chunk_header&) = default;
};

/// What sealing needs again and again; one per worker thread.
struct seal_scratch {
  zstd_compressor compressor;
  byte_buffer compressed; ///< Grows to the largest chunk and stays.
};

/// Compresses, seals and hashes `plain`. A fresh nonce each time: sealing the same chunk twice gives two files.
/// Errors: `limit_exceeded` above chunk_size_bytes_max; `invalid_input` for a span or index out of bounds.
outcome<sealed_chunk> seal_chunk(const plain_chunk& plain, const session_key& key, random_port& random,
                                 seal_scratch& scratch, const compress_options& options = {});

/// Reads and checks the header alone; needs no key. `file` may be the first 192 bytes or more.
/// Errors: `truncated`, `unsupported` (a later version), `corrupted`.
outcome<chunk_header> read_chunk_header(byte_view file);

/// A chunk's header and plaintext.
struct opened_chunk {
  chunk_header header;
  byte_buffer plain;
};

/// Opens a whole chunk file. `decompressor` may be kept between calls.
/// Errors: `truncated`, `unsupported`, `wrong_key` (intact header, other key), `corrupted`.
outcome<opened_chunk> open_chunk(byte_view file, const session_key& key, zstd_decompressor& decompressor);
outcome<opened_chunk> open_chunk(byte_view file, const session_key& key);

/// The record of a chunk file as it is now; the caller compares it with the one that was stored. No key needed.
/// Errors: those of read_chunk_header; `truncated` or `corrupted` if the file has another size than its header says.
outcome<sealed_chunk> describe_chunk(payload file);

/// The leaf table as it lies beside a chunk file: 32 bytes a block, in order, nothing else.
byte_buffer encode_leaves(std::span<const digest> leaves);

/// Reads a leaf table and checks it against the chunk's root.
/// Errors: `truncated` or `corrupted`: then the damaged block of a chunk cannot be told.
outcome<std::vector<digest>> decode_leaves(byte_view table, const chunk_record& record);

} // namespace lucid
