// messages/ports/archive.hpp - what the node keeps, as whoever looks at it reads it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "messages/manifest.hpp"
#include "messages/outcome.hpp"
#include "messages/payload.hpp"
#include "messages/ports/ledger_store.hpp"

namespace lucid {

/// Bounds of answers.
inline constexpr std::size_t verdict_damage_max = 1000;
inline constexpr std::uint32_t archive_blocks_max = 1000;
inline constexpr std::size_t archive_found_max = 100;
inline constexpr std::size_t ledger_search_digits_min = 4; ///< 65,536 entries until half of all searches find a second one.
inline constexpr std::size_t ledger_search_digits_max = 64;

/// One thing that was checked.
struct verdict_check {
  std::string name;    ///< "manifest", "anchor", "chunks", "content"
  std::string verdict; ///< "ok", "FAIL", "pending", "partly", "-"
  std::string found;   ///< A sentence for people.
};

/// A block of 16,384 bytes of a chunk file that is not what was sealed.
struct damaged_block {
  track on = track::video;
  std::uint32_t chunk = 0;
  std::uint32_t block = 0;
  std::uint64_t offset_bytes = 0; ///< Within the chunk file.
};

/// What came of a verification.
struct recording_verdict {
  std::string text; ///< A sentence; begins with INTACT, NOT YET ANCHORED or NOT INTACT.
  std::vector<verdict_check> checks;
  std::vector<damaged_block> damage; ///< The first `verdict_damage_max`, by chunk and block.
};

/// A block with what it anchors.
struct full_block {
  block_header header;
  std::vector<anchor_entry> entries;
};

/// An entry and where it stands in the chain.
struct found_entry {
  anchor_entry entry;
  ledger_place place;
};

/// Recordings and chain of a node, for reading only.
///
/// Threads: implementations are safe to call from any thread; all calls block on the disk, `verify` for minutes.
/// Errors: `not_found` for a session, chunk or block that is not there; `wrong_state` for what is not made yet; those of
/// store, ledger and disk.
class archive {
public:
  virtual ~archive() = default;

  /// As it was signed. Errors: `wrong_state` before there is one.
  virtual outcome<signed_manifest> manifest(const session_id& session) = 0;

  /// What is stored: those of video by index, then those of events.
  virtual outcome<std::vector<chunk_record>> chunks(const session_id& session) = 0;

  /// The chunk file as it lies on the disk, sealed; at most `payload::size_bytes_max`.
  virtual outcome<payload> chunk(const session_id& session, track on, std::uint32_t index) = 0;

  /// The proof file. Errors: `wrong_state` before the recording is anchored.
  virtual outcome<std::string> proof(const session_id& session) = 0;

  /// Reads every chunk and checks it, the manifest and the anchor, without a key. One at a time; `cancelled` is asked
  /// before each chunk, and ends it when it answers true.
  /// Errors: `busy` while another one runs; `wrong_state` before there is a manifest; `cancelled`.
  virtual outcome<recording_verdict> verify(const session_id& session, const std::function<bool()>& cancelled) = 0;

  /// Blocks below the height `before`, else the newest; newest first, at most `count` and `archive_blocks_max`.
  virtual outcome<std::vector<block_header>> blocks(std::optional<std::uint64_t> before, std::uint32_t count) = 0;
  virtual outcome<full_block> block(std::uint64_t height) = 0;

  /// The entries whose session, manifest hash or root begins with `digits`, newest first; at most `archive_found_max`.
  /// Errors: `invalid_input` for what is not 4 to 64 hexadecimal digits.
  virtual outcome<std::vector<found_entry>> search(const std::string& digits) = 0;
};

} // namespace lucid
