// actors/node/cli/recording_access.hpp - recordings of a data folder, opened for looking only, and the keys that open them.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "actors/format/key_store.hpp"
#include "actors/format/keys.hpp"
#include "actors/node/cli/command.hpp"
#include "actors/store/recording_store.hpp"
#include "adapters/files/posix_file_system.hpp"
#include "adapters/zstd/zstd_codec.hpp"
#include "messages/ports/recording_reader.hpp"

namespace lucid {

/// The shortest beginning of an id that is taken for it: 65,536 recordings until half of them need more.
inline constexpr std::size_t id_prefix_length_min = 4;

/// What a recording is made of, as far as it is known: what was signed, or, before that, what the store has.
struct recording_content {
  manifest what;
  bool is_signed = false; ///< Else `what` has neither recorder nor commitment, and the recording may still grow.
};

/// One recording of a data folder, read beside a node that may be writing to it.
///
/// Owns: a connection for reading. Threads: as the port.
/// Errors: `invalid_input` for what is no id or stands for several, `not_found`, those of the store.
class stored_recording final : public recording_reader {
public:
  /// `id` is an id or its beginning.
  static outcome<std::unique_ptr<stored_recording>> open(const configuration& settings, const std::string& id);

  const session_row& row() const noexcept { return row_; }
  std::string name() const { return short_id(row_.summary.id); }
  std::filesystem::path chunk_path(const chunk_key& key) const { return store_.chunk_path(key); }

  /// Errors: those of verify_manifest; `corrupted` for the manifest of another recording.
  outcome<recording_content> content();

  outcome<signed_manifest> document() override;
  outcome<anchor_record> anchor() override;
  outcome<std::vector<block_header>> blocks() override;
  outcome<payload> chunk(const chunk_record& record) override;
  outcome<byte_buffer> leaves(const chunk_record& record) override;

private:
  stored_recording(const configuration& settings, std::shared_ptr<posix_file_system> files, recording_store store,
                   session_row row)
    : data_dir_(settings.node.data_dir), files_(std::move(files)), store_(std::move(store)), row_(std::move(row)) {}
  outcome<recording_content> content_so_far();

  std::filesystem::path data_dir_;
  std::shared_ptr<posix_file_system> files_;
  recording_store store_;
  std::mutex mutex_; ///< Of `store_`.
  session_row row_;
};

/// That something is known of it to read: refuses what has no chunk yet, or failed. Errors: `wrong_state`.
outcome<void> check_readable(const stored_recording& recording, const recording_content& content);

/// Which key opens a recording, and what opens the key.
struct key_choice {
  std::string key;             ///< A name in keys.dir, or a key file; empty: one that the recording is sealed for.
  std::string passphrase_file; ///< Empty: what the configuration says, else asked for on a terminal.
};

/// Adds --key and --passphrase-file.
std::shared_ptr<key_choice> add_key_options(CLI::App& app);

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
