// actors/mesh/links_actor.cpp - envelopes to the cores and back; what they decide to the links and to the disk.
#include "actors/mesh/links_actor.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <caf/all.hpp>

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
namespace {

using namespace std::chrono_literals;
using time_point = std::chrono::nanoseconds; ///< Of the monotonic clock.
using ack_promise = owed_answer<cluster_ack>;

constexpr auto tick_interval = 50ms;
constexpr auto hello_patience = 10s;       ///< From a link's first frame to its hello; over Tor a round trip takes seconds.
constexpr auto join_dial_patience = 100s;  ///< An onion service is looked for first.
constexpr auto farewell = 300ms;          ///< So that a member that is removed hears of it before its links end.
constexpr auto rekey_after = 2s;           ///< So that peers have heard of the new key over the links of the old one.
constexpr auto tor_look_interval = 1s;
constexpr auto tor_patience = 15s;
constexpr auto dial_retry_min = 250ms;
constexpr auto dial_retry_max = 10s;
constexpr int return_after_factor = 15;    ///< A preferred node gets its place back after so many lease times.

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
  time_point next_beat{}, next_tor_look{};
  std::uint64_t heard_count = 0, said_count = 0, refused_count = 0, dropped_count = 0, over_quota_count = 0, ban_count = 0;
  std::string last_refusal, last_trouble;
};
using links_self = links_api::stateful_pointer<links_state>;

struct links_shell {
  links_self self;
  const clock_port* clock;
  random_port* random;
  std::string path;

  links_state& state() const { return self->state; }
  const links_options& options() const { return self->state.options; }
  time_point now() const { return clock->monotonic(); }
  unix_time_us wall() const { return clock->wall_us(); }

  // --- the first moment -------------------------------------------------------------------------------------------

  outcome<void> begin() const {
    auto& s = state();
    s.self = node_id_of(options().sign->public_key());
    auto store = options().open_store();
    if (!store) return pass_on(std::move(store));
    s.store.emplace(std::move(*store));
    auto keys = options().load_keys();
    if (!keys) return pass_on(std::move(keys));
    s.keys = std::move(*keys);
    s.member_quota = peer_quota(member_quota(options().heartbeat_interval));
    begin_network();
    auto invitations = s.store->invitations();
    if (!invitations) return pass_on(std::move(invitations));
    s.book.restore(*invitations);
    if (auto restored = restore_cluster(); !restored) return restored;
    s.peers.emplace(link_settings{options().name, options().peer_timeout, dial_retry_min, dial_retry_max});
    s.placement.emplace(placement_settings{s.self, options().heartbeat_interval, return_after_factor * options().lease_time});
    if (auto rules = s.placement->set_rules(options().roles); !rules) return rules;
    listen_to_links();
    announce();
    set_targets();
    show();
    tick();
    return {};
  }

  void begin_network() const {
    auto peers = options().network_peers;
    std::set<transport_key> keys;
    for (auto& peer : peers) {
      keys.insert(peer.key);
      if (!usable(peer.address)) peer.address.clear();
    }
    network_settings how;
    how.software = options().software;
    if (options().over_tor) how.hello_patience = join_dial_patience;
    state().network.emplace(options().sign, std::move(how), peers);
    state().network->set_own_key(state().keys->present.open, now());
    options().message_events->set_outsiders(std::move(keys));
  }

  outcome<void> restore_cluster() const {
    auto& s = state();
    auto stored = s.store->cluster();
    if (!stored) return pass_on(std::move(stored));
    cluster_origin origin;
    if (auto& files = options().by_files) {
      origin = files->secret.origin;
      if (!*stored || (*stored)->cluster_id != origin.cluster_id)
        if (auto begun = s.store->begin_cluster({origin.cluster_id, wall()}); !begun) return begun;
    } else if (*stored) {
      origin.cluster_id = (*stored)->cluster_id;
    } else {
      return {};
    }
    return open_cluster(std::move(origin));
  }

  outcome<void> open_cluster(cluster_origin origin) const {
    auto& s = state();
    auto entries = s.store->entries();
    if (!entries) return pass_on(std::move(entries));
    auto statements = s.store->statements();
    if (!statements) return pass_on(std::move(statements));
    member_list list(std::move(origin));
    auto merged = list.merge(*entries);
    for (auto& bad : merged.refused) log::error(path, "an entry of the list of members is not taken: {}", to_string(bad));
    s.membership.emplace(options().sign, std::move(list));
    s.membership->restore(*statements);
    if (options().by_files) {
      auto admitted = s.membership->admit_self(options().name, wall());
      if (!admitted) return pass_on(std::move(admitted));
      if (auto done = carry_out(*admitted); !done) return done;
    }
    return begin_leases();
  }

  outcome<void> begin_leases() const {
    auto& s = state();
    auto stored = s.store->leases();
    if (!stored) return pass_on(std::move(stored));
    std::vector<lease_promise> promises;
    for (auto& one : *stored) promises.push_back({{one.role, one.place}, one.number, one.holder});
    s.leases.emplace(lease_settings{s.self, draw_number(), options().lease_time, options().heartbeat_interval}, promises, now());
    set_lease_members();
    return {};
  }

  /// Links of an earlier incarnation are ended: their peers say anew who they are.
  void listen_to_links() const {
    auto weak = caf::actor_cast<caf::actor_addr>(self);
    auto inside = [weak](auto step) {
      if (auto there = caf::actor_cast<caf::actor>(weak)) run_inside(there, std::move(step));
    };
    auto left = options().message_events->attach(
      {[me = *this, inside](link_id link, const transport_key& peer, bool dialled) {
         inside([me, link, peer, dialled] { me.up(link, peer, dialled); });
       },
       [me = *this, inside](link_id link, const error& why) { inside([me, link, why] { me.down(link, why); }); },
       [me = *this, inside](link_id link, byte_buffer frame) {
         inside([me, link, frame = std::move(frame)] {
           me.frame(link, frame);
           me.options().message_events->handled(link, frame.size());
         });
       },
       [me = *this, inside](const link_refusal& refusal) { inside([me, refusal] { me.refused_link(refusal); }); },
       [me = *this, inside](byte_buffer statement) {
         inside([me, statement = std::move(statement)] { me.heard_beacon(statement); });
       },
       [me = *this, inside](link_id link, const error& why) {
         // No sound node has so much to say that it fills the inbox.
         inside([me, link, why] { me.breach(link, why, why.code == errc::busy ? peer_offence::oversized : offence_of(why)); });
       }});
    for (auto link : left) options().messages->close(link);
    options().table->clear();
  }

  // --- what the cores want done -------------------------------------------------------------------------------------

  outcome<void> carry_out(const membership_effects& effects) const {
    auto& s = state();
    if (!effects.keep_entries.empty() || !effects.keep_statements.empty() || !effects.forget_statements.empty())
      if (auto kept = s.store->put(effects.keep_entries, effects.keep_statements, effects.forget_statements); !kept) return kept;
    for (auto& one : effects.send) say(one.to, mesh_message::membership, encode_membership(one.what));
    if (effects.removed_self) leave();
    if (!effects.cut_off.empty()) part_with(effects.cut_off);
    if (effects.keys_changed || effects.members_changed) set_targets();
    if (effects.members_changed) {
      set_lease_members();
      show();
    }
    return {};
  }

  /// A disk that fails ends the actor: it must not say what it has not kept.
  void carry_out_or_quit(const membership_effects& effects) const {
    if (auto done = carry_out(effects); !done) self->quit(to_caf(done.error()));
  }

  void carry_out(const lease_outputs& out) const {
    auto& s = state();
    for (auto& letter : out.messages) say(letter.to, mesh_message::lease, encode_lease_message(letter.message));
    for (auto& event : out.events) tell(event);
    if (out.promises.empty()) return;
    bool done = true;
    for (auto& one : out.promises)
      if (auto kept = s.store->put_lease({one.lease.role, one.lease.place, one.number, one.holder}); !kept) {
        log::error(path, "a lease cannot be granted: {}", to_string(kept.error()));
        done = false;
      }
    carry_out(s.leases->persisted(out.promises, done, now()));
  }

  void tell(const lease_event& event) const {
    auto what = event.lease.role + (event.lease.place == 0 ? "" : " " + std::to_string(event.lease.place));
    if (event.gained) log::info(path, "this node has the role {} (lease {})", what, event.fence);
    else log::warn(path, "this node has the role {} no more (lease {})", what, event.fence);
  }

  /// Nothing of a removed member is heard or passed on from now on; its links end when it has been told.
  void part_with(const std::vector<node_id>& removed) const {
    auto& s = state();
    for (auto& [link, one] : s.links)
      if (one.who && std::find(removed.begin(), removed.end(), *one.who) != removed.end()) {
        one.leaving = true;
        options().table->erase(*one.who, link); // The gateway ends the tunnel's stream.
        options().chunk_events->cut(*one.who, {errc::permission_denied, "mesh", "removed from the cluster", nullptr});
      }
    ++s.farewells;
    run_later(self, farewell, [me = *this] {
      --me.state().farewells;
      for (auto& [link, one] : me.state().links)
        if (one.leaving) me.end(link, one);
      me.set_targets();
    });
  }

  /// Removed from the list: nothing of the cluster is left here but what was recorded.
  void leave() const {
    auto& s = state();
    log::warn(path, "this node was removed from its cluster");
    s.book.void_all();
    if (auto left = s.store->leave_cluster(); !left) log::error(path, "{}", to_string(left.error()));
    for (auto& [link, one] : s.links)
      if (!one.network) end(link, one);
    s.leases.reset();
    s.members.clear();
    run_later(self, 0ms, [me = *this] { // The membership is still in use.
      me.state().membership.reset();
      me.state().network->set_members({});
      me.set_targets();
      me.show();
    });
  }

  // --- keys and addresses ---------------------------------------------------------------------------------------------

  std::vector<std::string> own_addresses(std::uint16_t port, const std::vector<std::string>& plain) const {
    if (!options().over_tor) return plain;
    if (state().tor.onion.empty()) return {};
    return {"tor://" + state().tor.onion + ":" + std::to_string(port)};
  }

  node_statement own_statement() const {
    node_statement mine;
    mine.box_key = options().box;
    mine.transport = state().keys->present.open;
    if (options().over_tor) mine.onion_client = state().tor.client_key;
    mine.name = options().name;
    mine.addresses = own_addresses(options().port, options().addresses);
    mine.chunk_addresses = own_addresses(options().chunk_port, options().chunk_addresses);
    mine.software = options().software;
    return mine;
  }

  /// To the network ring. Its numbers are the time in microseconds: they need no place on the disk.
  void announce_to_network() const {
    if (options().network_peers.empty()) return;
    auto mine = own_statement();
    mine.chunk_addresses.clear();
    mine.time_us = wall();
    mine.serial = static_cast<std::uint64_t>(std::max<unix_time_us>(mine.time_us, 1));
    auto made = sign_statement(std::move(mine), *options().sign);
    if (!made) return log::error(path, "{}", to_string(made.error()));
    carry_out(state().network->set_own(*made, now()));
  }

  void announce() const {
    announce_to_network();
    if (!state().membership) return;
    auto effects = state().membership->announce(own_statement(), wall());
    if (!effects) return log::error(path, "{}", to_string(effects.error()));
    carry_out_or_quit(*effects);
    if (auto* mine = state().membership->statement_of(state().self)) options().message_events->set_own_beacon(encode_statement(*mine));
  }

  /// A member that moved says so on the local network. Of others, and of what is no newer, nothing is taken.
  void heard_beacon(byte_view bytes) const {
    auto& s = state();
    auto statement = s.membership ? decode_statement(bytes) : fail(errc::wrong_state, "mesh", "in no cluster");
    if (!statement || !s.membership->list().is_member(subject_of(*statement))) return;
    auto from = subject_of(*statement);
    if (from == s.self) return;
    auto news = s.membership->receive(from, membership_update{s.membership->list().origin().cluster_id, {}, {*statement}}, wall());
    carry_out_or_quit(news.effects);
  }

  bool usable(const std::string& address) const {
    return address.starts_with("tor://") == options().over_tor;
  }

  std::vector<std::string> usable(const std::vector<std::string>& addresses) const {
    std::vector<std::string> found;
    std::copy_if(addresses.begin(), addresses.end(), std::back_inserter(found), [&](auto& one) { return usable(one); });
    return found;
  }

  /// Members that have said where they are, and nodes of the files that have not.
  std::vector<link_target> targets() const {
    auto& s = state();
    std::vector<link_target> found;
    if (!s.membership) return found;
    std::set<std::string> named;
    for (auto& member : s.membership->list().members()) {
      auto* statement = s.membership->statement_of(member.id);
      if (member.id == s.self || !statement) continue;
      named.insert(member.name);
      found.push_back({member.name, statement->transport, usable(statement->addresses)});
    }
    if (auto& files = options().by_files)
      for (auto& [name, address] : files->nodes)
        if (name != options().name && !named.contains(name) && usable(address))
          found.push_back({name, file_key(name).open, {address}});
    if (found.size() > options().peers_max) found.resize(options().peers_max);
    return found;
  }

  transport_key_pair file_key(const std::string& name) const {
    return transport_pair_of(transport_secret_of(options().by_files->secret, name));
  }

  /// A key that a node of another operator has is not a member's, whatever a statement says.
  bool is_member_key(const transport_key& key) const { return !state().network->is_peer(key) && !state().banned.contains(key); }

  void set_targets() const {
    auto& s = state();
    if (s.farewells != 0) return;
    std::vector<transport_key> allowed;
    std::map<transport_key, node_id> members;
    for (auto& peer : options().network_peers) allowed.push_back(peer.key);
    if (s.membership)
      for (auto& one : s.membership->allowed_keys(wall())) {
        if (!is_member_key(one.key)) continue;
        allowed.push_back(one.key);
        members[one.key] = one.id;
      }
    auto wanted = targets();
    std::erase_if(wanted, [&](auto& target) { return !is_member_key(target.key); });
    for (auto& target : wanted) allowed.push_back(target.key);
    for (auto& key : s.book.allowed_keys(wall())) allowed.push_back(key);
    std::erase_if(allowed, [&](auto& key) { return s.banned.contains(key); });
    options().chunk_events->set_members(members);
    std::vector<transport_key> of_members;
    for (auto& [key, id] : members) of_members.push_back(key);
    options().chunks->allow(std::move(of_members));
    options().messages->allow(std::move(allowed));
    if (s.peers)
      for (auto link : s.peers->set_targets(std::move(wanted), now())) options().messages->close(link);
  }

  void set_lease_members() const {
    auto& s = state();
    if (!s.leases || !s.membership) return;
    std::vector<node_id> ids;
    for (auto& one : s.membership->list().members()) ids.push_back(one.id);
    s.network->set_members({ids.begin(), ids.end()});
    // Nodes of the files that have not met yet count as well: a few of them would be a majority of themselves.
    auto count = options().by_files ? options().by_files->nodes.size() : 0;
    carry_out(s.leases->set_members(s.membership->list().version(), ids, now(), count));
  }

  // --- links ----------------------------------------------------------------------------------------------------------

  void up(link_id link, const transport_key& peer, bool dialled) const {
    auto& one = state().links[link];
    one.key = peer;
    one.dialled = dialled;
    one.since = now();
    if (is_banned(peer)) return end(link, one);
    auto& join = state().join;
    one.network = state().network->is_peer(peer) && !(join && join->link == link);
    one.outsider = one.network || state().book.find(peer, wall());
    if (one.network) return carry_out(state().network->up(link, peer, dialled, draw_number(), now()));
    if (join && join->link == link) {
      one.joiner_of = join->with.inviter;
      auto mine = sign_statement(stamped(own_statement()), *options().sign);
      if (!mine) return end_join(mine.error());
      return send(link, one, mesh_message::join_request, encode_join_request({join->with.cluster_id, std::move(*mine)}));
    }
    if (dialled) greet(link, one);
  }

  /// Random, and not 0.
  std::uint64_t draw_number() const {
    std::array<std::uint8_t, 8> bytes{};
    random->fill(bytes);
    std::uint64_t number = 0;
    for (auto byte : bytes) number = number << 8 | byte;
    return std::max<std::uint64_t>(number, 1);
  }

  node_statement stamped(node_statement what) const {
    what.serial = 1;
    what.time_us = wall();
    return what;
  }

  void down(link_id link, const error& why) const {
    auto& s = state();
    auto known = s.links.extract(link);
    if (s.peers) s.peers->down(link, now());
    if (s.network) s.network->down(link, now());
    if (s.join && s.join->link == link) return join_again(why);
    if (!known || !known.mapped().who) {
      s.last_trouble = to_string(why);
      log::debug(path, "a connection came to nothing: {}", to_string(why));
    }
    if (!known || !known.mapped().who) return;
    parted(*known.mapped().who, link, why);
  }

  void parted(const node_id& id, link_id link, const error& why) const {
    auto& s = state();
    options().table->erase(id, link);
    auto* member = s.membership ? s.membership->list().find(id) : nullptr;
    if (!member) return void(s.members.erase(id)); // It was removed.
    if (s.peers->link_of(member->name)) return; // There is another one.
    log::warn(path, "{} is down: {}", member->name, why.what);
    s.members[id] = {false, wall(), {}, 0};
    s.membership->link_down(id);
    show();
  }

  void refused_link(const link_refusal& refusal) const {
    note("mesh link", refusal.address.empty() ? refusal.why.what : refusal.address + ": " + refusal.why.what);
  }

  void note(std::string_view kind, const std::string& what) const {
    ++state().refused_count;
    state().last_refusal = what;
    if (options().note_refusal) options().note_refusal(kind, what);
  }

  /// Nothing more of it is looked at; `down` follows.
  void end(link_id link, link_state& one) const {
    one.ended = true;
    options().messages->close(link);
  }

  // --- those who break the rules ------------------------------------------------------------------------------------

  /// The peer broke the rules: its link ends.
  void breach(link_id link, const error& why) const { breach(link, why, offence_of(why)); }
  void breach(link_id link, const error& why, peer_offence offence) const {
    auto known = state().links.find(link);
    if (known == state().links.end() || known->second.ended) return;
    auto& one = known->second;
    note(one.network ? "network message" : "mesh message", why.what);
    end(link, one);
    if (quota_of(one).penalise(one.key, offence, now())) ban(one.key);
  }

  peer_quota& quota_of(const link_state& one) const { return one.outsider ? state().outsider_quota : state().member_quota; }

  bool is_banned(const transport_key& key) const {
    return state().member_quota.is_banned(key, now()) || state().outsider_quota.is_banned(key, now());
  }

  /// It is not let in until its time is over: the transport refuses it before it can say anything.
  void ban(const transport_key& key) const {
    auto& s = state();
    ++s.ban_count;
    note("mesh ban", "the peer with the key " + to_hex(key) + " broke the rules too often, and is not let in for a while");
    log::warn(path, "the peer with the key {} is banned for a while: {}", to_hex(key), s.last_refusal);
    s.banned.insert(key);
    for (auto& [link, one] : s.links)
      if (one.key == key) end(link, one);
    set_targets();
  }

  void end_bans() const {
    if (std::erase_if(state().banned, [&](auto& key) { return !is_banned(key); }) != 0) set_targets();
  }

  /// Before anything of an envelope is kept.
  bool admit(link_state& one, std::size_t bytes, std::uint32_t cost) const {
    auto& s = state();
    auto& quota = quota_of(one);
    auto admitted = quota.admit(one.key, bytes, cost, now());
    if (admitted) return true;
    ++s.over_quota_count;
    if (!std::exchange(one.over_quota, true)) note("mesh quota", admitted.error().what);
    if (quota.is_banned(one.key, now()) && !s.banned.contains(one.key)) ban(one.key);
    return false;
  }

  // --- nodes of other operators ---------------------------------------------------------------------------------------

  void carry_out(const network_outputs& out) const {
    for (auto& one : out.send)
      if (auto known = state().links.find(one.to); known != state().links.end()) put(one.to, known->second, one.bytes);
    for (auto& one : out.refused) breach(one.link, one.why, one.offence);
    for (auto link : out.close)
      if (auto known = state().links.find(link); known != state().links.end()) end(link, known->second);
  }

  // --- envelopes ------------------------------------------------------------------------------------------------------

  void say(const node_id& to, mesh_message type, byte_buffer content) const {
    auto& s = state();
    auto* member = s.membership ? s.membership->list().find(to) : nullptr;
    auto counts = member && s.peers ? s.peers->link_of(member->name) : std::nullopt;
    // One who was removed is no member any more, and is to hear so.
    auto at = counts ? s.links.find(*counts)
                     : std::find_if(s.links.begin(), s.links.end(), [&](auto& one) { return one.second.who == to; });
    if (at == s.links.end()) return void(++s.dropped_count); // Whoever wants an answer asks again.
    send(at->first, at->second, type, content);
  }

  void send(link_id link, link_state& one, mesh_message type, byte_view content) const {
    auto sealed = seal_envelope({static_cast<std::uint16_t>(type), state().self, ++one.sent}, content, *options().sign);
    if (!sealed) return log::error(path, "{}", to_string(sealed.error()));
    put(link, one, *sealed);
  }

  void put(link_id link, link_state& one, byte_view sealed) const {
    if (one.ended) return;
    for (auto& frame : frames_of_envelope(sealed))
      if (auto sent = options().messages->send(link, std::move(frame)); !sent) {
        ++state().dropped_count;
        if (sent.error().code == errc::busy) end(link, one); // A part of it is on its way.
        return;
      }
    ++state().said_count;
  }

  void frame(link_id link, byte_view bytes) const {
    auto known = state().links.find(link);
    if (known == state().links.end() || known->second.ended || known->second.leaving) return;
    auto& one = known->second;
    auto whole = one.reader.take(bytes, bounds_of(link, one), [&](const message_rule& rule, std::size_t size) {
      return admit(one, size, rule.cost);
    });
    if (!whole) return breach(link, whole.error());
    if (!*whole || one.ended) return;
    if (!one.network) return envelope(link, one, **whole);
    ++state().heard_count;
    carry_out(state().network->heard(link, **whole, now()));
  }

  /// Who has not said who it is may say no more than the largest message that does.
  envelope_bounds bounds_of(link_id link, const link_state& one) const {
    if (one.network) return {envelope_ring::network, state().network->content_bytes_max(link)};
    if (one.who || one.joiner_of) return {};
    return {envelope_ring::cluster, std::max(hello_bytes_max, join_request_bytes_max)};
  }

  void envelope(link_id link, link_state& one, byte_view bytes) const {
    if (one.who && !state().membership) return end(link, one); // This node has left its cluster.
    auto head = peek_envelope(bytes);
    if (!head) return breach(link, head.error());
    auto type = static_cast<mesh_message>(head->type);
    if (auto allowed = check_expected(one, *head); !allowed) return breach(link, allowed.error());
    auto key = key_of(one, type, *head, bytes);
    if (!key) return breach(link, key.error());
    auto content = open_envelope(bytes, *key, one.heard);
    if (!content) return breach(link, content.error());
    ++state().heard_count;
    if (state().peers) state().peers->heard(link, now());
    if (auto done = dispatch(link, one, type, head->sender, *content); !done) breach(link, done.error());
  }

  /// Who has not said who it is may do that alone; who has may not be another.
  outcome<void> check_expected(const link_state& one, const envelope_head& head) const {
    auto type = static_cast<mesh_message>(head.type);
    bool opening = type == mesh_message::hello || type == mesh_message::join_request || type == mesh_message::join_reply;
    if (!one.who && !opening) return fail(errc::protocol_violation, "mesh", "a message before the peer has said who it is");
    if (one.who && head.sender != *one.who) return fail(errc::protocol_violation, "mesh", "a message in the name of another");
    if (type == mesh_message::join_request && !state().book.find(one.key, wall()))
      return fail(errc::permission_denied, "mesh", "a wish to join without a valid invitation");
    if (type == mesh_message::join_reply && one.joiner_of != head.sender)
      return fail(errc::protocol_violation, "mesh", "an answer that nobody asked for");
    return {};
  }

  /// The key that the envelope must be signed by. Those who are not known yet bring their own: their id follows from it.
  outcome<sign_public_key> key_of(const link_state& one, mesh_message type, const envelope_head& head, byte_view bytes) const {
    if (one.who)
      if (auto* member = state().membership->list().find(*one.who)) return member->sign_key;
    auto key = opening_key(one, type, envelope_content(bytes));
    if (!key) return key;
    if (node_id_of(*key) != head.sender) return fail(errc::bad_signature, "mesh", "the key is not that of the sender");
    return key;
  }

  outcome<sign_public_key> opening_key(const link_state& one, mesh_message type, byte_view content) const {
    if (type == mesh_message::hello) return decode_hello(content).map([](const mesh_hello& h) { return h.statement.sign_key; });
    if (type == mesh_message::join_request)
      return decode_join_request(content).map([](const join_request& r) { return r.joiner.sign_key; });
    if (one.inviter_key) return *one.inviter_key;
    return fail(errc::protocol_violation, "mesh", "an answer before the node that gives it has said who it is");
  }

  outcome<void> dispatch(link_id link, link_state& one, mesh_message type, const node_id& from, byte_view content) const {
    switch (type) {
      case mesh_message::hello: return heard_hello(link, one, from, content);
      case mesh_message::heartbeat: return heard_beat(link, one, from, content);
      case mesh_message::membership: return heard_membership(from, content);
      case mesh_message::lease: return heard_lease(from, content);
      case mesh_message::join_request: return heard_join(link, one, content);
      case mesh_message::join_reply: return heard_join_answer(link, content);
    }
    return fail(errc::unsupported, "mesh", "a message of an unknown type");
  }

  // --- hello ----------------------------------------------------------------------------------------------------------

  void greet(link_id link, link_state& one) const {
    auto& s = state();
    if (!s.membership) return;
    auto* mine = s.membership->statement_of(s.self);
    if (!mine) return;
    mesh_hello hello{s.membership->list().origin().cluster_id, *mine, {}};
    if (options().by_files)
      for (auto& entry : s.membership->list().entries())
        if (entry.subject == s.self) hello.admission.push_back(entry);
    send(link, one, mesh_message::hello, encode_hello(hello));
  }

  outcome<void> heard_hello(link_id link, link_state& one, const node_id& from, byte_view content) const {
    auto& s = state();
    auto hello = decode_hello(content);
    if (!hello) return pass_on(std::move(hello));
    if (one.joiner_of) {
      if (from != *one.joiner_of) return fail(errc::protocol_violation, "mesh", "another node than the one that invited");
      one.inviter_key = hello->statement.sign_key;
      return {};
    }
    if (!s.membership || hello->cluster_id != s.membership->list().origin().cluster_id)
      return fail(errc::permission_denied, "mesh", "a node of another cluster");
    // A cluster by files: the node brings its own admission, since we may never have heard of it.
    if (options().by_files && !s.membership->list().is_member(from)) {
      auto taken = s.membership->introduce(hello->admission);
      if (auto done = carry_out(taken.effects); !done) return done;
    }
    auto* member = s.membership->list().find(from);
    if (!member) return fail(errc::permission_denied, "mesh", "a node that is no member says hello");
    if (!is_key_of(from, member->name, one.key, hello->statement))
      return fail(errc::permission_denied, "mesh", "the key of the link is not that of " + member->name);
    auto news = s.membership->receive(from, membership_update{hello->cluster_id, {}, {hello->statement}}, wall());
    bool first = !one.who;
    one.who = from;
    if (auto done = carry_out(news.effects); !done) return done;
    auto name = s.membership->list().find(from)->name;
    for (auto ended : s.peers->named(link, name, one.dialled, now())) {
      options().messages->close(ended);
      if (ended == link) return {};
    }
    if (first && !one.dialled) greet(link, one);
    met(link, one, from, name);
    return {};
  }

  /// The present key, one that was replaced a while ago, or, in a cluster by files, the first one.
  bool is_key_of(const node_id& id, const std::string& name, const transport_key& key, const node_statement& statement) const {
    if (statement.transport == key) return true;
    if (options().by_files && options().by_files->nodes.contains(name) && file_key(name).open == key) return true;
    auto allowed = state().membership->allowed_keys(wall());
    return std::any_of(allowed.begin(), allowed.end(), [&](auto& one) { return one.id == id && one.key == key; });
  }

  void met(link_id link, const link_state& one, const node_id& id, const std::string& name) const {
    auto& s = state();
    options().table->set(id, {link, name, one.dialled});
    auto& member = s.members[id];
    if (!member.up) log::info(path, "{} is up", name);
    if (!member.up) member = {true, wall(), now(), 0};
    carry_out_or_quit(s.membership->link_up(id));
    set_targets();
    show();
  }

  // --- heartbeats -----------------------------------------------------------------------------------------------------

  void beat(link_id link, link_state& one) const {
    send(link, one, mesh_message::heartbeat, encode_heartbeat({static_cast<std::uint64_t>(now().count()), 0}));
  }

  outcome<void> heard_beat(link_id link, link_state& one, const node_id& from, byte_view content) const {
    auto heard = decode_heartbeat(content);
    if (!heard) return pass_on(std::move(heard));
    if (heard->echo == 0) {
      send(link, one, mesh_message::heartbeat, encode_heartbeat({0, heard->sent}));
      return {};
    }
    auto taken = static_cast<std::uint64_t>(now().count()) - heard->echo;
    if (taken < 600'000'000'000) state().members[from].round_trip_us = static_cast<std::uint32_t>(taken / 1000);
    return {};
  }

  // --- membership and leases ------------------------------------------------------------------------------------------

  outcome<void> heard_membership(const node_id& from, byte_view content) const {
    auto message = decode_membership(content);
    if (!message) return pass_on(std::move(message));
    auto news = state().membership->receive(from, *message, wall());
    if (news.refused) note("membership", to_string(*news.refused));
    return carry_out(news.effects);
  }

  outcome<void> heard_lease(const node_id& from, byte_view content) const {
    auto message = decode_lease_message(content);
    if (!message) return pass_on(std::move(message));
    if (state().leases) carry_out(state().leases->heard(from, *message, now()));
    return {};
  }

  void place() const {
    auto& s = state();
    if (!s.leases || !s.membership) return;
    std::vector<placement_member> members;
    for (auto& one : s.membership->list().members()) {
      auto known = s.members.find(one.id);
      bool up = one.id == s.self || (known != s.members.end() && known->second.up);
      members.push_back({one.id, one.name, up, known == s.members.end() ? time_point{} : known->second.up_since});
    }
    for (auto& wish : s.placement->decide(members, s.leases->view(now()), now())) {
      auto out = s.leases->wish(wish.lease, wish.wanted, now());
      if (out) carry_out(*out);
      else log::error(path, "{}", to_string(out.error()));
    }
  }

  // --- time -----------------------------------------------------------------------------------------------------------

  void tick() const {
    auto& s = state();
    if (options().over_tor && now() >= s.next_tor_look) look_at_tor();
    dial();
    dial_network();
    for (auto link : s.peers->silent(now())) options().messages->close(link);
    end_mute_links();
    if (s.leases) carry_out(s.leases->tick(now()));
    if (now() >= s.next_beat) on_beat();
    if (s.join && now() > s.join->until)
      end_join({errc::timeout, "cluster", "the node that sent the invitation did not answer", nullptr});
    show();
    run_later(self, tick_interval, [me = *this] { me.tick(); });
  }

  void on_beat() const {
    auto& s = state();
    s.next_beat = now() + options().heartbeat_interval;
    for (auto& [link, one] : s.links)
      if (one.who) beat(link, one);
    place();
    end_bans();
    carry_out(s.network->tick(now()));
    if (s.membership) carry_out_or_quit(s.membership->heartbeat());
    if (s.book.expire(wall()) != 0) {
      if (auto kept = s.store->put_invitations(s.book.records()); !kept) log::error(path, "{}", to_string(kept.error()));
      set_targets();
    }
    dial_chunks();
  }

  /// Whoever connects and does not say who it is, or says it to nobody's use.
  void end_mute_links() const {
    for (auto& [link, one] : state().links)
      if (!one.who && !one.joiner_of && !one.network && now() - one.since > hello_patience) options().messages->close(link);
  }

  std::string socks() const { return options().over_tor ? state().tor.socks : std::string(); }
  bool can_dial() const { return !options().over_tor || state().tor.ready; }

  void dial() const {
    if (!can_dial()) return;
    for (auto& wish : state().peers->due(now())) {
      if (auto link = dial(wish)) state().peers->dialling(wish.name, *link);
      else state().peers->dial_failed(wish.name, now());
    }
  }

  void dial_network() const {
    if (!can_dial()) return;
    for (auto& wish : state().network->due(now())) {
      if (auto link = dial(wish)) state().network->dialling(wish.name, *link);
      else state().network->dial_failed(wish.name, now());
    }
  }

  std::optional<link_id> dial(const link_dial& wish) const {
    dial_request request;
    request.peer_key = wish.key;
    request.address = wish.address;
    request.socks = socks();
    if (options().over_tor) request.timeout = join_dial_patience;
    auto link = options().messages->dial(std::move(request));
    if (link) return *link;
    state().last_trouble = to_string(link.error());
    return std::nullopt;
  }

  /// Chunks go between those who are linked already; the same side dials.
  void dial_chunks() const {
    auto& s = state();
    if (!s.membership || !can_dial()) return;
    for (auto& [id, peer] : options().table->read()) {
      auto* statement = s.membership->statement_of(id);
      if (!peer.dialled || !statement || options().chunk_events->linked(id)) continue;
      auto addresses = usable(statement->chunk_addresses);
      if (addresses.empty()) continue;
      dial_request request;
      request.peer_key = statement->transport;
      request.address = addresses.front();
      request.socks = socks();
      if (options().over_tor) request.timeout = join_dial_patience;
      options().chunk_events->dial(id, std::move(request));
    }
  }

  // --- Tor ------------------------------------------------------------------------------------------------------------

  void look_at_tor() const {
    auto& s = state();
    s.next_tor_look = now() + tor_look_interval;
    if (!s.tor_ref.reachable()) return;
    s.tor_ref.request(self, tor_patience, tor_status_request{})
      .then([me = *this](const tor_status& found) { me.tor_is(found); }, [](const caf::error&) {});
  }

  void tor_is(const tor_status& found) const {
    auto& s = state();
    bool moved = found.onion != s.tor.onion || found.client_key != s.tor.client_key;
    s.tor = found;
    if (moved) announce();
    if (found.percent == 0) return;
    publish_onion();
    authorise_onions();
  }

  /// Whom the onion service lets in: the members that come over Tor. While an invitation is open, whoever has the
  /// address: it stands in the invitation, and CURVE lets in nobody else.
  std::vector<box_public_key> wanted_clients() const {
    auto& s = state();
    std::vector<box_public_key> keys;
    if (!s.membership || !s.book.allowed_keys(wall()).empty()) return keys;
    for (auto& statement : s.membership->statements())
      if (statement.onion_client != box_public_key{} && subject_of(statement) != s.self) keys.push_back(statement.onion_client);
    return keys;
  }

  void publish_onion() const {
    auto& s = state();
    auto clients = wanted_clients();
    if (s.onion_clients == clients) return;
    s.onion_clients = clients;
    s.tor_ref.request(self, tor_patience, onion_publish_request{onion_ports(), std::move(clients)})
      .then([](const onion_service&) {},
            [me = *this](const caf::error& failed) {
              me.state().onion_clients.reset();
              me.state().last_trouble = to_string(from_caf(failed));
            });
  }

  /// Has this node's key shown to the onion services of members.
  void authorise_onions() const {
    auto& s = state();
    if (!s.membership) return;
    for (auto& statement : s.membership->statements())
      for (auto& address : statement.addresses) {
        auto read = parse_mesh_address(address);
        if (!read || read->transport != address_transport::tor || subject_of(statement) == s.self) continue;
        if (!s.onions_authorised.insert(read->host).second) continue;
        s.tor_ref.request(self, tor_patience, onion_authorise_request{read->host})
          .then([](const tor_status&) {},
                [me = *this, host = read->host](const caf::error&) { me.state().onions_authorised.erase(host); });
      }
  }

  std::vector<onion_port> onion_ports() const {
    return {{options().port, options().port}, {options().chunk_port, options().chunk_port}};
  }

  // --- wishes of the operator -----------------------------------------------------------------------------------------

  outcome<void> check_alone() const {
    if (!state().membership) return {};
    if (options().by_files)
      return fail(errc::wrong_state, "cluster", "this node's cluster is formed by its configuration: see cluster.nodes there");
    return fail(errc::wrong_state, "cluster", "this node is in a cluster already: " + state().membership->list().cluster_name() +
                  "; remove it there first: `lucid cluster remove " + options().name + "`");
  }

  outcome<void> check_in_cluster() const {
    if (state().membership) return {};
    return fail(errc::wrong_state, "cluster", "this node is in no cluster: `lucid cluster init NAME` begins one");
  }

  outcome<cluster_ack> init(const cluster_init_request& wish) const {
    auto& s = state();
    if (auto alone = check_alone(); !alone) return pass_on(std::move(alone));
    auto first = found_cluster(wish.name, options().name, *options().sign, wall());
    if (!first) return pass_on(std::move(first));
    if (auto begun = s.store->begin_cluster({first->cluster_id, wall()}); !begun) return pass_on(std::move(begun));
    if (auto kept = s.store->put({*first}, {}, {}); !kept) return pass_on(std::move(kept));
    cluster_origin origin;
    origin.cluster_id = first->cluster_id;
    if (auto opened = open_cluster(std::move(origin)); !opened) return pass_on(std::move(opened));
    announce();
    set_targets();
    show();
    log::info(path, "began the cluster {}", wish.name);
    return ack("began the cluster " + wish.name + "; `lucid cluster invite` lets others in");
  }

  cluster_ack ack(std::string text) const {
    return {std::move(text), state().membership ? state().membership->list().version() : 0};
  }

  outcome<cluster_invitation> invite(const cluster_invite_request& wish) const {
    auto& s = state();
    if (auto in = check_in_cluster(); !in) return pass_on(std::move(in));
    if (options().by_files)
      return fail(errc::wrong_state, "cluster", "this node's cluster is formed by its configuration: add the node to cluster.nodes");
    invitation mine;
    mine.cluster_id = s.membership->list().origin().cluster_id;
    mine.inviter = s.self;
    mine.inviter_key = s.keys->present.open;
    mine.addresses = own_addresses(options().port, options().addresses);
    if (mine.addresses.empty())
      return fail(errc::wrong_state, "cluster", "this node has no address yet: Tor is at " + std::to_string(s.tor.percent) + " %");
    auto issued = s.book.issue(std::move(mine), static_cast<std::int64_t>(wish.valid_seconds) * 1'000'000, wall(), *random);
    if (!issued) return pass_on(std::move(issued));
    if (auto kept = s.store->put_invitations(s.book.records()); !kept) return pass_on(std::move(kept));
    set_targets();
    auto text = invitation_text(*issued);
    if (!text) return pass_on(std::move(text));
    return cluster_invitation{std::move(*text), issued->addresses.front(), issued->expires_us};
  }

  outcome<cluster_ack> remove(const cluster_remove_request& wish) const {
    auto& s = state();
    if (auto in = check_in_cluster(); !in) return pass_on(std::move(in));
    auto who = find_member(wish.who);
    if (!who) return pass_on(std::move(who));
    auto name = s.membership->list().find(*who)->name;
    auto effects = s.membership->remove(*who, wall());
    if (!effects) return pass_on(std::move(effects));
    if (auto done = carry_out(*effects); !done) return pass_on(std::move(done));
    log::warn(path, "removed {} from the cluster", name);
    return ack(name + " was removed from the cluster and is cut off");
  }

  outcome<node_id> find_member(const std::string& who) const {
    auto& list = state().membership->list();
    if (auto* named = list.find_name(who)) return named->id;
    std::vector<node_id> found;
    for (auto& one : list.members())
      if (who.size() >= 4 && to_hex(one.id).starts_with(who)) found.push_back(one.id);
    if (found.size() == 1) return found.front();
    std::string names;
    for (auto& one : list.members()) names.append(names.empty() ? "" : ", ").append(one.name);
    return fail(errc::not_found, "cluster", "no member is called " + who + "; members are: " + names);
  }

  // --- joining: who wants to come in ------------------------------------------------------------------------------------

  void begin_join(const cluster_join_request& wish, const ack_promise& promise) const {
    auto& s = state();
    if (auto alone = check_alone(); !alone) return promise.deliver(to_caf(alone.error()));
    if (s.join) return promise.deliver(to_caf({errc::busy, "cluster", "a wish to join is under way already", nullptr}));
    auto with = read_invitation(wish.invitation);
    if (!with) return promise.deliver(to_caf(with.error()));
    if (with->expires_us < wall())
      return promise.deliver(to_caf({errc::timeout, "cluster", "the invitation has expired; ask for another", nullptr}));
    auto patience = options().over_tor ? join_dial_patience : std::chrono::seconds(20);
    s.join = joining{std::move(*with), promise, {}, 0, now() + patience};
    dial_inviter();
  }

  void dial_inviter() const {
    auto& join = *state().join;
    auto addresses = usable(join.with.addresses);
    if (addresses.empty())
      return end_join({errc::unreachable, "cluster", options().over_tor
                         ? "the invitation has no onion address, and this node opens no connection outside of Tor"
                         : "the invitation has onion addresses alone: this node needs mesh.transport = \"tor\"", nullptr});
    if (!can_dial()) return join_later();
    auto secret = joining_secret(join.with);
    dial_request request;
    request.peer_key = join.with.inviter_key;
    request.address = addresses[join.attempts++ % addresses.size()];
    request.socks = socks();
    request.own_secret = transport_secret(std::span<const std::uint8_t, 32>(secret.view()));
    if (options().over_tor) request.timeout = join_dial_patience;
    auto link = options().messages->dial(std::move(request));
    if (!link) return end_join(link.error());
    join.link = *link;
  }

  void join_later() const {
    run_later(self, dial_retry_min * 4, [me = *this] {
      if (me.state().join && !me.state().join->link) me.dial_inviter();
    });
  }

  void join_again(const error& why) const {
    state().last_trouble = to_string(why);
    state().join->link.reset();
    join_later();
  }

  void end_join(outcome<cluster_ack> result) const {
    auto& s = state();
    if (!s.join) return;
    auto join = std::exchange(s.join, std::nullopt);
    if (join->link) options().messages->close(*join->link);
    if (!result && !s.last_trouble.empty() && result.error().code == errc::timeout) result.error().what += "; last: " + s.last_trouble;
    deliver(join->promise, std::move(result));
  }
  void end_join(const error& why) const { end_join(outcome<cluster_ack>(tl::unexpected(why))); }

  outcome<void> heard_join_answer(link_id link, byte_view content) const {
    auto& s = state();
    if (!s.join || s.join->link != link) return {};
    auto answer = decode_join_answer(content);
    if (!answer) return pass_on(std::move(answer));
    if (auto* no = std::get_if<join_refused>(&*answer)) {
      end_join({no->code, "cluster", "refused: " + no->what, nullptr});
      return {};
    }
    if (auto in = take_membership(std::get<join_accepted>(*answer)); !in) {
      end_join(in.error());
      return in;
    }
    log::info(path, "joined the cluster {}", s.membership->list().cluster_name());
    end_join(ack("this node is a member of " + s.membership->list().cluster_name() + " now"));
    return {};
  }

  outcome<void> take_membership(const join_accepted& answer) const {
    auto& s = state();
    auto list = accept_membership(answer, s.join->with.cluster_id, s.join->with.inviter, s.self);
    if (!list) return pass_on(std::move(list));
    if (auto begun = s.store->begin_cluster({s.join->with.cluster_id, wall()}); !begun) return begun;
    if (auto kept = s.store->put(list->entries(), answer.statements, {}); !kept) return kept;
    cluster_origin origin;
    origin.cluster_id = s.join->with.cluster_id;
    if (auto opened = open_cluster(std::move(origin)); !opened) return opened;
    announce();
    set_targets();
    show();
    return {};
  }

  // --- joining: who is asked --------------------------------------------------------------------------------------------

  outcome<void> heard_join(link_id link, link_state& one, byte_view content) const {
    auto request = decode_join_request(content);
    if (!request) return pass_on(std::move(request));
    greet(link, one); // So that it knows by whose key the answer is signed.
    auto answer = admit(one, *request);
    if (!answer) note("join", answer.error().what);
    join_answer told = answer ? join_answer(std::move(*answer)) : join_answer(join_refused{answer.error().code, answer.error().what});
    auto bytes = encode_join_answer(told);
    if (!bytes) return pass_on(std::move(bytes));
    send(link, one, mesh_message::join_reply, *bytes);
    return {};
  }

  outcome<join_accepted> admit(const link_state& one, const join_request& request) const {
    auto& s = state();
    if (auto in = check_in_cluster(); !in) return pass_on(std::move(in));
    if (request.cluster_id != s.membership->list().origin().cluster_id)
      return fail(errc::permission_denied, "cluster", "the invitation is to another cluster");
    auto joiner = subject_of(request.joiner);
    if (auto used = s.book.redeem(one.key, joiner, wall()); !used) return pass_on(std::move(used));
    if (!s.membership->list().is_member(joiner)) {
      auto effects = s.membership->admit(request.joiner, wall());
      if (!effects) return pass_on(std::move(effects));
      if (auto done = carry_out(*effects); !done) return pass_on(std::move(done));
      log::info(path, "{} joined the cluster", request.joiner.name);
    }
    if (auto kept = s.store->put_invitations(s.book.records()); !kept) return pass_on(std::move(kept));
    return join_accepted{s.membership->list().entries(), s.membership->statements()};
  }

  // --- new keys -------------------------------------------------------------------------------------------------------

  void rotate(const keys_rotate_request& wish, const ack_promise& promise) const {
    if (wish.onion && !options().over_tor)
      return promise.deliver(to_caf({errc::wrong_state, "keys", "this node has no onion address: mesh.transport is \"tcp\"", nullptr}));
    auto fresh = options().rotate_keys();
    if (!fresh) return promise.deliver(to_caf(fresh.error()));
    state().keys = std::move(*fresh);
    announce();
    run_later(self, rekey_after, [me = *this] { me.rekey(); });
    if (!wish.onion) return promise.deliver(ack("new transport key; links are made anew under it within seconds"));
    state().tor_ref.request(self, tor_patience, onion_rotate_request{})
      .then(
        [me = *this, promise](const onion_service& made) {
          me.state().tor.onion = made.onion;
          me.announce();
          promise.deliver(me.ack("new transport key and onion address: " + made.onion + "; the old one is heard for ten minutes more"));
        },
        [promise](const caf::error& failed) { promise.deliver(failed); });
  }

  void rekey() const {
    auto secret = state().keys->present.secret->view();
    transport_secret fresh{std::span<const std::uint8_t, 32>(secret)};
    for (auto* transport : {options().messages, options().chunks})
      if (auto done = transport->rekey(fresh); !done) log::error(path, "{}", to_string(done.error()));
    state().network->set_own_key(state().keys->present.open, now());
    log::info(path, "links are made under a new transport key");
  }

  // --- what others see ------------------------------------------------------------------------------------------------

  void show() const {
    auto& s = state();
    cluster_view view;
    view.self = s.self;
    if (s.membership) {
      auto& list = s.membership->list();
      view.name = options().by_files ? options().by_files->secret.origin.name : list.cluster_name();
      view.cluster_id = list.origin().cluster_id;
      view.list_version = list.version();
      for (auto& one : list.members()) view.members.push_back(shown(one));
      std::sort(view.members.begin(), view.members.end(), [](auto& a, auto& b) { return a.name < b.name; });
    }
    if (s.leases) view.leases = s.leases->view(now());
    options().shown->show(std::move(view));
  }

  member_view shown(const listed_member& one) const {
    auto& s = state();
    member_view view;
    view.id = one.id;
    view.name = one.name;
    view.sign_key = one.sign_key;
    if (auto* statement = s.membership->statement_of(one.id)) {
      view.box_key = statement->box_key;
      view.addresses = statement->addresses;
      view.software = statement->software;
    }
    auto known = s.members.find(one.id);
    if (one.id == s.self) view.state = member_state::self;
    else if (known != s.members.end() && known->second.up) view.state = member_state::up;
    if (known != s.members.end()) {
      view.since_us = known->second.since_us;
      view.round_trip_us = known->second.round_trip_us;
    }
    return view;
  }

  state_fields tell_state() const {
    auto& s = state();
    std::size_t up = 0;
    for (auto& [id, one] : s.members) up += one.up ? 1 : 0;
    auto transport = options().messages->counters();
    return {{"cluster", s.membership ? s.membership->list().cluster_name() : "none"},
            {"list version", std::to_string(s.membership ? s.membership->list().version() : 0)},
            {"members", std::to_string(s.membership ? s.membership->list().members().size() : 0)},
            {"members up beside this one", std::to_string(up)},
            {"links", std::to_string(transport.links)},
            {"connections refused", std::to_string(transport.refused)},
            {"envelopes heard", std::to_string(s.heard_count)},
            {"envelopes said", std::to_string(s.said_count)},
            {"envelopes not sent", std::to_string(s.dropped_count)},
            {"envelopes over quota", std::to_string(s.over_quota_count)},
            {"peers banned", std::to_string(s.banned.size())},
            {"bans", std::to_string(s.ban_count)},
            {"network peers", std::to_string(s.network ? s.network->linked() : 0)},
            {"network nodes known", std::to_string(s.network ? s.network->known().size() : 0)},
            {"refused", std::to_string(s.refused_count)},
            {"last refusal", s.last_refusal},
            {"last trouble", s.last_trouble}};
  }
};

links_api::behavior_type links_actor(links_self self, actor_context ctx, links_options options) {
  self->state.options = std::move(options);
  self->state.tor_ref = {ctx.directory(), paths::tor};
  links_shell shell{self, &ctx.clock(), &ctx.random(), ctx.path};
  if (auto begun = shell.begin(); !begun) self->quit(to_caf(begun.error()));
  return supervised(
    self, ctx,
    {
      [shell](const cluster_init_request& wish) { return reply(shell.init(wish)); },
      [shell](const cluster_invite_request& wish) { return reply(shell.invite(wish)); },
      [self, shell](const cluster_join_request& wish) {
        ack_promise promise(self);
        shell.begin_join(wish, promise);
        return promise.promise();
      },
      [shell](const cluster_remove_request& wish) { return reply(shell.remove(wish)); },
      [self, shell](const keys_rotate_request& wish) {
        ack_promise promise(self);
        shell.rotate(wish, promise);
        return promise.promise();
      },
    },
    [shell] { return shell.tell_state(); });
}

} // namespace

child_spec links_child(links_options options) {
  return {.id = "links", .start = child_of<caf::detached>(links_actor, std::move(options)), .shutdown_timeout = 5s};
}

} // namespace lucid
