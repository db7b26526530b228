// actors/mesh/network_core.hpp - what this node says to nodes of other operators, and takes from them; pure logic.
//
// Signed statements and nothing else: who is there, under which keys, at which addresses. Source: docs/mesh.md, "Network ring".
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "actors/mesh/envelope.hpp"
#include "actors/mesh/link_core.hpp"
#include "actors/mesh/node_statement.hpp"
#include "actors/mesh/peer_quota.hpp"

namespace lucid {

/// A node of another operator that may connect; with an address this node connects to it.
struct network_peer {
  transport_key key{};
  std::string address; ///< mesh_address; may be empty.
  friend bool operator==(const network_peer&, const network_peer&) = default;
};

/// "<64 hexadecimal digits>", or that with "@tcp://HOST:PORT" or "@tor://..." behind it. Errors: `invalid_input`.
outcome<network_peer> parse_network_peer(std::string_view text);

struct network_settings {
  std::string software;                                           ///< At most network_software_bytes_max; "lucid 0.1.0".
  std::chrono::nanoseconds hello_patience = std::chrono::seconds(10);
  std::chrono::nanoseconds list_interval = std::chrono::seconds(30); ///< Between two peer lists on one link.
  std::chrono::nanoseconds dial_interval = std::chrono::seconds(1);  ///< Between two looks at whom to dial.
  std::chrono::nanoseconds retry_min = std::chrono::milliseconds(250);
  std::chrono::nanoseconds retry_max = std::chrono::minutes(1);
};

/// What is to be done after an input.
struct network_outputs {
  struct envelope {
    link_id to = 0;
    byte_buffer bytes; ///< Sealed.
  };
  struct refusal {
    link_id link = 0;
    peer_offence offence{};
    error why;
  };
  std::vector<envelope> send;
  std::vector<link_id> close;      ///< Nothing to blame: a second link to one peer, or one that stays mute.
  std::vector<refusal> refused;    ///< The link is to be closed, and its key to be penalised.
};

struct network_counts {
  std::uint64_t statements_taken = 0;   ///< New, or newer than what was known.
  std::uint64_t statements_ignored = 0; ///< Known, older, our own, or of a member of our cluster.
  std::uint64_t refused = 0;            ///< Envelopes.
};

/// The network ring of one node.
///
/// Each side draws an epoch for each link and tells it in its hello: what the other signs from then on has it in. The hello
/// has the sender's own statement, whose transport key must be the key of the link, and whose signing key signs the
/// envelope. Then each tells the other the statements that it knows, in parts of network_statements_max, what is new each
/// list_interval. A statement is taken for what it is, a claim of the node that signed it: nothing is let in or dialled by it.
///
/// Identities cost nothing, so a peer that makes up thousands displaces its own tales alone: of what one peer told
/// told_by_one_max are kept. Members of our cluster are neither told of nor taken.
///
/// Threads: none. One owner calls it. Times are monotonic.
class network_core {
public:
  using time = std::chrono::nanoseconds;
  static constexpr std::size_t known_max = 512;      ///< Statements; the one that was heard of longest ago goes.
  static constexpr std::size_t told_by_one_max = 128; ///< Of those, by one peer.
  static constexpr std::size_t links_per_peer_max = 2; ///< One that each side dialled, until one of them is chosen.

  /// Addresses among `peers` are such as this node can dial.
  network_core(std::shared_ptr<const sign_key> self, network_settings settings, const std::vector<network_peer>& peers);

  bool is_peer(const transport_key& key) const { return peers_.contains(key); }

  /// This node's own transport key: of two links between two peers, that which the lower key dialled counts.
  /// Changes with a rotation, when all links end; whom to dial begins anew.
  void set_own_key(const transport_key& key, time now);
  /// What this node says of itself, signed by it. Without it there is no hello.
  network_outputs set_own(const node_statement& mine, time now);
  /// Of the cluster, this node may be among them. What is known of them is forgotten.
  void set_members(std::set<node_id> members);

  /// The attempts to begin now; each is answered by `dialling` or `dial_failed`.
  std::vector<link_dial> due(time now);
  void dialling(const std::string& name, link_id link);
  void dial_failed(const std::string& name, time now);

  /// REQUIRES: `is_peer(key)`, a link that is new, `epoch` random and not 0.
  network_outputs up(link_id link, const transport_key& key, bool dialled, std::uint64_t epoch, time now);
  void down(link_id link, time now);

  /// A whole envelope, as it came, of a link that was told of by `up`.
  network_outputs heard(link_id link, byte_view bytes, time now);

  /// Lists that are due, and links that stay mute. To be called each second or so.
  network_outputs tick(time now);

  /// How long an envelope of this link may be at present.
  std::size_t content_bytes_max(link_id link) const;

  std::optional<node_id> who(link_id link) const;
  std::size_t linked() const; ///< Peers that have said who they are.
  std::vector<node_statement> known() const; ///< By id.
  const network_counts& counts() const noexcept { return counts_; }

private:
  struct peer_link {
    transport_key key{};
    bool dialled = false;
    time since{};
    envelope_counter counter;    ///< Of theirs; its epoch is the one we drew.
    std::uint64_t sent = 0;
    bool greeted = false;        ///< By us.
    std::optional<node_id> who;  ///< By their hello.
    sign_public_key sign{};
    std::uint64_t epoch = 0;     ///< That they drew.
    std::uint64_t told = 0;      ///< Up to this revision.
    std::optional<time> list_at; ///< When the last one was sent.
  };
  struct known_node {
    node_statement statement;
    transport_key from{};        ///< The peer that told of it.
    time heard_at{};
    std::uint64_t revision = 0;
  };

  void greet(link_id id, peer_link& one, network_outputs& out);
  outcome<void> take_envelope(link_id id, peer_link& one, byte_view bytes, time now, network_outputs& out);
  outcome<void> take_hello(link_id id, peer_link& one, const envelope_head& head, byte_view bytes, time now,
                           network_outputs& out);
  outcome<void> take_list(peer_link& one, byte_view bytes, time now);
  void take_statement(node_statement statement, const transport_key& from, time now);
  void make_room(const transport_key& from);
  bool is_linked(const node_id& id) const;
  void tell(link_id id, peer_link& one, time now, network_outputs& out);
  void send(link_id id, peer_link& one, network_message type, byte_view content, network_outputs& out);

  std::shared_ptr<const sign_key> sign_;
  node_id self_{};
  network_settings settings_;
  std::map<transport_key, network_peer> peers_; ///< At most 256: the bound of mesh.network_peers.
  std::optional<link_core> dials_;
  time next_look_{};
  std::optional<node_statement> own_;
  std::uint64_t own_revision_ = 0;
  std::uint64_t revision_ = 0;
  std::set<node_id> members_;
  std::map<link_id, peer_link> links_;
  std::map<node_id, known_node> known_;
  network_counts counts_;
};

} // namespace lucid
