// actors/audit/audit.hpp - verify a recording, make its proof, plan an export. Pure, but for the threads of verify.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "actors/format/keys.hpp"
#include "actors/format/proof_codec.hpp"
#include "messages/ports/recording_reader.hpp"

namespace lucid {

/// What was examined when something was found.
enum class audit_subject : std::uint8_t { manifest = 1, key, anchor, ledger, chunk, block, leaf_table, content };
std::string_view to_string(audit_subject subject) noexcept;

/// One thing that is not as it should be.
struct finding {
  audit_subject subject = audit_subject::manifest;
  errc code = errc::corrupted;
  std::optional<chunk_key> chunk;    ///< For chunk, block, leaf_table, content.
  std::optional<block_damage> block; ///< For block: its number, offset and size within the chunk file.
  std::string what;                  ///< A sentence for people.
};

/// What verification found out. `intact` says it all; the rest says why and how much.
struct audit_report {
  std::optional<manifest> what;        ///< If the manifest verifies.
  std::optional<block_header> block;   ///< If the recording is anchored.
  std::uint64_t confirmations = 0;     ///< Blocks on top of it.
  std::uint32_t chunk_count = 0;       ///< Examined.
  std::uint64_t block_count = 0;       ///< 16 KiB blocks compared.
  std::uint64_t sealed_bytes = 0;      ///< Hashed.
  std::uint64_t plain_bytes = 0;       ///< Decrypted; 0 without a key.
  bool decrypted = false;              ///< A key was given, and is the right one.
  bool anchored = false;
  std::vector<finding> findings;       ///< By chunk and block; at most audit_finding_count_max.
  std::uint64_t findings_left_out = 0;

  bool intact() const noexcept { return what && anchored && findings.empty(); }
};

/// 1025 blocks a chunk: the first ten chunks that are wholly lost are named block by block, and the list stays printable.
inline constexpr std::size_t audit_finding_count_max = 10'250;

/// How verification stands. Calls never overlap, but come from several threads.
struct audit_progress {
  std::uint64_t done_bytes = 0;
  std::uint64_t total_bytes = 0;
};

struct audit_options {
  const session_key* key = nullptr; ///< With a key, chunks are also decrypted and compared with the manifest.
  std::uint32_t thread_count = 1;   ///< 1..64; each holds one chunk file and, with a key, its plaintext.
  trusted_keys trusted = {};
  std::function<void(const audit_progress&)> progress = {};
  std::function<bool()> cancelled = {}; ///< Asked before each chunk.
};

/// Re-hashes everything: manifest hash and signature; each 16 KiB block of each chunk against the root, sizes, whole-file
/// digests; the anchor's path, block signatures and links; with a key also commitments, plaintexts and spans.
/// Errors: only what keeps it from judging at all: `cancelled`. A manifest that cannot be read is a finding.
outcome<audit_report> verify_recording(recording_reader& reader, const audit_options& options = {});

/// The proof of a recording; checked before it is handed out.
/// `with_leaves` lets an auditor place damage, and costs 4 bytes of JSON for each KiB of recording.
/// Errors: those of the reader and of verify_proof.
outcome<recording_proof> prove_recording(recording_reader& reader, bool with_leaves);

/// Which chunks a stretch of time needs, per track in order. Empty bounds mean from the start, to the end.
struct export_plan {
  std::vector<chunk_record> video;
  std::vector<chunk_record> events;
  std::uint64_t sealed_bytes = 0;
};

/// Each video chunk begins with its init segment and a key frame, so the chunk in which `from_us` lies is the first needed.
/// Errors: `invalid_input` if `from_us` is after `to_us` or nothing was recorded in between.
outcome<export_plan> plan_export(const manifest& m, std::optional<unix_time_us> from_us, std::optional<unix_time_us> to_us);

} // namespace lucid
