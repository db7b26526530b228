// actors/store/stored_recording.hpp - one recording of a data folder, as an auditor reads it.
#pragma once

#include <mutex>

#include "actors/store/recording_store.hpp"
#include "messages/ports/ledger_store.hpp"
#include "messages/ports/recording_reader.hpp"

namespace lucid {

/// Reads from the data folder, also while a node writes to it (both stores opened for reading).
///
/// Uses: store, ledger and file system, which must outlive it; nobody else may use the two stores meanwhile.
/// Threads: as recording_reader: `chunk` and `leaves` from any number of threads.
class stored_recording final : public recording_reader {
public:
  static constexpr std::uint32_t block_count_max = 1000; ///< What `blocks` answers at most.

  stored_recording(recording_store& store, ledger_store& chain, file_system& files, const session_id& session)
    : store_(store), chain_(chain), files_(files), session_(session) {}

  outcome<signed_manifest> document() override { return store_.manifest_of(session_); }
  outcome<anchor_record> anchor() override { return store_.anchor_of(session_); }
  outcome<std::vector<block_header>> blocks() override;
  outcome<payload> chunk(const chunk_record& record) override;
  outcome<byte_buffer> leaves(const chunk_record& record) override;

private:
  recording_store& store_;
  ledger_store& chain_;
  file_system& files_;
  session_id session_;
  std::mutex rows_; ///< The database is used by one thread at a time; files are not held up by it.
};

} // namespace lucid
