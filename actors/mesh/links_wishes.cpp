// actors/mesh/links_wishes.cpp - what operators ask for: a cluster begun, joined, changed.
#include <algorithm>
#include <array>
#include <utility>

#include "actors/mesh/links_shell.hpp"

namespace lucid {

using namespace std::chrono_literals;

// --- wishes of the operator ------------------------------------------------------------

outcome<void> links_shell::check_alone() const {
  if (!state().membership) return {};
  if (options().by_files)
    return fail(errc::wrong_state, "cluster", "this node's cluster is formed by its configuration: see cluster.nodes there");
  return fail(errc::wrong_state, "cluster", "this node is in a cluster already: " + state().membership->list().cluster_name() +
                "; remove it there first: `lucid cluster remove " + options().name + "`");
}

outcome<void> links_shell::check_in_cluster() const {
  if (state().membership) return {};
  return fail(errc::wrong_state, "cluster", "this node is in no cluster: `lucid cluster init NAME` begins one");
}

outcome<cluster_ack> links_shell::init(const cluster_init_request& wish) const {
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

cluster_ack links_shell::ack(std::string text) const {
  return {std::move(text), state().membership ? state().membership->list().version() : 0};
}

outcome<cluster_invitation> links_shell::invite(const cluster_invite_request& wish) const {
  auto& s = state();
  if (auto in = check_in_cluster(); !in) return pass_on(std::move(in));
  if (options().by_files)
    return fail(errc::wrong_state, "cluster", "this node's cluster is formed by its configuration: add the node to cluster.nodes");
  invitation mine;
  mine.cluster_id = s.membership->list().origin().cluster_id;
  mine.inviter = s.self;
  mine.inviter_key = s.keys->present.open;
  mine.addresses = own_addresses(options().port, options().addresses);
  // That of the onion service is the last one, and leads here from everywhere.
  if (auto& all = mine.addresses; all.size() > invitation_address_count_max)
    all.erase(all.begin() + invitation_address_count_max - 1, all.end() - 1);
  if (mine.addresses.empty())
    return fail(errc::wrong_state, "cluster", "this node has no address yet: Tor is at " + std::to_string(s.tor.percent) + " %");
  auto issued = s.book.issue(std::move(mine), static_cast<std::int64_t>(wish.valid_seconds) * 1'000'000, wall(), *random);
  if (!issued) return pass_on(std::move(issued));
  if (auto kept = s.store->put_invitations(s.book.records()); !kept) return pass_on(std::move(kept));
  set_targets();
  auto text = invitation_text(*issued);
  if (!text) return pass_on(std::move(text));
  return cluster_invitation{std::move(*text), issued->addresses.front(), issued->expires_us, invitation_id(joining_key(*issued))};
}

outcome<cluster_ack> links_shell::uninvite(const cluster_uninvite_request& wish) const {
  auto& s = state();
  auto count = s.book.take_back(wish.id, wall());
  if (!count) return pass_on(std::move(count));
  set_targets(); // First: whatever the disk does, nobody is let in any more.
  if (options().ways.tor && s.tor.percent != 0) publish_onion();
  if (auto kept = s.store->put_invitations(s.book.records()); !kept) return pass_on(std::move(kept));
  log::info(path, "took back {} invitations", *count);
  if (*count == 0) return ack("no invitation was open");
  return ack(*count == 1 ? "the invitation was taken back" : std::to_string(*count) + " invitations were taken back");
}

outcome<cluster_ack> links_shell::remove(const cluster_remove_request& wish) const {
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

outcome<node_id> links_shell::find_member(const std::string& who) const {
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

// --- joining: who wants to come in ------------------------------------------------------------

void links_shell::begin_join(const cluster_join_request& wish, const ack_promise& promise) const {
  auto& s = state();
  if (auto alone = check_alone(); !alone) return promise.deliver(to_caf(alone.error()));
  if (s.join) return promise.deliver(to_caf({errc::busy, "cluster", "a wish to join is under way already", nullptr}));
  auto with = read_invitation(wish.invitation);
  if (!with) return promise.deliver(to_caf(with.error()));
  auto patience = options().ways.tor ? join_dial_patience : std::chrono::seconds(20);
  s.join = joining{std::move(*with), promise, {}, 0, now() + patience};
  dial_inviter();
}

void links_shell::dial_inviter() const {
  auto& join = *state().join;
  auto addresses = usable(join.with.addresses);
  if (addresses.empty())
    return end_join({errc::unreachable, "cluster", options().ways.tor
                       ? "the invitation has no onion address, and this node opens no connection outside of Tor"
                       : "the invitation has onion addresses alone: this node needs mesh.transport = \"tor\" or \"both\"", nullptr});
  auto& address = addresses[join.attempts++ % addresses.size()];
  if (!can_dial(address)) return join_later();
  auto secret = joining_secret(join.with);
  auto request = request_to(address, join.with.inviter_key);
  request.own_secret = transport_secret(std::span<const std::uint8_t, 32>(secret.view()));
  auto link = options().messages->dial(std::move(request));
  if (!link) return end_join(link.error());
  join.link = *link;
}

void links_shell::join_later() const {
  run_later(self, dial_retry_min * 4, [me = *this] {
    if (me.state().join && !me.state().join->link) me.dial_inviter();
  });
}

void links_shell::join_again(const error& why) const {
  state().last_trouble = to_string(why);
  state().join->link.reset();
  join_later();
}

void links_shell::end_join(outcome<cluster_ack> result) const {
  auto& s = state();
  if (!s.join) return;
  auto join = std::exchange(s.join, std::nullopt);
  if (join->link) options().messages->close(*join->link);
  if (!result && result.error().code == errc::timeout) {
    if (!s.last_trouble.empty()) result.error().what += "; last: " + s.last_trouble;
    // Whether it has is for the node that made it to say: clocks differ.
    if (join->with.expires_us <= wall()) result.error().what += "; by this node's clock the invitation has expired";
  }
  deliver(join->promise, std::move(result));
}

outcome<void> links_shell::heard_join_answer(link_id link, byte_view content) const {
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

outcome<void> links_shell::take_membership(const join_accepted& answer) const {
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

// --- joining: who is asked ------------------------------------------------------------

outcome<void> links_shell::heard_join(link_id link, link_state& one, byte_view content) const {
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

outcome<join_accepted> links_shell::admit(const link_state& one, const join_request& request) const {
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

} // namespace lucid
