// actors/seal/seal_actor.hpp - compresses, seals and hashes chunks on the work pool, and hands them to the store.
#pragma once

#include "actors/seal/sealing.hpp"
#include "runtime/supervision/specs.hpp"

namespace lucid {

/// Child spec of the seal actor of one session.
/// A restarted one remembers nothing: chunk sends again what is not stored.
child_spec seal_child(seal_options options);

} // namespace lucid
