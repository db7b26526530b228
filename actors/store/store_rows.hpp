// actors/store/store_rows.hpp - rows of store.db as values, and what fits into them; private to this folder.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/sqlite/database.hpp"
#include "messages/pipeline.hpp"

namespace lucid::store_rows {

/// Bounds of what is written and read back. Those of the messages, where they have one.
inline constexpr std::size_t label_size_bytes_max = 200;                  // title, owner: session_policy
inline constexpr std::size_t source_size_bytes_max = 2000;
inline constexpr std::size_t name_size_bytes_max = 256;                   // user name, encoder
inline constexpr std::size_t manifest_size_bytes_max = 64u << 20;         // Twice the format's own bound.
inline constexpr std::size_t leaves_size_bytes_max = (payload::size_bytes_max / (16u << 10) + 1) * sizeof(digest);
inline constexpr std::size_t path_size_bytes_max = 64 * sizeof(digest);   // A tree of 2^64 leaves.
inline constexpr std::size_t reason_size_bytes_max = 1000;             // Longer ones are cut: a state counts more than its why.
inline constexpr std::size_t key_count_max = recipient_count_max + 1;     // And the node's own.

inline constexpr std::string_view summary_columns =
  "id, state, title, owner, source, created_us, started_us, ended_us, frame_count, fragment_count, gap_count,"
  " captured_bytes, stored_bytes, chunk_count, block_height, reason, interrupted";
inline constexpr std::string_view chunk_columns =
  "track, place, first_sequence, last_sequence, frame_count, start_us, end_us, plain_size_bytes, sealed_size_bytes,"
  " content, root";

std::string sql(std::initializer_list<std::string_view> parts);

/// "3f9a01c2/video/7", for messages.
std::string name_of(const chunk_key& key);

/// The columns `summary_columns`, from the first on, and behind them the block's producer or NULL. Errors: `corrupted`, as of all readers here.
outcome<session_summary> read_summary(row_reader& row);
/// The columns `chunk_columns`.
outcome<chunk_record> read_chunk(row_reader& row, const session_id& session);
/// A blob as digests. Spoils the row unless it is a whole number of them.
std::vector<digest> read_digests(row_reader& row, int column, std::size_t size_bytes_max);
byte_view bytes_of(const std::vector<digest>& digests);

/// That what is to be written can be read back. Errors: `limit_exceeded`.
outcome<void> check_request(const session_put_request& request);

/// At most so many bytes, cut between two characters of UTF-8.
std::string_view cut_text(std::string_view text, std::size_t size_bytes_max);

tl::unexpected<error> no_session(const session_id& id);

} // namespace lucid::store_rows
