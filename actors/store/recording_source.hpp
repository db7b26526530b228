// actors/store/recording_source.hpp - the store's files as a source of copies, beside the store's actor.
#pragma once

#include <memory>

#include "actors/store/recording_store.hpp"
#include "messages/ports/replica_source.hpp"

namespace lucid {

/// Opened at the first call, and again after an error: the store's actor makes the file. A lock orders the calls.
/// Uses: the file system, which must outlive it.
std::unique_ptr<replica_source> make_recording_source(store_options options, file_system& files);

} // namespace lucid
