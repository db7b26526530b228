// actors/chunk/chunk_actor.hpp - the shell of chunk_core: journal in front of it, seal behind it.
#pragma once

#include "actors/chunk/chunk_core.hpp"
#include "runtime/supervision/specs.hpp"

namespace lucid {

/// Child spec of the chunk actor of one session.
/// A restarted one remembers nothing: it reads the stored chunks' records, then the journal behind them.
child_spec chunk_child(chunk_options options);

} // namespace lucid
