// adapters/files/direct_write.hpp - large writes that spare the page cache.
#pragma once

#include <cstddef>
#include <cstdint>

#include "messages/bytes.hpp"

namespace lucid {

/// From this size on a direct write is worth its set-up; smaller ones are merged better by the kernel.
inline constexpr std::size_t direct_write_size_bytes_min = 1u << 20;

/// Writes as much of the front of `bytes` at `offset` of `fd` as direct I/O takes: whole blocks, from a block boundary.
/// Copying into the page cache costs more processor time than encrypting does, for bytes nobody will soon read again.
/// Returns how many bytes were written: 0 where the file system knows no direct I/O. Errors are not told here: what is
/// left is for an ordinary write, which meets the same error and names it. `fd` is left in its ordinary mode.
/// Threads: one at a time on one `fd`. Keeps one buffer of 512 KiB a thread.
/// Source: open(2), O_DIRECT.
std::size_t write_direct(int fd, byte_view bytes, std::uint64_t offset);

} // namespace lucid
