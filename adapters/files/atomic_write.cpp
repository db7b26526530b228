// adapters/files/atomic_write.cpp - temporary file, sync, rename, sync of the folder.
#include "adapters/files/atomic_write.hpp"

namespace lucid {
namespace {

outcome<void> write_synced(file_system& on, const file_system::path& file, byte_view bytes) {
  auto opened = on.open(file, open_mode::fresh);
  if (!opened) return pass_on(std::move(opened));
  auto written = (*opened)->append(bytes);
  if (!written) return written;
  return (*opened)->sync();
}

} // namespace

outcome<void> write_atomically(file_system& on, const file_system::path& file, byte_view bytes) {
  auto part = file;
  part += part_suffix;
  auto moved = write_synced(on, part, bytes);
  if (moved) moved = on.rename(part, file);
  if (!moved) {
    // The first error is the one that tells; a part that stays is removed at the next start.
    (void)on.remove(part);
    return moved;
  }
  return on.sync_folder(file.parent_path());
}

outcome<byte_buffer> read_whole(file_system& on, const file_system::path& file, std::size_t size_bytes_max) {
  auto bytes = on.read(file, 0, size_bytes_max + 1);
  if (bytes && bytes->size() > size_bytes_max)
    return fail(errc::limit_exceeded, "files",
                file.string() + " is longer than " + std::to_string(size_bytes_max) + " bytes");
  return bytes;
}

} // namespace lucid
