// messages/replication.hpp - what the recorder of recordings and the holders of their copies say to each other.
//
// Requests are idempotent. `origin` is the node that recorded: a holder lets nobody else change or remove its copies.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "messages/blob.hpp"
#include "messages/manifest.hpp"
#include "messages/pipeline.hpp"
#include "messages/proof.hpp"

namespace lucid {

// --- what a holder is asked ---------------------------------------------------------------------------------------

/// A chunk of a known session, and what it must be.
struct chunk_mark {
  track on = track::video;
  std::uint32_t index = 0;
  digest content{};
  friend bool operator==(const chunk_mark&, const chunk_mark&) = default;
};

/// 4,096 marks of 37 bytes are 150 KiB: well below mesh.message_bytes_max. Longer lists are asked for in parts.
inline constexpr std::size_t chunk_marks_max = 4096;

/// Which of these chunks are held. Looks at rows and file sizes, not at bytes.
struct replica_have_request {
  node_id origin{};
  session_id session{};
  std::vector<chunk_mark> chunks; ///< At most chunk_marks_max.
};
struct replica_have {
  session_id session{};
  std::vector<std::uint32_t> held; ///< Places in the list that was asked about, ascending.
  std::uint8_t state = 0;          ///< session_state of the row that is held; 0: none is.
  bool has_manifest = false;
  bool has_anchor = false;
};

/// Takes a chunk whose file was sent as a blob before. Hashes it again, and stores it; answers the record once it is on disk.
struct replica_put_request {
  node_id origin{};
  session_row row;    ///< Without keys of nodes, without a password.
  chunk_record record;
  blob_ref file;      ///< `content` and size are the record's.
};

/// The row as it is now, and, when there are, manifest and anchor.
struct replica_news_request {
  node_id origin{};
  session_row row;
  blob_ref manifest;        ///< The canonical text, sent as a blob before; size 0: there is none yet.
  signature manifest_by{};
  anchor_entry entry;       ///< What is to be anchored for it.
  std::vector<stored_anchor> anchors; ///< None or one.
};

struct replica_remove_request {
  node_id origin{};
  session_id session{};
};

/// How much of a session is held after a request was carried out.
struct replica_status {
  session_id session{};
  std::uint32_t chunk_count = 0;
  bool has_manifest = false;
  bool has_anchor = false;
};

/// Has these chunks read and hashed. A file that is not what was sealed is removed by that: it is of no use to anybody, and
/// the chunk can be put again.
struct replica_verify_request {
  node_id origin{};
  session_id session{};
  std::vector<chunk_mark> chunks; ///< At most chunk_marks_max, and of verify_page_bytes_max together or one chunk.
};
inline constexpr std::uint64_t verify_page_bytes_max = 64u << 20; ///< A slow card reads this in 4 s.
struct replica_verify {
  session_id session{};
  std::vector<std::uint32_t> damaged; ///< Places in the list that was asked about, as the next. The others are as they were.
  std::vector<std::uint32_t> missing;
};

// --- challenges ---------------------------------------------------------------------------------------------------

/// Asks a holder to show one block of 16 KiB that it cannot know beforehand.
struct storage_challenge {
  node_id challenger{};
  node_id holder{};
  session_id session{};
  track on = track::video;
  std::uint32_t index = 0;        ///< Of the chunk, within its track.
  std::uint32_t block_index = 0;  ///< Within the chunk.
  std::array<std::uint8_t, 32> nonce{};
  unix_time_us asked_us = 0;
  friend bool operator==(const storage_challenge&, const storage_challenge&) = default;
};
struct replica_challenge_request {
  storage_challenge what;
};

/// The block with its way up, signed by the holder together with the challenge.
struct challenge_answer {
  storage_challenge what;
  block_proof proof;            ///< Without a manifest at the holder: position 0, count 0 and no session path.
  unix_time_us answered_us = 0; ///< By the holder's clock.
  signature by{};               ///< The holder's. Source: docs/replication.md, "Challenges".
};

enum class challenge_outcome : std::uint8_t {
  ok = 1,
  failed,  ///< An answer that shows nothing: another block, a wrong path, a wrong signature.
  missing, ///< The holder says that it does not have the chunk.
  late,    ///< No answer within the time.
};
constexpr std::string_view to_string(challenge_outcome o) noexcept {
  return o == challenge_outcome::ok ? "ok" : o == challenge_outcome::failed ? "failed" : o == challenge_outcome::missing ? "missing" : "late";
}

/// What came of a challenge, signed by the challenger: what a storage proof is made of later.
struct challenge_result {
  storage_challenge what;
  std::uint32_t chunk_position = 0; ///< Among all chunks of the recording, tracks in order.
  unix_time_us answered_us = 0;     ///< 0: no answer.
  challenge_outcome outcome = challenge_outcome::late;
  digest leaf{};                    ///< Hash of the block that was shown; zero: none.
  signature holder_by{};            ///< Zero: no answer.
  signature challenger_by{};
};

// --- asked of copies/replication by its own node -----------------------------------------------------------------

/// How far the copies of the node's own recordings are.
struct replication_status_request {};
struct holder_status {
  node_id node{};
  std::string name;
  bool up = false;
  std::uint64_t chunk_count = 0;    ///< Chunks of ours that it holds, as far as is known.
  std::uint64_t bytes = 0;
  std::uint64_t challenges_ok = 0;  ///< Since the actor started, as the next.
  std::uint64_t challenges_failed = 0;
  std::uint64_t challenges_late = 0;
};
struct replication_status {
  std::uint32_t copies = 0;             ///< Wished for beside ours.
  std::uint32_t session_count = 0;
  std::uint64_t chunk_count = 0;        ///< Of all own sessions.
  std::uint64_t replicated_count = 0;   ///< Those with as many copies as wished for.
  std::uint64_t without_copy_count = 0; ///< Those that are on this node alone.
  std::uint32_t in_flight = 0;
  std::string last_failure;
  std::vector<holder_status> holders;
};

/// Has all holders of a session read and hash their copies, from a place on; ask again with `next` until it is done.
struct replication_audit_request {
  session_id session{};
  std::uint32_t from = 0;
};
struct copy_audit {
  node_id node{};
  std::string name;
  std::uint32_t held = 0;     ///< Of the chunks of this part, as far as is known here.
  std::uint32_t verified = 0, damaged = 0;
  std::uint32_t missing = 0;  ///< Those that should be held and are not there.
  std::string failure; ///< Why it could not be asked; empty: it was.
};
struct replication_audit {
  session_id session{};
  std::uint32_t chunk_count = 0; ///< Of the recording.
  std::uint32_t from = 0;
  std::uint32_t next = 0;
  bool done = false;
  std::uint32_t short_count = 0;  ///< Chunks `from` .. `next` with fewer good copies than are wished for.
  std::vector<copy_audit> copies; ///< Of the chunks `from` .. `next`, a row for each member that may hold copies.
};

} // namespace lucid
