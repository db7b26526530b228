// actors/seal/seal_actor.hpp - compresses, seals and hashes chunks on the work pool, and hands them to the store.
#pragma once

#include <memory>

#include "actors/format/keys.hpp"
#include "messages/ports/random.hpp"
#include "runtime/supervision/specs.hpp"
#include "runtime/work_pool.hpp"

namespace lucid {

/// What sealing needs. The pool and the random source outlive the actor system.
struct seal_options {
  std::shared_ptr<const session_key> key;
  int zstd_level = 3;
  work_pool* pool = nullptr;
  random_port* random = nullptr;
};

/// Child spec of the seal actor of one session.
/// A restarted one remembers nothing: chunk sends again what is not stored.
child_spec seal_child(seal_options options);

} // namespace lucid
