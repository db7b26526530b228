// actors/mesh/links_actor.cpp - envelopes to the cores and back; what they decide to the links and to the disk.
#include "actors/mesh/links_actor.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/ranges.h>

#include "actors/mesh/links_shell.hpp"

namespace lucid {

using namespace std::chrono_literals;

// --- the first moment ------------------------------------------------------------

outcome<void> links_shell::begin() const {
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

void links_shell::begin_network() const {
  auto peers = options().network_peers;
  std::set<transport_key> keys;
  for (auto& peer : peers) {
    keys.insert(peer.key);
    if (!usable(peer.address)) peer.address.clear();
  }
  network_settings how;
  how.software = options().software;
  if (options().ways.tor) how.hello_patience = join_dial_patience;
  state().network.emplace(options().sign, std::move(how), peers);
  state().network->set_own_key(state().keys->present.open, now());
  options().message_events->set_outsiders(std::move(keys));
}

outcome<void> links_shell::restore_cluster() const {
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

outcome<void> links_shell::open_cluster(cluster_origin origin) const {
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

outcome<void> links_shell::begin_leases() const {
  auto& s = state();
  auto stored = s.store->leases();
  if (!stored) return pass_on(std::move(stored));
  std::vector<lease_promise> promises;
  for (auto& one : *stored) promises.push_back({{one.role, one.place}, one.number, one.holder});
  s.leases.emplace(lease_settings{s.self, draw_number(), options().lease_time, options().heartbeat_interval}, promises, now());
  set_lease_members();
  return {};
}

void links_shell::listen_to_links() const {
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

// --- what the cores want done ------------------------------------------------------------

outcome<void> links_shell::carry_out(const membership_effects& effects) const {
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

void links_shell::carry_out_or_quit(const membership_effects& effects) const {
  if (auto done = carry_out(effects); !done) self->quit(to_caf(done.error()));
}

void links_shell::carry_out(const lease_outputs& out) const {
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

void links_shell::tell(const lease_event& event) const {
  auto what = event.lease.role + (event.lease.place == 0 ? "" : " " + std::to_string(event.lease.place));
  if (event.gained) log::info(path, "this node has the role {} (lease {})", what, event.fence);
  else log::warn(path, "this node has the role {} no more (lease {})", what, event.fence);
}

void links_shell::part_with(const std::vector<node_id>& removed) const {
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

void links_shell::leave() const {
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

// --- time ------------------------------------------------------------

void links_shell::tick() const {
  auto& s = state();
  if (options().ways.tor && now() >= s.next_tor_look) look_at_tor();
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

void links_shell::on_beat() const {
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

void links_shell::end_mute_links() const {
  for (auto& [link, one] : state().links)
    if (!one.who && !one.joiner_of && !one.network && now() - one.since > hello_patience) options().messages->close(link);
}

void links_shell::dial() const {
  if (!can_dial()) return;
  for (auto& wish : state().peers->due(now())) {
    if (auto link = dial(wish)) state().peers->dialling(wish.name, *link);
    else state().peers->dial_failed(wish.name, now());
  }
  if (state().peers->wants_new_ways() && options().ways.tor) renew_circuits();
}

void links_shell::dial_network() const {
  if (!can_dial()) return;
  for (auto& wish : state().network->due(now())) {
    if (auto link = dial(wish)) state().network->dialling(wish.name, *link);
    else state().network->dial_failed(wish.name, now());
  }
}

dial_request links_shell::request_to(const std::string& address, const transport_key& peer_key) const {
  dial_request request;
  request.peer_key = peer_key;
  request.address = address;
  if (!is_onion(address)) return request;
  request.socks = state().tor.socks;
  request.timeout = join_dial_patience;
  return request;
}

std::optional<link_id> links_shell::dial(const link_dial& wish) const {
  if (!can_dial(wish.address)) return std::nullopt;
  auto link = options().messages->dial(request_to(wish.address, wish.key));
  if (link) return *link;
  state().last_trouble = to_string(link.error());
  return std::nullopt;
}

void links_shell::dial_chunks() const {
  auto& s = state();
  if (!s.membership || !can_dial()) return;
  for (auto& [id, peer] : options().table->read()) {
    auto* statement = s.membership->statement_of(id);
    if (!peer.dialled || !statement || options().chunk_events->linked(id)) continue;
    auto addresses = usable(statement->chunk_addresses);
    if (addresses.empty()) continue;
    auto& address = addresses[s.chunk_attempts++ % addresses.size()];
    if (can_dial(address)) options().chunk_events->dial(id, request_to(address, statement->transport));
  }
}

// --- what others see ------------------------------------------------------------

void links_shell::show() const {
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
    for (auto& one : list.removed()) view.former.push_back({one.id, one.name, one.since_us});
    std::sort(view.former.begin(), view.former.end(), [](auto& a, auto& b) { return a.since_us > b.since_us; });
    if (view.former.size() > former_members_shown_max) view.former.resize(former_members_shown_max);
  }
  if (s.leases) view.leases = s.leases->view(now());
  options().shown->show(std::move(view));
}

member_view links_shell::shown(const listed_member& one) const {
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

state_fields links_shell::tell_state() const {
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
          {"not let in by", fmt::format("{}", fmt::join(s.not_let_in_by, ", "))},
          {"refused", std::to_string(s.refused_count)},
          {"last refusal", s.last_refusal},
          {"last trouble", s.last_trouble}};
}

namespace {

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
      [shell](const cluster_invitations_request&) { return shell.invitations(); },
      [shell](const cluster_uninvite_request& wish) { return reply(shell.uninvite(wish)); },
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
