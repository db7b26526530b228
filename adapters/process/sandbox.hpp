// adapters/process/sandbox.hpp - takes privileges from the calling process that it can never get back.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "messages/outcome.hpp"

namespace lucid {

/// What a process must still be able to do.
struct sandbox_needs {
  bool network = false;                 ///< Connect to servers and local sockets; implies reading system files.
  bool devices = false;                 ///< Open devices, for hardware encoders.
  std::vector<std::string> read_paths;  ///< Files or folders it may read, where the kernel can tell paths apart.
  std::uint64_t memory_size_bytes_max = 3ull << 30; ///< Private memory: pictures of 8192x8192 and an encoder for them.
  std::uint32_t open_file_count_max = 64;
};

/// What could be done. All of it on a kernel of 5.13 or later.
struct sandbox_report {
  bool no_new_privileges = false;
  bool limits = false;    ///< Memory, files, processes' core dumps.
  bool paths = false;     ///< Landlock: no path but those named.
  bool calls = false;     ///< seccomp: no new program, tracing, mounting, modules, foreign processes ...
  std::string missing;    ///< What the kernel lacks, for people; empty if nothing.
};

/// Confines all threads of the process from here on. What the kernel lacks is left out and reported.
/// Threads: call it while there is one thread only.
/// Errors: `missing_dependency` when not even privileges can be given up; then nothing has changed.
outcome<sandbox_report> enter_sandbox(const sandbox_needs& needs);

/// Closes every descriptor above `highest_kept`.
void close_descriptors_above(int highest_kept) noexcept;

} // namespace lucid
