// actors/replication/replication_core.hpp - which node holds which chunk, and what has to go where next; pure logic.
//
// Copies go to the first nodes of the placement list that are up; among nodes of equal rank the recording itself decides
// (rendezvous hashing: each node's weight is a hash of node and session), so recordings spread evenly and all chunks of
// one end up on the same nodes. A node that goes away for a while keeps counting: it comes back with what it has. Only
// when it is gone for longer than `repair_after`, copies are made elsewhere; those that are too many then are left alone.
//
// Nothing is remembered on disk. Who holds what is asked after each start, and of each node that comes back.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "messages/replication.hpp"

namespace lucid {

struct replication_limits {
  std::uint32_t copies = 2;                           ///< replication.copies
  std::vector<std::string> preference = {"*"};        ///< placement.replicas
  std::chrono::nanoseconds repair_after = std::chrono::minutes(10);
  std::size_t puts_per_peer_max = 2;                  ///< Each is a chunk in memory here and there.
  std::size_t asks_per_peer_max = 2;                  ///< Of the small requests.
  std::chrono::nanoseconds retry_min = std::chrono::seconds(1); ///< After a failure; doubles each time.
  std::chrono::nanoseconds retry_max = std::chrono::seconds(60);
  std::chrono::nanoseconds refusal_retry = std::chrono::seconds(10);
  std::uint32_t failures_max = 3;                     ///< In a row; then others are asked instead, until it answers again.
  std::size_t removals_max = 10'000;                  ///< Sessions to be removed from nodes that are down.
};

/// A node of the cluster other than ourselves. Those that are on the list no more are not given.
struct replica_member {
  node_id id{};
  std::string name;
  bool up = false;
};

/// How far the row of a recording is, as far as holders have to know.
struct news_mark {
  std::uint8_t state = 0;
  bool has_manifest = false;
  bool has_anchor = false;
  friend bool operator==(const news_mark&, const news_mark&) = default;
};

/// To be done. Each is under way until it is answered or has failed.
struct have_action {
  node_id to{};
  session_id session{};
  std::uint32_t from = 0; ///< Place of the first of `chunks`.
  std::vector<chunk_mark> chunks;
};
struct put_action {
  node_id to{};
  chunk_record record;
};
struct news_action {
  node_id to{};
  session_id session{};
  news_mark news;
};
struct remove_action {
  node_id to{};
  session_id session{};
};
using replication_action = std::variant<have_action, put_action, news_action, remove_action>;

/// Threads: none. One owner calls it. Units: times are monotonic. Memory: some 200 bytes a chunk.
class replication_core {
public:
  using time = std::chrono::nanoseconds;

  explicit replication_core(replication_limits limits) : limits_(std::move(limits)) {}

  // --- what is known -------------------------------------------------------------------------------------------------
  void set_members(const std::vector<replica_member>& members, time now);
  /// A recording of ours, new or changed.
  void set_session(const session_id& session, const news_mark& news);
  /// Its chunks so far, or those that are new. One that is known changes nothing; of each track in order.
  void add_chunks(const session_id& session, const std::vector<chunk_record>& records);
  /// It was removed here: to be removed everywhere.
  void remove_session(const session_id& session);

  // --- what is to be done ----------------------------------------------------------------------------------------------
  std::vector<replication_action> next(time now);

  // --- what came of it -------------------------------------------------------------------------------------------------
  void done(const have_action& what, const replica_have& answer);
  void done(const put_action& what);
  void done(const news_action& what, const news_mark& held);
  void done(const remove_action& what);
  /// Tried again after a while. `missing_here`: a chunk is not, since we do not have it as it was any
  /// more ourselves: not before the next start.
  void failed(const replication_action& what, time now, bool missing_here = false);
  /// The holder takes nothing of this session, such as one that it keeps for another node: it is asked again after
  /// `refusal_retry`. That says nothing of its other sessions.
  void refused(const replication_action& what, time now);
  /// A holder turned out not to have a chunk, or not as it was.
  void lost(const node_id& holder, const chunk_key& key);

  // --- looking at it ---------------------------------------------------------------------------------------------------
  /// One of the chunks that `holder` has, evenly picked by `random`; none if it has none.
  std::optional<chunk_record> pick_held(const node_id& holder, std::uint64_t random) const;
  /// The place of a chunk among all of its recording, tracks in order.
  std::uint32_t position_of(const chunk_key& key) const;
  std::optional<news_mark> news_of(const session_id& session) const;
  std::uint32_t next_index(const session_id& session, track on) const; ///< Of the chunk that is not known yet.
  std::uint32_t chunk_count(const session_id& session) const;
  std::vector<session_id> sessions() const;
  /// Whether the recording is final, and every chunk and the news are where they should be.
  bool is_settled(const session_id& session) const;
  bool holds_any(const node_id& node, const session_id& session) const;
  /// The chunks from a place on: as many as have `bytes_max` together, but at least one, and at most `count_max`.
  std::vector<chunk_mark> page(const session_id& session, std::uint32_t from, std::uint64_t bytes_max, std::size_t count_max) const;
  /// Those of `chunks` that a node has, as far as is known.
  std::vector<chunk_mark> held_of(const node_id& node, const session_id& session, const std::vector<chunk_mark>& chunks) const;
  /// Without what only the actor knows: challenges, failures.
  replication_status status() const;

private:
  enum class survey : std::uint8_t { unknown, asked, known };
  struct holding {
    survey at = survey::unknown;
    std::uint32_t asked_up_to = 0;   ///< Places before it have been answered.
    std::vector<bool> held;          ///< By place; shorter than `chunks`: not held.
    std::vector<bool> under_way;     ///< Puts.
    news_mark news;                  ///< What it has.
    bool news_under_way = false;
    std::optional<time> refused_until; ///< It takes nothing of this session until then.
  };
  struct tracked {
    news_mark news;
    std::vector<chunk_record> chunks;                ///< In the order in which they got known: a place never changes.
    std::array<std::vector<std::uint32_t>, 2> place; ///< By track and index.
    std::map<node_id, holding> holders;
    std::set<std::uint32_t> unavailable;             ///< Places of chunks that we do not have any more ourselves.
    std::uint32_t done_up_to = 0;                    ///< Chunks before it have their copies, as long as nothing is lost.
    bool open = true;                                ///< Something may be to do.
  };
  struct member {
    std::string name;
    bool up = false;
    std::optional<time> down_since;
    bool written_off = false;        ///< Down for longer than repair_after: its copies do not count.
    std::size_t rank = 0;
    bool eligible = false;           ///< Named by the placement list.
    std::size_t puts = 0, asks = 0;  ///< Under way.
    std::uint32_t failures = 0;      ///< In a row; those that were under way together are one.
    std::optional<time> retry_at;
    bool stood_in_for = false;       ///< Until its wait is over.
  };

  std::vector<node_id> candidates(const session_id& session) const;
  void try_again(time now);
  bool has_room(time now) const;
  bool ready(const member& m, time now) const { return m.up && (!m.retry_at || *m.retry_at <= now); }
  /// One that fails again and again is tried when its wait is over; until then others stand in for it.
  bool can_serve(const member& m) const { return m.up && m.eligible && !m.stood_in_for; }
  bool counts(const member& m) const { return m.up || (m.down_since && !m.written_off); }
  void look_at(const session_id& id, tracked& s, time now, std::vector<replication_action>& out);
  std::optional<std::uint32_t> place_of(const tracked& s, const chunk_key& key) const;
  member* member_of(const node_id& id);
  void succeeded(const node_id& id);
  static void forgive(member& m);
  void blame(member& m, time now);
  void not_done(const replication_action& what, bool missing_here);
  void open_all();
  static void reopen(tracked& s);

  static constexpr std::size_t waiting_max = 64;    ///< Copies of a session that may wait before the rest is left for later.
  static constexpr std::size_t looked_at_max = 512; ///< Open sessions in one call: about a millisecond.

  replication_limits limits_;
  std::optional<session_id> cursor_; ///< The session looked at last.
  std::map<node_id, member> members_;
  std::map<session_id, tracked> sessions_;
  std::map<session_id, std::set<node_id>> removals_; ///< Who has still to be told.
  std::set<std::pair<session_id, node_id>> removals_under_way_;
};

} // namespace lucid
