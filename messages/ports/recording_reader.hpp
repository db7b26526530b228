// messages/ports/recording_reader.hpp - a finished recording as an auditor reads it, wherever it lies.
#pragma once

#include <vector>

#include "messages/manifest.hpp"
#include "messages/outcome.hpp"

namespace lucid {

/// The parts of one recording. Nothing of what it answers is believed: the auditor checks all of it.
/// Threads: `chunk` and `leaves` are called from several threads at once, the others from one.
/// Errors: `not_found` for what is not there (a lost chunk file, a recording not yet anchored); those of the file system.
class recording_reader {
public:
  virtual ~recording_reader() = default;

  virtual outcome<signed_manifest> document() = 0;
  virtual outcome<anchor_record> anchor() = 0;
  /// The anchoring block and those after it, as many as there are or the reader cares to show; at most 1000.
  virtual outcome<std::vector<block_header>> blocks() = 0;
  /// The bytes of the chunk file, whatever their number is, up to `payload::size_bytes_max`.
  virtual outcome<payload> chunk(const chunk_record& record) = 0;
  /// The chunk's leaf table as it lies beside the file.
  virtual outcome<byte_buffer> leaves(const chunk_record& record) = 0;
};

} // namespace lucid
