// adapters/tor/posix.cpp - the system's calls behind posix.hpp.
#include "adapters/tor/posix.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace lucid::tor_posix {
namespace {

errc kind_of(int code) noexcept {
  switch (code) {
    case ENOENT: return errc::not_found;
    case EACCES:
    case EPERM:
    case ELOOP: return errc::permission_denied;
    case ENOSPC:
    case EDQUOT: return errc::disk_full;
    case EROFS: return errc::read_only;
    case EMFILE:
    case ENFILE:
    case EAGAIN:
    case ENOMEM: return errc::limit_exceeded;
    case ECONNREFUSED:
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ECONNRESET:
    case EPIPE: return errc::unreachable;
    case ETIMEDOUT: return errc::timeout;
    default: return errc::io_failed;
  }
}

} // namespace

file_descriptor::~file_descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

tl::unexpected<error> failure(const std::string& doing, int code) {
  return fail(kind_of(code), who, doing + ": " + std::strerror(code));
}

outcome<void> make_private_folder(const std::filesystem::path& folder) {
  std::error_code code;
  std::filesystem::create_directories(folder.parent_path(), code);
  if (code) return failure("cannot make " + folder.parent_path().string(), code.value());
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return failure("cannot make " + folder.string(), errno);
  struct stat about{};
  if (::stat(folder.c_str(), &about) != 0) return failure("cannot look at " + folder.string(), errno);
  if (!S_ISDIR(about.st_mode)) return fail(errc::io_failed, who, folder.string() + " is no folder");
  if ((about.st_mode & 077) != 0)
    return fail(errc::permission_denied, who, "others may enter " + folder.string() + "; its mode must be 0700");
  return {};
}

outcome<std::string> read_file(const std::filesystem::path& file, std::size_t size_bytes_max) {
  file_descriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (opened.get() < 0) return failure("cannot open " + file.string(), errno);
  std::string bytes(size_bytes_max + 1, '\0');
  std::size_t size_bytes = 0;
  while (size_bytes < bytes.size()) {
    auto got = ::read(opened.get(), bytes.data() + size_bytes, bytes.size() - size_bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure("cannot read " + file.string(), errno);
    if (got == 0) break;
    size_bytes += static_cast<std::size_t>(got);
  }
  if (size_bytes > size_bytes_max)
    return fail(errc::limit_exceeded, who, file.string() + " is longer than " + std::to_string(size_bytes_max) + " bytes");
  bytes.resize(size_bytes);
  return bytes;
}

} // namespace lucid::tor_posix
