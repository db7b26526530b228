// adapters/files/direct_write.cpp - O_DIRECT through an aligned buffer that stays in the processor's cache.
#include "adapters/files/direct_write.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <unistd.h>

namespace lucid {
namespace {

constexpr std::size_t alignment = 4096;            ///< Satisfies every block size in use; memory and offset alike.
constexpr std::size_t piece_size_bytes = 512 << 10; ///< Long against the set-up of a request, short against the cache.

/// Direct mode of one descriptor, for as long as this lives.
class direct_mode {
public:
  explicit direct_mode(int fd) noexcept : fd_(fd), flags_(::fcntl(fd, F_GETFL)) {
    on_ = flags_ >= 0 && ::fcntl(fd_, F_SETFL, flags_ | O_DIRECT) == 0;
  }
  ~direct_mode() {
    if (on_) (void)::fcntl(fd_, F_SETFL, flags_);
  }
  direct_mode(const direct_mode&) = delete;
  direct_mode& operator=(const direct_mode&) = delete;
  explicit operator bool() const noexcept { return on_; }

private:
  int fd_;
  int flags_;
  bool on_ = false;
};

std::uint8_t* aligned_piece() {
  struct freed {
    void operator()(void* memory) const noexcept { std::free(memory); }
  };
  thread_local std::unique_ptr<void, freed> piece(std::aligned_alloc(alignment, piece_size_bytes));
  return static_cast<std::uint8_t*>(piece.get());
}

} // namespace

std::size_t write_direct(int fd, byte_view bytes, std::uint64_t offset) {
  if (bytes.size() < direct_write_size_bytes_min || offset % alignment != 0) return 0;
  auto* piece = aligned_piece();
  direct_mode mode(fd);
  if (!mode || !piece) return 0;
  auto whole = bytes.size() / alignment * alignment;
  std::size_t done = 0;
  while (done < whole) {
    auto size = std::min(piece_size_bytes, whole - done);
    std::memcpy(piece, bytes.data() + done, size);
    auto written = ::pwrite(fd, piece, size, static_cast<off_t>(offset + done));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    done += static_cast<std::size_t>(written);
    if (static_cast<std::size_t>(written) < size) break; // A full disk, or a boundary: the ordinary write goes on.
  }
  return done;
}

} // namespace lucid
