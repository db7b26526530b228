// adapters/files/atomic_write.hpp - a file that is there as a whole or not at all.
#pragma once

#include "messages/ports/file_system.hpp"

namespace lucid {

/// What a temporary file's name ends in. A file of that name at start-up is what a crash left: it may go.
inline constexpr std::string_view part_suffix = ".part";

/// Writes `bytes` to `file`: temporary file beside it, sync, rename, sync of the folder. Whenever the power fails,
/// `file` is afterwards what it was before or `bytes`; when this has returned, it is `bytes`.
/// Errors: the file system's. The temporary file is removed if that can be done; `file` is as it was before, unless
/// the very last step failed (the sync of the folder), when it is `bytes` but may not survive a loss of power.
outcome<void> write_atomically(file_system& on, const file_system::path& file, byte_view bytes);

/// The whole of `file`, at most `size_bytes_max`. Errors: the file system's; `limit_exceeded` for a longer file.
outcome<byte_buffer> read_whole(file_system& on, const file_system::path& file, std::size_t size_bytes_max);

} // namespace lucid
