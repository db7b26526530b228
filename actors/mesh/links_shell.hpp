// actors/mesh/links_shell.hpp - the state of mesh/links, and what it does; private to this folder.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <caf/all.hpp>

#include "actors/mesh/links_actor.hpp"
#include "actors/mesh/envelope.hpp"
#include "actors/mesh/envelope_frames.hpp"
#include "actors/mesh/invitation_book.hpp"
#include "actors/mesh/join_message.hpp"
#include "actors/mesh/lease_codec.hpp"
#include "actors/mesh/lease_core.hpp"
#include "actors/mesh/link_core.hpp"
#include "actors/mesh/link_messages.hpp"
#include "actors/mesh/membership_core.hpp"
#include "actors/mesh/mesh_address.hpp"
#include "actors/mesh/network_core.hpp"
#include "actors/mesh/peer_quota.hpp"
#include "messages/mesh_api.hpp"
#include "messages/paths.hpp"
#include "messages/tor_api.hpp"
#include "runtime/actor_task.hpp"
#include "runtime/directory/ref.hpp"
#include "runtime/inspection/supervised.hpp"
#include "runtime/log/log.hpp"
#include "runtime/owed_answer.hpp"
#include "runtime/reply.hpp"
#include "runtime/supervision/spawn_child.hpp"

namespace lucid {

using time_point = std::chrono::nanoseconds; ///< Of the monotonic clock.
using ack_promise = owed_answer<cluster_ack>;

inline constexpr std::chrono::milliseconds tick_interval{50};
/// From a link's first frame to its hello; over Tor a round trip takes seconds.
inline constexpr std::chrono::seconds hello_patience{10};

/// An onion service is looked for first.
inline constexpr std::chrono::seconds join_dial_patience{100};

/// So that a member that is removed hears of it before its links end.
inline constexpr std::chrono::milliseconds farewell{300};

/// So that peers have heard of the new key over the links of the old one.
inline constexpr std::chrono::seconds rekey_after{2};

inline constexpr std::chrono::seconds tor_look_interval{1};
inline constexpr std::chrono::seconds tor_patience{15};
inline constexpr std::chrono::milliseconds dial_retry_min{250};
inline constexpr std::chrono::seconds dial_retry_max{10};
/// A preferred node gets its place back after so many lease times.
inline constexpr int return_after_factor = 15;

/// A link, as long as the transport has it.
struct link_state {
  transport_key key{};
  bool dialled = false;
  bool network = false;        ///< Of another operator's node: its envelopes are network_core's.
  bool outsider = false;       ///< That, or one with an invitation: the quota for strangers counts.
  bool ended = false;          ///< It is being closed: nothing more of it is looked at.
  bool over_quota = false;     ///< That was noted.
  std::optional<node_id> who;  ///< Once it has said so, and it was found to be true.
  std::optional<node_id> joiner_of; ///< We dialled it with an invitation of this node.
  std::optional<sign_public_key> inviter_key; ///< Of that node, once it has said hello.
  bool leaving = false;        ///< Its node was removed: what it says is not heard any more.
  envelope_reader reader;
  envelope_counter heard;      ///< Replays are refused.
  std::uint64_t sent = 0;      ///< Envelopes.
  time_point since{};
};

/// What is known of a member beside its statement.
struct member_state_now {
  bool up = false;
  unix_time_us since_us = 0;
  time_point up_since{};
  std::uint32_t round_trip_us = 0;
};

/// A wish to join, under way.
struct joining {
  invitation with;
  ack_promise promise;
  std::optional<link_id> link;
  std::size_t attempts = 0;
  time_point until{};
};

struct links_state {
  static inline const char* name = "links";
  links_options options;
  node_id self{};
  std::optional<mesh_store> store;
  std::optional<transport_keys> keys;
  std::optional<membership_core> membership; ///< None: this node stands alone.
  std::optional<lease_core> leases;
  std::optional<placement_core> placement;
  std::optional<link_core> peers;
  std::optional<network_core> network;
  peer_quota member_quota, outsider_quota; ///< For all links, by their keys.
  std::set<transport_key> banned;          ///< Not let in, until their time is over.
  invitation_book book;
  std::map<link_id, link_state> links;
  std::map<node_id, member_state_now> members;
  std::optional<joining> join;
  tor_status tor;
  std::optional<std::vector<box_public_key>> onion_clients; ///< Published for these; none: not yet.
  std::set<std::string> onions_authorised; ///< Of peers.
  ref<tor_api> tor_ref;
  std::size_t farewells = 0;   ///< Under way: until then the list of keys stays as it is.
  std::size_t chunk_attempts = 0; ///< Dials for chunks: a peer's addresses take turns.
  time_point next_beat{}, next_tor_look{};
  std::uint64_t heard_count = 0, said_count = 0, refused_count = 0, dropped_count = 0, over_quota_count = 0, ban_count = 0;
  std::string last_refusal, last_trouble;
  std::set<std::string> not_let_in_by; ///< Members that do not know this node's key (any more).
};
using links_self = links_api::stateful_pointer<links_state>;

/// Carries what comes to the cores, and what they decide to the links and to the disk. A value: copied into continuations, which
/// run inside the actor. Threads: the actor's.
struct links_shell {
  links_self self;
  const clock_port* clock;
  random_port* random;
  std::string path;
  links_state& state() const { return self->state; }
  const links_options& options() const { return self->state.options; }
  time_point now() const { return clock->monotonic(); }
  unix_time_us wall() const { return clock->wall_us(); }

  // The first moment: actors/mesh/links_actor.cpp.
  outcome<void> begin() const;
  void begin_network() const;
  outcome<void> restore_cluster() const;
  outcome<void> open_cluster(cluster_origin origin) const;
  outcome<void> begin_leases() const;
  /// Links of an earlier incarnation are ended: their peers say anew who they are.
  void listen_to_links() const;

  // What the cores want done: actors/mesh/links_actor.cpp.
  outcome<void> carry_out(const membership_effects& effects) const;
  /// A disk that fails ends the actor: it must not say what it has not kept.
  void carry_out_or_quit(const membership_effects& effects) const;
  void carry_out(const lease_outputs& out) const;
  void tell(const lease_event& event) const;
  /// Nothing of a removed member is heard or passed on from now on; its links end when it has been told.
  void part_with(const std::vector<node_id>& removed) const;
  /// Removed from the list: nothing of the cluster is left here but what was recorded.
  void leave() const;

  // Keys and addresses: actors/mesh/links_addresses.cpp.
  std::vector<std::string> own_addresses(std::uint16_t port, const std::vector<std::string>& plain) const;
  node_statement own_statement() const;
  /// To the network ring. Its numbers are the time in microseconds: they need no place on the disk.
  void announce_to_network() const;
  void announce() const;
  /// A member that moved says so on the local network. Of others, and of what is no newer, nothing is taken.
  void heard_beacon(byte_view bytes) const;
  bool usable(const std::string& address) const;
  std::vector<std::string> usable(const std::vector<std::string>& addresses) const;
  /// Members that have said where they are, and nodes of the files that have not.
  std::vector<link_target> targets() const;
  transport_key_pair file_key(const std::string& name) const;
  /// A key that a node of another operator has is not a member's, whatever a statement says.
  bool is_member_key(const transport_key& key) const { return !state().network->is_peer(key) && !state().banned.contains(key); }
  void set_targets() const;
  void set_lease_members() const;

  // Links: actors/mesh/links_envelopes.cpp.
  void up(link_id link, const transport_key& peer, bool dialled) const;
  /// Random, and not 0.
  std::uint64_t draw_number() const;
  node_statement stamped(node_statement what) const;
  void down(link_id link, const error& why) const;
  void not_let_in(link_id link) const;
  void parted(const node_id& id, link_id link, const error& why) const;
  void refused_link(const link_refusal& refusal) const;
  void note(std::string_view kind, const std::string& what) const;
  /// Nothing more of it is looked at; `down` follows.
  void end(link_id link, link_state& one) const;

  // Those who break the rules: actors/mesh/links_envelopes.cpp.
  /// The peer broke the rules: its link ends.
  void breach(link_id link, const error& why) const { breach(link, why, offence_of(why)); }
  void breach(link_id link, const error& why, peer_offence offence) const;
  peer_quota& quota_of(const link_state& one) const { return one.outsider ? state().outsider_quota : state().member_quota; }
  bool is_banned(const transport_key& key) const;
  /// It is not let in until its time is over: the transport refuses it before it can say anything.
  void ban(const transport_key& key) const;
  void end_bans() const;
  /// Before anything of an envelope is kept.
  bool admit(link_state& one, std::size_t bytes, std::uint32_t cost) const;

  // Nodes of other operators: actors/mesh/links_envelopes.cpp.
  void carry_out(const network_outputs& out) const;

  // Envelopes: actors/mesh/links_envelopes.cpp.
  void say(const node_id& to, mesh_message type, byte_buffer content) const;
  void send(link_id link, link_state& one, mesh_message type, byte_view content) const;
  void put(link_id link, link_state& one, byte_view sealed) const;
  void frame(link_id link, byte_view bytes) const;
  /// Who has not said who it is may say no more than the largest message that does.
  envelope_bounds bounds_of(link_id link, const link_state& one) const;
  void envelope(link_id link, link_state& one, byte_view bytes) const;
  /// Who has not said who it is may do that alone; who has may not be another.
  outcome<void> check_expected(const link_state& one, const envelope_head& head) const;
  /// The key that the envelope must be signed by. Those who are not known yet bring their own: their id follows from it.
  outcome<sign_public_key> key_of(const link_state& one, mesh_message type, const envelope_head& head, byte_view bytes) const;
  outcome<sign_public_key> opening_key(const link_state& one, mesh_message type, byte_view content) const;
  outcome<void> dispatch(link_id link, link_state& one, mesh_message type, const node_id& from, byte_view content) const;

  // Hello: actors/mesh/links_envelopes.cpp.
  void greet(link_id link, link_state& one) const;
  outcome<void> heard_hello(link_id link, link_state& one, const node_id& from, byte_view content) const;
  /// The present key, one that was replaced a while ago, or, in a cluster by files, the first one.
  bool is_key_of(const node_id& id, const std::string& name, const transport_key& key, const node_statement& statement) const;
  void met(link_id link, const link_state& one, const node_id& id, const std::string& name) const;

  // Heartbeats: actors/mesh/links_envelopes.cpp.
  void beat(link_id link, link_state& one) const;
  outcome<void> heard_beat(link_id link, link_state& one, const node_id& from, byte_view content) const;

  // Membership and leases: actors/mesh/links_envelopes.cpp.
  outcome<void> heard_membership(const node_id& from, byte_view content) const;
  outcome<void> heard_lease(const node_id& from, byte_view content) const;
  void place() const;

  // Time: actors/mesh/links_actor.cpp.
  void tick() const;
  void on_beat() const;
  /// Whoever connects and does not say who it is, or says it to nobody's use.
  void end_mute_links() const;
  /// Whether anybody can be dialled now: a node on Tor alone waits for it.
  bool can_dial() const { return options().ways.tcp || state().tor.ready; }
  bool can_dial(const std::string& address) const { return !is_onion(address) || state().tor.ready; }
  static bool is_onion(const std::string& address) { return address.starts_with("tor://"); }
  /// To that address, by the way that it takes.
  dial_request request_to(const std::string& address, const transport_key& peer_key) const;
  void dial() const;
  void dial_network() const;
  std::optional<link_id> dial(const link_dial& wish) const;
  /// Chunks go between those who are linked already; the same side dials.
  void dial_chunks() const;

  // Tor: actors/mesh/links_addresses.cpp.
  void look_at_tor() const;
  void tor_is(const tor_status& found) const;
  /// Whom the onion service lets in: the members that come over Tor. While an invitation is open, or its joiner may ask
  /// again, whoever has the address: it stands in the invitation, and CURVE lets in nobody else.
  std::vector<box_public_key> wanted_clients() const;
  void publish_onion() const;
  /// Has this node's key shown to the onion services of members.
  void authorise_onions() const;
  void renew_circuits() const;
  std::vector<onion_port> onion_ports() const;

  // Wishes of the operator: actors/mesh/links_wishes.cpp.
  outcome<void> check_alone() const;
  outcome<void> check_in_cluster() const;
  outcome<cluster_ack> init(const cluster_init_request& wish) const;
  cluster_ack ack(std::string text) const;
  outcome<cluster_invitation> invite(const cluster_invite_request& wish) const;
  cluster_invitations invitations() const { return {state().book.open(wall())}; }
  outcome<cluster_ack> uninvite(const cluster_uninvite_request& wish) const;
  outcome<cluster_ack> remove(const cluster_remove_request& wish) const;
  outcome<node_id> find_member(const std::string& who) const;

  // Joining: who wants to come in: actors/mesh/links_wishes.cpp.
  void begin_join(const cluster_join_request& wish, const ack_promise& promise) const;
  void dial_inviter() const;
  void join_later() const;
  void join_again(const error& why) const;
  void end_join(outcome<cluster_ack> result) const;
  void end_join(const error& why) const { end_join(outcome<cluster_ack>(tl::unexpected(why))); }
  outcome<void> heard_join_answer(link_id link, byte_view content) const;
  outcome<void> take_membership(const join_accepted& answer) const;

  // Joining: who is asked: actors/mesh/links_wishes.cpp.
  outcome<void> heard_join(link_id link, link_state& one, byte_view content) const;
  outcome<join_accepted> admit(const link_state& one, const join_request& request) const;

  // New keys: actors/mesh/links_addresses.cpp.
  void rotate(const keys_rotate_request& wish, const ack_promise& promise) const;
  void rekey() const;

  // What others see: actors/mesh/links_actor.cpp.
  void show() const;
  member_view shown(const listed_member& one) const;
  state_fields tell_state() const;
};

} // namespace lucid
