// adapters/files/descriptor.cpp - closing a descriptor.
#include "adapters/files/descriptor.hpp"

#include <unistd.h>

namespace lucid {

descriptor::~descriptor() {
  if (fd_ >= 0) ::close(fd_); // Linux frees the number even when it reports an error; syncing was done before.
}

} // namespace lucid
