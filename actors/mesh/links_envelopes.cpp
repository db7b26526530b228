// actors/mesh/links_envelopes.cpp - links and what is said on them: who may say what, and where it goes.
#include <algorithm>
#include <array>
#include <utility>

#include "actors/mesh/links_shell.hpp"

namespace lucid {

using namespace std::chrono_literals;

// --- links ------------------------------------------------------------

void links_shell::up(link_id link, const transport_key& peer, bool dialled) const {
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

std::uint64_t links_shell::draw_number() const {
  std::array<std::uint8_t, 8> bytes{};
  random->fill(bytes);
  std::uint64_t number = 0;
  for (auto byte : bytes) number = number << 8 | byte;
  return std::max<std::uint64_t>(number, 1);
}

node_statement links_shell::stamped(node_statement what) const {
  what.serial = 1;
  what.time_us = wall();
  return what;
}

void links_shell::down(link_id link, const error& why) const {
  auto& s = state();
  auto known = s.links.extract(link);
  if (why.code == errc::permission_denied) not_let_in(link);
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

/// Nobody can tell a node of its removal that was off meanwhile: its key opens no door any more.
void links_shell::not_let_in(link_id link) const {
  auto& s = state();
  auto* name = s.peers ? s.peers->target_of(link) : nullptr;
  if (!name || !s.not_let_in_by.insert(*name).second) return;
  log::warn(path, "{} does not let this node in: perhaps this node was removed while it was off (`lucid cluster members` there "
                  "tells), or got another key by hand", *name);
}

void links_shell::parted(const node_id& id, link_id link, const error& why) const {
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

void links_shell::refused_link(const link_refusal& refusal) const {
  note("mesh link", refusal.address.empty() ? refusal.why.what : refusal.address + ": " + refusal.why.what);
}

void links_shell::note(std::string_view kind, const std::string& what) const {
  ++state().refused_count;
  state().last_refusal = what;
  if (options().note_refusal) options().note_refusal(kind, what);
}

void links_shell::end(link_id link, link_state& one) const {
  one.ended = true;
  options().messages->close(link);
}

// --- those who break the rules ------------------------------------------------------------

void links_shell::breach(link_id link, const error& why, peer_offence offence) const {
  auto known = state().links.find(link);
  if (known == state().links.end() || known->second.ended) return;
  auto& one = known->second;
  note(one.network ? "network message" : "mesh message", why.what);
  end(link, one);
  if (quota_of(one).penalise(one.key, offence, now())) ban(one.key);
}

bool links_shell::is_banned(const transport_key& key) const {
  return state().member_quota.is_banned(key, now()) || state().outsider_quota.is_banned(key, now());
}

void links_shell::ban(const transport_key& key) const {
  auto& s = state();
  ++s.ban_count;
  note("mesh ban", "the peer with the key " + to_hex(key) + " broke the rules too often, and is not let in for a while");
  log::warn(path, "the peer with the key {} is banned for a while: {}", to_hex(key), s.last_refusal);
  s.banned.insert(key);
  for (auto& [link, one] : s.links)
    if (one.key == key) end(link, one);
  set_targets();
}

void links_shell::end_bans() const {
  if (std::erase_if(state().banned, [&](auto& key) { return !is_banned(key); }) != 0) set_targets();
}

bool links_shell::admit(link_state& one, std::size_t bytes, std::uint32_t cost) const {
  auto& s = state();
  auto& quota = quota_of(one);
  auto admitted = quota.admit(one.key, bytes, cost, now());
  if (admitted) return true;
  ++s.over_quota_count;
  if (!std::exchange(one.over_quota, true)) note("mesh quota", admitted.error().what);
  if (quota.is_banned(one.key, now()) && !s.banned.contains(one.key)) ban(one.key);
  return false;
}

// --- nodes of other operators ------------------------------------------------------------

void links_shell::carry_out(const network_outputs& out) const {
  for (auto& one : out.send)
    if (auto known = state().links.find(one.to); known != state().links.end()) put(one.to, known->second, one.bytes);
  for (auto& one : out.refused) breach(one.link, one.why, one.offence);
  for (auto link : out.close)
    if (auto known = state().links.find(link); known != state().links.end()) end(link, known->second);
}

// --- envelopes ------------------------------------------------------------

void links_shell::say(const node_id& to, mesh_message type, byte_buffer content) const {
  auto& s = state();
  auto* member = s.membership ? s.membership->list().find(to) : nullptr;
  auto counts = member && s.peers ? s.peers->link_of(member->name) : std::nullopt;
  // One who was removed is no member any more, and is to hear so.
  auto at = counts ? s.links.find(*counts)
                   : std::find_if(s.links.begin(), s.links.end(), [&](auto& one) { return one.second.who == to; });
  if (at == s.links.end()) return void(++s.dropped_count); // Whoever wants an answer asks again.
  send(at->first, at->second, type, content);
}

void links_shell::send(link_id link, link_state& one, mesh_message type, byte_view content) const {
  auto sealed = seal_envelope({static_cast<std::uint16_t>(type), state().self, ++one.sent}, content, *options().sign);
  if (!sealed) return log::error(path, "{}", to_string(sealed.error()));
  put(link, one, *sealed);
}

void links_shell::put(link_id link, link_state& one, byte_view sealed) const {
  if (one.ended) return;
  for (auto& frame : frames_of_envelope(sealed))
    if (auto sent = options().messages->send(link, std::move(frame)); !sent) {
      ++state().dropped_count;
      if (sent.error().code == errc::busy) end(link, one); // A part of it is on its way.
      return;
    }
  ++state().said_count;
}

void links_shell::frame(link_id link, byte_view bytes) const {
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

envelope_bounds links_shell::bounds_of(link_id link, const link_state& one) const {
  if (one.network) return {envelope_ring::network, state().network->content_bytes_max(link)};
  if (one.who || one.joiner_of) return {};
  return {envelope_ring::cluster, std::max(hello_bytes_max, join_request_bytes_max)};
}

void links_shell::envelope(link_id link, link_state& one, byte_view bytes) const {
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

outcome<void> links_shell::check_expected(const link_state& one, const envelope_head& head) const {
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

outcome<sign_public_key> links_shell::key_of(const link_state& one, mesh_message type, const envelope_head& head, byte_view bytes) const {
  if (one.who)
    if (auto* member = state().membership->list().find(*one.who)) return member->sign_key;
  auto key = opening_key(one, type, envelope_content(bytes));
  if (!key) return key;
  if (node_id_of(*key) != head.sender) return fail(errc::bad_signature, "mesh", "the key is not that of the sender");
  return key;
}

outcome<sign_public_key> links_shell::opening_key(const link_state& one, mesh_message type, byte_view content) const {
  if (type == mesh_message::hello) return decode_hello(content).map([](const mesh_hello& h) { return h.statement.sign_key; });
  if (type == mesh_message::join_request)
    return decode_join_request(content).map([](const join_request& r) { return r.joiner.sign_key; });
  if (one.inviter_key) return *one.inviter_key;
  return fail(errc::protocol_violation, "mesh", "an answer before the node that gives it has said who it is");
}

outcome<void> links_shell::dispatch(link_id link, link_state& one, mesh_message type, const node_id& from, byte_view content) const {
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

// --- hello ------------------------------------------------------------

void links_shell::greet(link_id link, link_state& one) const {
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

outcome<void> links_shell::heard_hello(link_id link, link_state& one, const node_id& from, byte_view content) const {
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

bool links_shell::is_key_of(const node_id& id, const std::string& name, const transport_key& key, const node_statement& statement) const {
  if (statement.transport == key) return true;
  if (options().by_files && options().by_files->nodes.contains(name) && file_key(name).open == key) return true;
  auto allowed = state().membership->allowed_keys(wall());
  return std::any_of(allowed.begin(), allowed.end(), [&](auto& one) { return one.id == id && one.key == key; });
}

void links_shell::met(link_id link, const link_state& one, const node_id& id, const std::string& name) const {
  auto& s = state();
  options().table->set(id, {link, name, one.dialled});
  auto& member = s.members[id];
  if (!member.up) log::info(path, "{} is up", name);
  s.not_let_in_by.erase(name);
  if (!member.up) member = {true, wall(), now(), 0};
  carry_out_or_quit(s.membership->link_up(id));
  set_targets();
  show();
}

// --- heartbeats ------------------------------------------------------------

void links_shell::beat(link_id link, link_state& one) const {
  send(link, one, mesh_message::heartbeat, encode_heartbeat({static_cast<std::uint64_t>(now().count()), 0}));
}

outcome<void> links_shell::heard_beat(link_id link, link_state& one, const node_id& from, byte_view content) const {
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

// --- membership and leases ------------------------------------------------------------

outcome<void> links_shell::heard_membership(const node_id& from, byte_view content) const {
  auto message = decode_membership(content);
  if (!message) return pass_on(std::move(message));
  auto news = state().membership->receive(from, *message, wall());
  if (news.refused) note("membership", to_string(*news.refused));
  return carry_out(news.effects);
}

outcome<void> links_shell::heard_lease(const node_id& from, byte_view content) const {
  auto message = decode_lease_message(content);
  if (!message) return pass_on(std::move(message));
  if (state().leases) carry_out(state().leases->heard(from, *message, now()));
  return {};
}

void links_shell::place() const {
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

} // namespace lucid
