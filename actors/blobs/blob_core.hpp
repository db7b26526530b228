// actors/blobs/blob_core.hpp - blobs to and from peers: offered, cut into pieces under credit, put together; pure logic.
//
// A sender offers a blob; the receiver answers how much of it it has (0 the first time), and gets the rest in order, in
// pieces that fit into a frame, several blobs to a peer taking turns. Both sides survive the loss of the link at any
// moment: the sender offers again, the receiver still has what came. At the end the receiver compares the hash; only then
// the sender hears that it is done.
//
// The credit of a peer bounds what is on the wire and in queues of the link; what is put together is bounded for itself.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "actors/blobs/blob_frames.hpp"
#include "adapters/blake3/blake3_hasher.hpp"

namespace lucid {

struct blob_limits {
  std::uint64_t credit_bytes = 1u << 20;         ///< mesh.chunk_credit_bytes: pieces under way from one peer.
  std::uint64_t bytes_per_second_max = 0;        ///< replication.bytes_per_second_max: of pieces to all peers; 0: no bound.
  std::size_t sends_per_peer_max = 64;           ///< Blobs that wait to be sent; the bytes are shared with who asked.
  std::size_t offers_per_peer_max = 4;           ///< Of them at a time on their way.
  std::size_t partial_per_peer_max = 4;          ///< Being put together; each at most 17 MiB.
  std::uint64_t memory_bytes_max = 256ull << 20; ///< Put together and unclaimed, from all peers.
  std::size_t takes_max = 1024;                  ///< Who waits for blobs to arrive.
  std::chrono::nanoseconds partial_kept = std::chrono::seconds(60);   ///< Without a new piece, of a peer that is up or not.
  std::chrono::nanoseconds unclaimed_kept = std::chrono::seconds(60); ///< From its arrival.
  std::chrono::nanoseconds take_patience = std::chrono::seconds(60);
  std::chrono::nanoseconds idle_max = std::chrono::seconds(30);       ///< A send without progress is given up then.
  std::chrono::nanoseconds retry_after = std::chrono::milliseconds(200); ///< Until a refused blob is offered again.
  std::uint32_t corrupted_max = 3;               ///< So often it may arrive changed; then something is wrong for good.
};

/// What has to be done after a call, in this order: frames first, since a cut makes them worthless.
struct blob_effects {
  struct frame {
    node_id to{};
    byte_buffer bytes;
  };
  struct cut {
    node_id peer{};
    error why;
  };
  struct sent {
    std::uint64_t token = 0; ///< As given to `send`.
    outcome<blob_ref> result;
  };
  struct taken {
    std::uint64_t token = 0;
    outcome<payload> result;
  };
  std::vector<frame> frames;
  std::vector<cut> cuts; ///< Peers that broke the rules. The core treats them as down from here on.
  std::vector<sent> sends;
  std::vector<taken> takes;
  bool empty() const noexcept { return frames.empty() && cuts.empty() && sends.empty() && takes.empty(); }
};

/// Counted since the start. Bytes are of pieces.
struct blob_counters {
  std::uint64_t sent_bytes = 0, received_bytes = 0;
  std::uint64_t sent_count = 0, received_count = 0; ///< Whole blobs.
  std::uint64_t resumed_count = 0;                  ///< Sends that went on in the middle.
  std::uint64_t refused_count = 0, corrupted_count = 0, dropped_count = 0, violations = 0;
};

/// Threads: none. One owner calls it. Units: times are monotonic and never fall.
class blob_core {
public:
  using time = std::chrono::nanoseconds;

  explicit blob_core(const blob_limits& limits) : limits_(limits) {}

  // --- the links; calls add to `out` what follows --------------------------------------------------------------------
  void up(const node_id& peer, time now, blob_effects& out);
  void down(const node_id& peer, time now);
  void frame(const node_id& peer, byte_view bytes, time now, blob_effects& out);

  // --- what is asked of it; exactly one `sent` or `taken` follows for each token ---------------------------------------
  /// `content` is the hash of `bytes`.
  void send(std::uint64_t token, const node_id& to, const blob_id& id, payload bytes, const digest& content, time now,
            blob_effects& out);
  void take(std::uint64_t token, const node_id& from, const blob_ref& what, time now, blob_effects& out);
  /// Nobody waits for any answer any more. Peers are told; what has arrived stays until its time is up.
  void forget_asked(blob_effects& out);

  /// Does what is due: sends what the bandwidth allows now, offers again, lets go of what waited too long.
  void tick(time now, blob_effects& out);
  /// When `tick` has something to do; none: only a call of another kind changes anything.
  std::optional<time> wake_at() const;

  const blob_counters& counters() const noexcept { return counters_; }
  std::uint64_t memory_bytes() const noexcept { return memory_; } ///< Reserved for partial and unclaimed blobs.
  std::size_t sending_count() const noexcept;

private:
  enum class stage : std::uint8_t { waiting, offered, active };
  struct outgoing {
    std::uint64_t token = 0;
    blob_ref what;
    payload bytes;
    stage at = stage::waiting;
    std::uint64_t offset = 0; ///< Of the next piece.
    time retry_at{0};         ///< Not offered before.
    time progress_at{0};
    std::uint32_t corrupted_count = 0;
  };
  struct incoming {
    blob_ref what;
    byte_buffer bytes;
    blake3_hasher hash;
    time progress_at{0};
    bool accepted = false; ///< On the present link: pieces may come.
  };
  struct arrived {
    blob_ref what;
    payload bytes;
    time until{0};
  };
  struct peer_state {
    bool up = false;
    std::uint64_t may_send = 0;    ///< Credit that the peer gave us.
    std::uint64_t may_receive = 0; ///< Credit that it has from us and has not used.
    std::uint64_t owed = 0;        ///< To be given back.
    time progress_at{0};           ///< The last piece or whole blob that it took.
    time down_at{0};
    std::deque<outgoing> sends;    ///< In turn: the front one sends next.
    std::map<blob_id, incoming> partial;
    std::map<blob_id, arrived> whole;
    std::deque<blob_id> finished;  ///< The last ones that were claimed: an offer of them again is answered by `done`.
  };
  struct waiting_take {
    std::uint64_t token = 0;
    node_id from{};
    blob_ref what;
    time until{0};
  };
  static constexpr std::size_t finished_max = 64;

  void say(const node_id& to, const blob_frames::frame& what, blob_effects& out);
  void violation(const node_id& peer, std::string what, time now, blob_effects& out);
  void take_link_down(peer_state& peer, time now);
  void offer_more(const node_id& to, peer_state& peer, time now, blob_effects& out);
  void pump(time now, blob_effects& out);
  bool send_piece(const node_id& to, peer_state& peer, time now, blob_effects& out);
  void refill(time now);
  void give_credit(const node_id& to, peer_state& peer, bool at_once, blob_effects& out);
  void finish_send(peer_state& peer, std::deque<outgoing>::iterator which, outcome<blob_ref> result, blob_effects& out);
  std::deque<outgoing>::iterator find_send(peer_state& peer, const blob_id& id);

  void on(const blob_frames::offer& f, const node_id& from, peer_state& peer, time now, blob_effects& out);
  void on(const blob_frames::accept& f, const node_id& from, peer_state& peer, time now, blob_effects& out);
  void on(const blob_frames::refuse& f, const node_id& from, peer_state& peer, time now, blob_effects& out);
  void on(const blob_frames::piece& f, const node_id& from, peer_state& peer, time now, blob_effects& out);
  void on(const blob_frames::credit& f, const node_id& from, peer_state& peer, time now, blob_effects& out);
  void on(const blob_frames::done& f, const node_id& from, peer_state& peer, time now, blob_effects& out);
  void on(const blob_frames::abort& f, const node_id& from, peer_state& peer, time now, blob_effects& out);

  void arrive(const node_id& from, peer_state& peer, std::map<blob_id, incoming>::iterator which, time now, blob_effects& out);
  void drop_partial(peer_state& peer, std::map<blob_id, incoming>::iterator which);
  void settle_takes(const node_id& from, peer_state& peer, blob_effects& out);
  void note_finished(peer_state& peer, const blob_id& id);
  bool bandwidth_bound() const noexcept { return limits_.bytes_per_second_max != 0; }

  blob_limits limits_;
  std::map<node_id, peer_state> peers_; ///< Bounded by the links' owner; those that are down and empty are let go of.
  std::optional<node_id> turn_;         ///< The peer that sent last.
  std::vector<waiting_take> takes_;
  std::uint64_t memory_ = 0;
  double tokens_ = 0;
  time refilled_at_{0};
  blob_counters counters_;
};

} // namespace lucid
