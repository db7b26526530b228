// actors/node/cli/recording_access.hpp - the keys that open recordings, and what they open.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/format/key_store.hpp"
#include "actors/format/keys.hpp"
#include "actors/node/cli/command.hpp"
#include "actors/node/stored_recording.hpp"
#include "adapters/zstd/zstd_codec.hpp"

namespace lucid {

/// Which key opens a recording, and what opens the key.
struct key_choice {
  std::string key;             ///< A name in keys.dir, or a key file; empty: one that the recording is sealed for.
  std::string passphrase_file; ///< Empty: what the configuration says, else asked for on a terminal.
};

/// Adds --key and --passphrase-file.
std::shared_ptr<key_choice> add_key_options(command_options& app);

struct opened_key {
  session_key key;
  std::string name; ///< Of the key that opened it.
};

/// Errors: `wrong_key` if no key of ours opens it, or for another passphrase; `not_found` for a key that is not there.
outcome<opened_key> open_session_key(command_context& context, const configuration& settings, const manifest& m,
                                     const key_choice& choice);

/// The same where the key is only welcome: none if no key of ours is for it or none opens without being asked.
std::optional<opened_key> find_session_key(const configuration& settings, const manifest& m);

/// Told after each chunk how many bytes of chunk files are done; answers whether to go on.
using chunks_progress = std::function<bool(std::uint64_t done_bytes)>;

/// Plaintexts of chunks, one after the other, each compared with the manifest before it is opened.
/// Uses: the recording and the key. Errors: `corrupted` naming the chunk; `cancelled`.
class chunk_stream {
public:
  chunk_stream(stored_recording& recording, const session_key& key, std::vector<chunk_record> chunks,
               chunks_progress told = {})
    : recording_(recording), key_(key), chunks_(std::move(chunks)), told_(std::move(told)) {}

  /// The next plaintext; empty at the end.
  outcome<byte_buffer> next();

private:
  stored_recording& recording_;
  const session_key& key_;
  std::vector<chunk_record> chunks_;
  chunks_progress told_;
  zstd_decompressor decompressor_;
  std::size_t at_ = 0;
  std::uint64_t done_bytes_ = 0;
};

} // namespace lucid
