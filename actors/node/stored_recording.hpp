// actors/node/stored_recording.hpp - one recording of a data folder, opened for looking only.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "actors/store/recording_store.hpp"
#include "adapters/files/posix_file_system.hpp"
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
  static outcome<std::unique_ptr<stored_recording>> open(const std::filesystem::path& data_dir, const std::string& id);
  static outcome<std::unique_ptr<stored_recording>> open(const std::filesystem::path& data_dir, const session_id& id);

  const session_row& row() const noexcept { return row_; }
  /// A copy of another node's recording, in a folder of copies.
  bool is_copy() const noexcept { return is_copy_; }
  std::string name() const { return short_id(row_.summary.id); }
  std::filesystem::path chunk_path(const chunk_key& key) const { return store_.chunk_path(key); }

  /// Errors: those of verify_manifest; `corrupted` for the manifest of another recording.
  outcome<recording_content> content();

  outcome<std::vector<chunk_record>> chunks(); ///< What is stored: video by index, then events.
  outcome<payload> chunk(track on, std::uint32_t index); ///< The file as it is. Errors: `not_found` for none of its chunks.

  /// With the block, where it is of another node's chain.
  outcome<stored_anchor> anchored();

  outcome<signed_manifest> document() override;
  outcome<anchor_record> anchor() override;
  outcome<std::vector<block_header>> blocks() override;
  outcome<payload> chunk(const chunk_record& record) override;
  outcome<byte_buffer> leaves(const chunk_record& record) override;

private:
  stored_recording(std::filesystem::path data_dir, std::shared_ptr<posix_file_system> files, recording_store store,
                   session_row row, bool is_copy)
    : data_dir_(std::move(data_dir)), files_(std::move(files)), store_(std::move(store)), row_(std::move(row)), is_copy_(is_copy) {}
  static outcome<std::unique_ptr<stored_recording>>
  open_found(const std::filesystem::path& data_dir, const std::function<outcome<session_id>(recording_store&)>& find);
  outcome<chunk_record> record_of(track on, std::uint32_t index);
  outcome<recording_content> content_so_far();

  std::filesystem::path data_dir_;
  std::shared_ptr<posix_file_system> files_;
  recording_store store_;
  std::mutex mutex_; ///< Of `store_`.
  session_row row_;
  bool is_copy_;
};

/// That something is known of it to read: refuses what has no chunk yet, or failed. Errors: `wrong_state`.
outcome<void> check_readable(const stored_recording& recording, const recording_content& content);

/// That there is something to verify: refuses what is not sealed yet, or never was. Errors: `wrong_state`.
outcome<void> check_verifiable(stored_recording& recording);

/// The proof file. Errors: `wrong_state` before it is anchored; those of prove_recording.
outcome<std::string> proof_text(stored_recording& recording, bool with_leaves);

} // namespace lucid
