// messages/ports/file_system.hpp - files and folders, as a part a test can make fail or cut the power of.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "messages/bytes.hpp"
#include "messages/outcome.hpp"

namespace lucid {

/// A file open for appending. Closing it syncs nothing.
/// Threads: one owner at a time.
class append_file {
public:
  virtual ~append_file() = default;

  /// Adds `bytes` at the end. On an error a part of them may be there: `cut` undoes that.
  virtual outcome<void> append(byte_view bytes) = 0;

  /// Returns when everything appended so far survives a loss of power. After an error nothing is known of what was
  /// appended since the last success; calling again proves nothing.
  virtual outcome<void> sync() = 0;

  /// Shortens the file to `size_bytes`.
  virtual outcome<void> cut(std::uint64_t size_bytes) = 0;

  virtual std::uint64_t size_bytes() const noexcept = 0;
};

enum class open_mode : std::uint8_t {
  fresh = 1, ///< Created, or emptied if it is there.
  extend,    ///< Must be there; appending goes on at its end.
};

/// What the store and the journal need of a file system, with POSIX's promises and no more: a name is durable after
/// `sync_folder` of its folder, contents after `sync` of the file.
///
/// Threads: implementations are safe to call from any thread.
/// Errors: `not_found`, `disk_full`, `read_only`, `permission_denied`, `io_failed`; the text names path and offset.
class file_system {
public:
  using path = std::filesystem::path;

  virtual ~file_system() = default;

  virtual outcome<std::unique_ptr<append_file>> open(const path& file, open_mode mode) = 0;

  /// Up to `size_bytes` from `offset`; fewer where the file ends before.
  virtual outcome<byte_buffer> read(const path& file, std::uint64_t offset, std::size_t size_bytes) = 0;
  virtual outcome<std::uint64_t> size_of(const path& file) = 0;

  /// Creates `folder` and its parents, mode 0700; harmless if it is there. Names are synced.
  virtual outcome<void> make_folder(const path& folder) = 0;

  /// Replaces `to` if it is there.
  virtual outcome<void> rename(const path& from, const path& to) = 0;

  /// Removes a file or an empty folder. Harmless if there is none.
  virtual outcome<void> remove(const path& what) = 0;

  /// The names in `folder`, sorted. A folder that is not there has none.
  virtual outcome<std::vector<std::string>> list(const path& folder) = 0;
  virtual outcome<void> sync_folder(const path& folder) = 0;

  /// Bytes an ordinary process may still write under `folder`.
  virtual outcome<std::uint64_t> free_bytes(const path& folder) = 0;
};

} // namespace lucid
