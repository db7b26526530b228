// adapters/files/posix_file_system.cpp - POSIX calls behind the file system port.
#include "adapters/files/posix_file_system.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "adapters/files/descriptor.hpp"
#include "adapters/files/direct_write.hpp"

namespace lucid {
namespace {

using path = file_system::path;

/// "cannot write /x/y at offset 4096: No space left on device"
tl::unexpected<error> failed(const char* doing, const path& where, const std::string& at = {}) {
  auto number = errno;
  return fail(errc_of_errno(number), "files",
              std::string("cannot ") + doing + ' ' + where.string() + at + ": " +
                std::generic_category().message(number));
}

std::string at_offset(std::uint64_t offset) { return " at offset " + std::to_string(offset); }

outcome<descriptor> open_descriptor(const char* doing, const path& where, int flags) {
  int fd = -1;
  do fd = ::open(where.c_str(), flags | O_CLOEXEC, 0600);
  while (fd < 0 && errno == EINTR);
  if (fd < 0) return failed(doing, where);
  return descriptor(fd);
}

class posix_append_file final : public append_file {
public:
  posix_append_file(path where, descriptor fd, std::uint64_t size_bytes)
    : where_(std::move(where)), fd_(std::move(fd)), size_bytes_(size_bytes) {}

  outcome<void> append(byte_view bytes) override {
    auto direct = write_direct(fd_.get(), bytes, size_bytes_);
    size_bytes_ += direct;
    bytes = bytes.subspan(direct);
    while (!bytes.empty()) {
      auto n = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(size_bytes_));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return failed("write", where_, at_offset(size_bytes_));
      if (n == 0) return fail(errc::io_failed, "files", "wrote nothing to " + where_.string() + at_offset(size_bytes_));
      size_bytes_ += static_cast<std::uint64_t>(n);
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return {};
  }

  outcome<void> sync() override {
    if (::fdatasync(fd_.get()) != 0) return failed("sync", where_, at_offset(size_bytes_));
    return {};
  }

  outcome<void> cut(std::uint64_t size_bytes) override {
    if (::ftruncate(fd_.get(), static_cast<off_t>(size_bytes)) != 0)
      return failed("cut", where_, at_offset(size_bytes));
    size_bytes_ = size_bytes;
    return {};
  }

  std::uint64_t size_bytes() const noexcept override { return size_bytes_; }

private:
  path where_;
  descriptor fd_;
  std::uint64_t size_bytes_;
};

outcome<std::uint64_t> size_of_descriptor(const descriptor& fd, const path& where) {
  struct stat facts {};
  if (::fstat(fd.get(), &facts) != 0) return failed("look at", where);
  if (!S_ISREG(facts.st_mode))
    return fail(errc::invalid_input, "files", where.string() + " is no regular file");
  return static_cast<std::uint64_t>(facts.st_size);
}

} // namespace

errc errc_of_errno(int number) noexcept {
  switch (number) {
    case ENOSPC:
    case EDQUOT: return errc::disk_full;
    case EROFS: return errc::read_only;
    case EACCES:
    case EPERM: return errc::permission_denied;
    case ENOENT:
    case ENOTDIR: return errc::not_found;
    default: return errc::io_failed;
  }
}

outcome<std::unique_ptr<append_file>> posix_file_system::open(const path& file, open_mode mode) {
  auto flags = mode == open_mode::fresh ? O_WRONLY | O_CREAT | O_TRUNC : O_WRONLY;
  auto fd = open_descriptor("open", file, flags);
  if (!fd) return pass_on(std::move(fd));
  auto size = size_of_descriptor(*fd, file);
  if (!size) return pass_on(std::move(size));
  return std::unique_ptr<append_file>(new posix_append_file(file, std::move(*fd), *size));
}

outcome<byte_buffer> posix_file_system::read(const path& file, std::uint64_t offset, std::size_t size_bytes) {
  auto fd = open_descriptor("read", file, O_RDONLY);
  if (!fd) return pass_on(std::move(fd));
  auto size = size_of_descriptor(*fd, file);
  if (!size) return pass_on(std::move(size));
  // The file's own size bounds the buffer, whatever was asked for.
  auto wanted = std::min<std::uint64_t>(size_bytes, *size > offset ? *size - offset : 0);
  byte_buffer bytes(static_cast<std::size_t>(wanted));
  std::size_t done = 0;
  while (done < bytes.size()) {
    auto n = ::pread(fd->get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed("read", file, at_offset(offset + done));
    if (n == 0) break; // Shortened since: what was there is the answer.
    done += static_cast<std::size_t>(n);
  }
  bytes.resize(done);
  return bytes;
}

outcome<std::uint64_t> posix_file_system::size_of(const path& file) {
  struct stat facts {};
  if (::stat(file.c_str(), &facts) != 0) return failed("look at", file);
  return static_cast<std::uint64_t>(facts.st_size);
}

outcome<void> posix_file_system::make_folder(const path& folder) {
  struct stat facts {};
  if (::stat(folder.c_str(), &facts) == 0) {
    if (S_ISDIR(facts.st_mode)) return {};
    return fail(errc::already_exists, "files", folder.string() + " is there and is no folder");
  }
  auto parent = folder.parent_path();
  if (!parent.empty() && parent != folder) {
    auto made = make_folder(parent);
    if (!made) return made;
  }
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return failed("make folder", folder);
  return sync_folder(parent.empty() ? path(".") : parent);
}

outcome<void> posix_file_system::rename(const path& from, const path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return failed("rename", from, " to " + to.string());
  return {};
}

outcome<void> posix_file_system::remove(const path& what) {
  if (::remove(what.c_str()) != 0 && errno != ENOENT) return failed("remove", what);
  return {};
}

outcome<std::vector<std::string>> posix_file_system::list(const path& folder) {
  std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(folder.c_str()), [](DIR* d) { return ::closedir(d); });
  if (!dir) {
    if (errno == ENOENT) return std::vector<std::string>{};
    return failed("list", folder);
  }
  std::vector<std::string> names;
  errno = 0;
  while (auto* entry = ::readdir(dir.get())) {
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
    errno = 0;
  }
  if (errno != 0) return failed("list", folder);
  std::sort(names.begin(), names.end());
  return names;
}

outcome<void> posix_file_system::sync_folder(const path& folder) {
  auto fd = open_descriptor("open folder", folder, O_RDONLY | O_DIRECTORY);
  if (!fd) return pass_on(std::move(fd));
  if (::fsync(fd->get()) != 0) return failed("sync folder", folder);
  return {};
}

outcome<std::uint64_t> posix_file_system::free_bytes(const path& folder) {
  struct statvfs facts {};
  if (::statvfs(folder.c_str(), &facts) != 0) return failed("ask for the free space of", folder);
  return static_cast<std::uint64_t>(facts.f_bavail) * facts.f_frsize;
}

} // namespace lucid
