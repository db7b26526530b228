// adapters/files/hard_link.cpp - link(2) and a sync of the folder.
#include "adapters/files/hard_link.hpp"

#include <cerrno>
#include <cstring>
#include <unistd.h>

#include "adapters/files/posix_file_system.hpp"

namespace lucid {

outcome<void> hard_link(const std::filesystem::path& file, const std::filesystem::path& to) {
  if (::link(file.c_str(), to.c_str()) != 0) {
    auto number = errno;
    bool cannot = number == EXDEV || number == EPERM || number == EOPNOTSUPP || number == EMLINK;
    auto code = number == EEXIST ? errc::already_exists : cannot ? errc::unsupported : errc_of_errno(number);
    return fail(code, "files", "link " + file.string() + " to " + to.string() + ": " + std::strerror(number));
  }
  return posix_file_system().sync_folder(to.parent_path());
}

} // namespace lucid
