// actors/store/stored_recording.cpp - rows under a lock, files without one.
#include "actors/store/stored_recording.hpp"

#include "adapters/files/atomic_write.hpp"

namespace lucid {

outcome<std::vector<block_header>> stored_recording::blocks() {
  auto record = anchor();
  if (!record) return pass_on(std::move(record));
  return chain_.headers(record->block_height, block_count_max);
}

outcome<payload> stored_recording::chunk(const chunk_record& record) {
  // The session's own folder, whatever the manifest claims to be of.
  chunk_key key{session_, record.key.on, record.key.index};
  auto bytes = read_whole(files_, store_.chunk_path(key), payload::size_bytes_max);
  if (!bytes) return pass_on(std::move(bytes));
  return payload(std::move(*bytes));
}

outcome<byte_buffer> stored_recording::leaves(const chunk_record& record) {
  std::lock_guard lock(rows_);
  auto digests = store_.leaves({session_, record.key.on, record.key.index});
  if (!digests) return pass_on(std::move(digests));
  byte_buffer bytes;
  bytes.reserve(digests->size() * sizeof(digest));
  for (auto& one : *digests) bytes.insert(bytes.end(), one.begin(), one.end());
  return bytes;
}

} // namespace lucid
