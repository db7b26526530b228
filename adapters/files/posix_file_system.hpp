// adapters/files/posix_file_system.hpp - the file system of the machine.
#pragma once

#include "messages/ports/file_system.hpp"

namespace lucid {

/// The real file system, by POSIX calls. Reads copy: a mapped file that somebody shortens would end the process.
/// Threads: safe to call from any thread; it has no state.
/// Errors: errno of the system call, mapped by `errc_of_errno`; the text names call, path and offset.
class posix_file_system final : public file_system {
public:
  outcome<std::unique_ptr<append_file>> open(const path& file, open_mode mode) override;
  outcome<byte_buffer> read(const path& file, std::uint64_t offset, std::size_t size_bytes) override;
  outcome<std::uint64_t> size_of(const path& file) override;
  outcome<void> make_folder(const path& folder) override;
  outcome<void> rename(const path& from, const path& to) override;
  outcome<void> remove(const path& what) override;
  outcome<std::vector<std::string>> list(const path& folder) override;
  outcome<void> sync_folder(const path& folder) override;
  outcome<std::uint64_t> free_bytes(const path& folder) override;
};

/// The code callers act on: ENOSPC and EDQUOT are `disk_full`, EROFS is `read_only`, EACCES and EPERM are
/// `permission_denied`, ENOENT and ENOTDIR are `not_found`, the rest `io_failed`.
errc errc_of_errno(int number) noexcept;

} // namespace lucid
