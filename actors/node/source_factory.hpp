// actors/node/source_factory.hpp - which adapter serves which kind of live source; used inside the worker process.
#pragma once

#include "actors/worker/worker.hpp"

namespace lucid {

/// Makes frame sources of rdp:// and x11:// by the adapters of this build.
source_maker live_sources();

} // namespace lucid
