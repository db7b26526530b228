// actors/adoption/adoption_core.hpp - which recordings may be adopted, and what becomes of one; pure.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "messages/outcome.hpp"
#include "messages/pipeline.hpp"
#include "messages/ports/cluster.hpp"

namespace lucid {

/// A recording of which copies are kept here, as they are.
struct lost_recording {
  node_id origin{};
  session_row row;                          ///< The last that its recorder told of it.
  std::vector<chunk_record> chunks;         ///< Those that were kept; tracks in order.
  std::optional<manifest_put_request> document; ///< The recorder's own manifest.
  std::optional<manifest> what;             ///< The same, verified.
};

/// That the recorder cannot come back to finish its recording itself: this node is a member of its cluster, and the recorder
/// is not. Errors: `wrong_state`, saying what has to be done first.
outcome<void> check_recorder_is_lost(const cluster_view& cluster, const node_id& origin);

/// Whether a copy of `from`'s recording may become a copy of `to`'s: who adopted it is a member, who recorded it is none.
bool may_change_hands(const cluster_view& cluster, const node_id& from, const node_id& to);

/// The name by which a member, or one that was a member, is known; else the beginning of its id.
std::string name_in(const cluster_view& cluster, const node_id& node);

/// That the recording can be finished from what is here. Errors: `not_found` without any chunk to begin with; `wrong_state`
/// when nobody could open it, or its row has no commitment to its key.
outcome<void> check_can_be_finished(const lost_recording& lost);

/// Leads one recording from copies to a recording of this node's own: which chunk is next, and what its row says.
///
/// Without the recorder's manifest a track goes up to the first chunk that is missing or is not what was sealed: a manifest
/// counts chunks without holes. With it, all chunks that it names and that are whole.
///
/// Threads: none. One owner calls it.
class adoption_core {
public:
  adoption_core(lost_recording lost, std::string origin_name, std::string own_name);

  const lost_recording& lost() const noexcept { return lost_; }

  /// As it is put into the store at first: in the state `sealing`, without chunks.
  session_put_request first_row() const;

  /// What the store has of it already.
  void has(const std::vector<chunk_record>& stored);

  /// The next chunk to be read, checked and put into the store; none: that was all.
  std::optional<chunk_record> next() const;
  void taken();  ///< The next one is in the store.
  void unfit();  ///< The copy of the next one is missing or is not what was sealed.

  /// Its row when all that could be taken is `stored`: `storing`, or `failed` without any chunk.
  session_summary row_with(const std::vector<chunk_record>& stored) const;

  /// The row's last state, once it is anchored in a block of this node's chain.
  static session_summary finished(session_summary row, std::uint64_t block_height, const sign_public_key& block_producer);

private:
  std::string reason(std::size_t taken) const;

  lost_recording lost_;
  std::string origin_name_, own_name_;
  std::deque<chunk_record> wanted_;
  std::size_t known_ = 0; ///< Chunks that are known of: those named by the manifest, else those with a row.
};

} // namespace lucid
