// actors/seal/sealing.hpp - what sealing a chunk needs, wherever it is done.
#pragma once

#include <memory>

#include "actors/format/keys.hpp"
#include "messages/chunk.hpp"
#include "messages/outcome.hpp"
#include "messages/ports/random.hpp"
#include "runtime/work_pool.hpp"

namespace lucid {

/// What sealing needs. The pool and the random source outlive the actor system.
struct seal_options {
  std::shared_ptr<const session_key> key;
  int zstd_level = 3;
  work_pool* pool = nullptr;
  random_port* random = nullptr;
};

/// Compresses, seals and hashes. Slow: for a pool's thread, each of which keeps a scratch of its own.
outcome<sealed_chunk> seal_on_pool(const plain_chunk& chunk, const seal_options& options);

} // namespace lucid
