// adapters/files/folder_lock.cpp - a lock on a file that names its holder.
#include "adapters/files/folder_lock.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "adapters/files/posix_file_system.hpp"

namespace lucid {
namespace {

tl::unexpected<error> failed(const char* doing, const std::filesystem::path& where) {
  auto number = errno;
  return fail(errc_of_errno(number), "files",
              std::string("cannot ") + doing + ' ' + where.string() + ": " + std::generic_category().message(number));
}

/// The whole file, exclusively. An open-file-description lock: it can be asked about without being taken, unlike
/// flock, and does not vanish when some other part of the process closes the same file, unlike plain fcntl locks.
struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

/// The number in the file; 0 while its holder has not written it yet.
long read_pid(const descriptor& fd) {
  std::array<char, 24> text{}; // A 64-bit number in decimal has at most 20 digits.
  auto n = ::pread(fd.get(), text.data(), text.size(), 0);
  long pid = 0;
  if (n > 0) std::from_chars(text.data(), text.data() + n, pid);
  return pid;
}

outcome<void> write_pid(const descriptor& fd, const std::filesystem::path& where) {
  auto text = std::to_string(::getpid()) + '\n';
  if (::ftruncate(fd.get(), 0) != 0 || ::pwrite(fd.get(), text.data(), text.size(), 0) < 0)
    return failed("write", where);
  return {};
}

} // namespace

outcome<folder_lock> folder_lock::acquire(const std::filesystem::path& folder) {
  auto where = folder / "lock";
  descriptor fd(::open(where.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (fd.get() < 0) return failed("open", where);
  auto lock = whole_file();
  if (::fcntl(fd.get(), F_OFD_SETLK, &lock) != 0) {
    if (errno != EAGAIN && errno != EACCES) return failed("lock", where);
    auto pid = read_pid(fd);
    return fail(errc::busy, "files",
                "the data folder " + folder.string() + " is in use by " +
                  (pid > 0 ? "process " + std::to_string(pid) : std::string("another process")));
  }
  auto written = write_pid(fd, where);
  if (!written) return pass_on(std::move(written));
  return folder_lock(std::move(fd));
}

outcome<std::optional<long>> folder_lock::holder(const std::filesystem::path& folder) {
  auto where = folder / "lock";
  descriptor fd(::open(where.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) {
    if (errno == ENOENT) return std::optional<long>();
    return failed("open", where);
  }
  auto lock = whole_file();
  if (::fcntl(fd.get(), F_OFD_GETLK, &lock) != 0) return failed("ask for the lock of", where);
  if (lock.l_type == F_UNLCK) return std::optional<long>();
  return std::optional<long>(read_pid(fd));
}

} // namespace lucid
