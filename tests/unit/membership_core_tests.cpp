// tests/unit/membership_core_tests.cpp - members come to know the same, and who is none is kept out.
#define BOOST_TEST_MODULE membership_core_tests
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <deque>

#include "actors/mesh/membership_core.hpp"
#include "tests/unit/mesh_fixture.hpp"

using namespace lucid;
using namespace lucid::test;

namespace {

const mesh_node a{"a"}, b{"b"}, c{"c"}, stranger{"stranger"};

/// Nodes with links, and messages under way as bytes: what is sent is encoded, decoded, and may be lost or come late.
struct network {
  struct letter {
    node_id from{}, to{};
    byte_buffer bytes;
  };
  std::map<node_id, membership_core> cores;
  std::map<node_id, std::set<node_id>> links;
  std::deque<letter> under_way;
  std::map<node_id, std::vector<node_id>> cut;
  std::set<node_id> told_removed;
  mesh_random random{1};
  unsigned loss_percent = 0;
  bool reorder = false;
  unix_time_us now = mesh_time_us;
  std::size_t delivered = 0;

  membership_core& at(const mesh_node& node) { return cores.at(node.id); }

  void add(const mesh_node& node, member_list list) { cores.emplace(node.id, membership_core(node.sign, std::move(list))); }

  void carry(const node_id& from, const membership_effects& effects) {
    for (auto& send : effects.send)
      if (links[from].contains(send.to)) under_way.push_back({from, send.to, encode_membership(send.what)});
    for (auto& peer : effects.cut_off) {
      cut[from].push_back(peer);
      // What was sent before is still under way.
      links[from].erase(peer);
      links[peer].erase(from);
      cores.at(from).link_down(peer);
      if (cores.contains(peer)) cores.at(peer).link_down(from);
    }
    if (effects.removed_self) told_removed.insert(from);
  }
  void link(const node_id& x, const node_id& y) {
    links[x].insert(y);
    links[y].insert(x);
    carry(x, cores.at(x).link_up(y));
    carry(y, cores.at(y).link_up(x));
  }
  void unlink(const node_id& x, const node_id& y) {
    links[x].erase(y);
    links[y].erase(x);
    cores.at(x).link_down(y);
    cores.at(y).link_down(x);
  }
  void settle() {
    for (std::size_t rounds = 0; !under_way.empty(); ++rounds) {
      BOOST_TEST_REQUIRE(rounds < 100'000u, "messages without end");
      if (reorder) std::swap(under_way.front(), under_way[random.below(under_way.size())]);
      auto next = std::move(under_way.front());
      under_way.pop_front();
      if (random.chance(loss_percent)) continue;
      ++delivered;
      auto message = must(decode_membership(next.bytes));
      carry(next.to, cores.at(next.to).receive(next.from, message, now).effects);
    }
  }
  void heartbeat() {
    for (auto& [id, core] : cores) carry(id, core.heartbeat());
  }
};

/// a founded it, the others are on its list, all have made their statements; not linked yet.
network cluster_of(const std::vector<mesh_node>& nodes) {
  network net;
  auto list = founded_by(nodes[0]);
  for (std::size_t i = 1; i < nodes.size(); ++i) admit(list, nodes[i], nodes[0]);
  for (auto& node : nodes) {
    net.add(node, list);
    net.carry(node.id, must(net.at(node).announce(node.statement(), net.now)));
  }
  return net;
}

bool all_same(network& net) {
  auto& first = net.cores.begin()->second;
  return std::ranges::all_of(net.cores, [&](auto& other) { return other.second.summary() == first.summary(); });
}

} // namespace

BOOST_AUTO_TEST_CASE(what_differs_is_exchanged_when_a_link_comes_up) {
  auto net = cluster_of({a, b, c});
  BOOST_TEST(!all_same(net));
  net.link(a.id, b.id);
  net.link(b.id, c.id); // a and c hear of each other by b.
  net.settle();
  BOOST_TEST(all_same(net));
  BOOST_TEST(net.at(a).statements().size() == 3u);
  auto keys = net.at(a).allowed_keys(net.now);
  BOOST_TEST(keys.size() == 2u); // Not its own.
  BOOST_TEST(std::ranges::none_of(keys, [](auto& k) { return k.id == a.id || k.previous; }));
  // Nothing more to say: a summary each, and no answer.
  net.delivered = 0;
  for (int i = 0; i < 4; ++i) net.heartbeat();
  net.settle();
  BOOST_TEST(net.delivered == 4u);
}

BOOST_AUTO_TEST_CASE(an_admission_reaches_everybody_at_once) {
  auto net = cluster_of({a, b});
  net.link(a.id, b.id);
  net.settle();
  auto effects = must(net.at(a).admit(c.statement(), net.now));
  BOOST_TEST(effects.keep_entries.size() == 1u);
  BOOST_TEST(effects.keep_statements.size() == 1u);
  BOOST_TEST((effects.keys_changed && effects.members_changed && !effects.removed_self));
  net.carry(a.id, effects);
  net.settle();
  BOOST_TEST(net.at(b).list().is_member(c.id));
  BOOST_TEST((net.at(b).allowed_keys(net.now).back().key == c.statement().transport ||
              net.at(b).allowed_keys(net.now).front().key == c.statement().transport));
  // Asked again, since the answer was lost: nothing new.
  auto again = must(net.at(a).admit(c.statement(), net.now));
  BOOST_TEST((again.keep_entries.empty() && again.keep_statements.empty() && again.send.empty()));
  auto other_name = c;
  other_name.name = "other";
  BOOST_TEST((net.at(a).admit(other_name.statement(), net.now).error().code == errc::already_exists));
}

BOOST_AUTO_TEST_CASE(a_removed_member_is_told_and_cut_off_everywhere) {
  auto net = cluster_of({a, b, c});
  net.link(a.id, b.id);
  net.link(b.id, c.id);
  net.link(a.id, c.id);
  net.settle();
  auto effects = must(net.at(a).remove(c.id, net.now));
  BOOST_TEST((effects.cut_off == std::vector<node_id>{c.id}));
  BOOST_TEST((effects.forget_statements == std::vector<node_id>{c.id}));
  BOOST_TEST(effects.keys_changed);
  net.carry(a.id, effects);
  net.settle();
  BOOST_TEST((net.cut[b.id] == std::vector<node_id>{c.id}));
  BOOST_TEST((net.told_removed == std::set<node_id>{c.id}));
  for (auto* node : {&a, &b}) {
    BOOST_TEST(net.at(*node).allowed_keys(net.now).size() == 1u);
    BOOST_TEST(net.at(*node).statement_of(c.id) == nullptr);
    BOOST_TEST((net.at(*node).link_up(c.id).cut_off == std::vector<node_id>{c.id}));
  }
  // Whatever it sends is refused, and changes nothing.
  auto before = net.at(a).summary();
  auto entry = must(admit_by_member(before.cluster_id, 99, stranger.sign->public_key(), "stranger", *c.sign, net.now));
  auto result = net.at(a).receive(c.id, membership_update{before.cluster_id, {entry}, {}}, net.now);
  BOOST_TEST((result.refused && result.refused->code == errc::permission_denied));
  BOOST_TEST((net.at(a).summary() == before));
  BOOST_TEST(net.at(a).counts().not_from_member == 1u);
  BOOST_TEST((net.at(c).remove(a.id, net.now).error().code == errc::permission_denied));
}

BOOST_AUTO_TEST_CASE(what_is_forged_or_foreign_is_refused_counted_and_told) {
  auto net = cluster_of({a, b});
  net.link(a.id, b.id);
  net.settle();
  auto& core = net.at(a);
  auto before = core.summary();
  auto cluster = before.cluster_id;
  auto give = [&](membership_update update) { return core.receive(b.id, update, net.now); };
  auto entry = must(admit_by_member(cluster, 9, stranger.sign->public_key(), "stranger", *b.sign, net.now));
  entry.name = "altered";
  BOOST_TEST((give({cluster, {entry}, {}}).refused->code == errc::bad_signature));
  BOOST_TEST((give({cluster, {}, {stranger.statement()}}).refused->code == errc::permission_denied));
  auto renamed = b;
  renamed.name = "a";
  BOOST_TEST((give({cluster, {}, {renamed.statement(9)}}).refused->code == errc::invalid_input));
  auto foreign = cluster;
  foreign[0] ^= 1;
  BOOST_TEST((give({foreign, {}, {b.statement(9)}}).refused->code == errc::protocol_violation));
  BOOST_TEST((core.receive(stranger.id, membership_summary{}, net.now).refused->code == errc::permission_denied));
  BOOST_TEST((core.summary() == before));
  BOOST_TEST(core.counts().entries_refused == 1u);
  BOOST_TEST(core.counts().statements_refused == 2u);
  BOOST_TEST(core.counts().foreign_cluster == 1u);
  BOOST_TEST(core.counts().not_from_member == 1u);
}

BOOST_AUTO_TEST_CASE(a_replaced_transport_key_may_connect_for_a_while) {
  auto net = cluster_of({a, b});
  net.link(a.id, b.id);
  net.settle();
  auto rotated = b.statement(1, 77);
  auto effects = must(net.at(b).announce(rotated, net.now));
  BOOST_TEST(effects.keep_statements.at(0).serial == 2u);
  net.carry(b.id, effects);
  net.settle();
  auto keys = net.at(a).allowed_keys(net.now);
  BOOST_TEST_REQUIRE(keys.size() == 2u);
  BOOST_TEST((keys[0] == allowed_key{rotated.transport, b.id, false}));
  BOOST_TEST((keys[1] == allowed_key{b.statement().transport, b.id, true}));
  BOOST_TEST(net.at(a).allowed_keys(net.now + membership_options{}.previous_key_us).size() == 1u);
  // An older statement does not bring the old key back.
  auto cluster = net.at(a).summary().cluster_id;
  BOOST_TEST(net.at(a).receive(b.id, membership_update{cluster, {}, {b.statement()}}, net.now).effects.keep_statements.empty());
  BOOST_TEST((net.at(a).allowed_keys(net.now)[0].key == rotated.transport));
}

BOOST_AUTO_TEST_CASE(an_unchanged_statement_is_not_made_anew) {
  auto net = cluster_of({a, b});
  auto effects = must(net.at(a).announce(a.statement(), net.now + 5));
  BOOST_TEST((effects.keep_statements.empty() && effects.send.empty()));
  auto renamed = a;
  renamed.name = "other";
  BOOST_TEST((net.at(a).announce(renamed.statement(), net.now).error().code == errc::invalid_input));
}

BOOST_AUTO_TEST_CASE(a_node_with_an_old_data_folder_overtakes_what_others_have_of_it) {
  auto net = cluster_of({a, b});
  net.link(a.id, b.id);
  net.settle();
  for (std::uint8_t i = 20; i < 25; ++i) net.carry(b.id, must(net.at(b).announce(b.statement(1, i), net.now)));
  net.settle();
  BOOST_TEST(net.at(a).statement_of(b.id)->serial == 6u);
  auto list = net.at(b).list();
  net.unlink(a.id, b.id);
  net.cores.erase(b.id);
  net.add(b, list); // Restored from a copy without its statement.
  net.carry(b.id, must(net.at(b).announce(b.statement(1, 99), net.now)));
  net.link(a.id, b.id);
  net.settle();
  BOOST_TEST(all_same(net));
  BOOST_TEST(net.at(a).statement_of(b.id)->serial == 7u);
  BOOST_TEST((net.at(a).statement_of(b.id)->transport == b.statement(1, 99).transport));
}

BOOST_AUTO_TEST_CASE(what_was_kept_is_there_after_a_restart) {
  auto net = cluster_of({a, b});
  net.link(a.id, b.id);
  net.settle();
  auto list = net.at(a).list();
  membership_core again(a.sign, list);
  again.restore({a.statement(1), b.statement(1), stranger.statement(1)});
  BOOST_TEST((again.summary() == net.at(a).summary()));
  BOOST_TEST(must(again.announce(a.statement(1, 50), net.now)).keep_statements.at(0).serial == 2u);
}

BOOST_AUTO_TEST_CASE(a_statement_under_a_name_that_is_no_longer_listed_is_dropped_by_all) {
  auto net = cluster_of({a, b});
  net.link(a.id, b.id);
  net.settle();
  auto list = net.at(a).list();
  auto early = must(admit_by_member(list.origin().cluster_id, 3, c.sign->public_key(), "other", *b.sign, net.now));
  auto late = must(admit_by_member(list.origin().cluster_id, 4, c.sign->public_key(), "c", *a.sign, net.now));
  // Two members admitted it at one time, under two names; a has its statement, b does not.
  BOOST_TEST(!net.at(a).receive(b.id, membership_update{list.origin().cluster_id, {late}, {c.statement()}}, net.now).refused);
  auto effects = net.at(a).receive(b.id, membership_update{list.origin().cluster_id, {early}, {}}, net.now).effects;
  BOOST_TEST((effects.forget_statements == std::vector<node_id>{c.id}));
  BOOST_TEST(net.at(a).list().find(c.id)->name == "other");
  BOOST_TEST(net.at(a).statement_of(c.id) == nullptr);
  BOOST_TEST(net.at(a).allowed_keys(net.now).size() == 1u);
}

BOOST_AUTO_TEST_CASE(nodes_with_the_secret_find_together_by_files_alone) {
  auto secret = must(derive_cluster_secret("correct horse", "files"));
  network net;
  for (auto* node : {&a, &b, &c}) {
    net.add(*node, member_list(secret.origin));
    BOOST_TEST(must(net.at(*node).admit_self(node->name, net.now)).keep_entries.size() == 1u);
    BOOST_TEST(must(net.at(*node).admit_self(node->name, net.now)).keep_entries.empty());
    must(net.at(*node).announce(node->statement(), net.now));
  }
  // Before anything is exchanged nobody is on another's list.
  for (auto* x : {&a, &b, &c})
    for (auto* y : {&a, &b, &c}) {
      if (x == y) continue;
      BOOST_TEST(!net.at(*x).introduce(net.at(*y).introduction(), net.now).refused);
      BOOST_TEST(net.at(*x).list().is_member(y->id));
    }
  net.link(a.id, b.id);
  net.link(b.id, c.id);
  net.settle();
  BOOST_TEST(all_same(net));
  BOOST_TEST(net.at(a).list().members().size() == 3u);
  net.carry(a.id, must(net.at(a).remove(b.id, net.now)));
  BOOST_TEST(must(net.at(a).admit_self("a", net.now)).keep_entries.empty());
  BOOST_TEST(!net.at(a).list().is_member(b.id));
  // The one that was removed knows the secret still. It does not help.
  auto comes_back = net.at(b).introduction();
  comes_back.entries.push_back(must(admit_by_secret(secret.origin, 1, "b", *b.sign, net.now + 9)));
  comes_back.entries.push_back(must(admit_by_member(secret.origin.cluster_id, 1, b.sign->public_key(), "b", *b.sign, net.now)));
  auto refused = net.at(a).introduce(comes_back, net.now).refused;
  BOOST_TEST((refused && refused->code == errc::permission_denied));
  BOOST_TEST(!net.at(a).list().is_member(b.id));
  // Nor can it bring in a removal made up with an old number, of the time when it was a member.
  auto revenge = must(remove_by_member(secret.origin.cluster_id, 1, c.id, {}, *b.sign, net.now));
  refused = net.at(a).introduce(std::span<const member_entry>(&revenge, 1)).refused;
  BOOST_TEST((refused && refused->code == errc::permission_denied));
  BOOST_TEST(net.at(a).list().is_member(c.id));
  auto forger = must(derive_cluster_secret("wrong horse", "files")).origin;
  forger.cluster_id = secret.origin.cluster_id;
  auto forged = must(admit_by_secret(forger, 1, "stranger", *stranger.sign, net.now));
  refused = net.at(a).introduce({secret.origin.cluster_id, {forged}, {stranger.statement()}}, net.now).refused;
  BOOST_TEST((refused && refused->code == errc::permission_denied));
  BOOST_TEST(!net.at(a).list().is_member(stranger.id));
}

BOOST_AUTO_TEST_CASE(all_come_to_know_the_same_whatever_is_lost_or_reordered) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      mesh_random random(seed);
      std::vector<mesh_node> nodes;
      for (auto name : {"n0", "n1", "n2", "n3", "n4", "n5", "n6"}) nodes.emplace_back(name);
      auto net = cluster_of({nodes.begin(), nodes.begin() + 5});
      net.random = mesh_random(seed * 77);
      net.loss_percent = 30;
      net.reorder = true;
      for (std::size_t step = 0; step < 60; ++step) {
        auto x = random.below(5), y = random.below(5);
        auto& core = net.at(nodes[x]);
        switch (random.below(6)) {
          case 0:
            if (x != y) net.link(nodes[x].id, nodes[y].id);
            break;
          case 1:
            if (x != y) net.unlink(nodes[x].id, nodes[y].id);
            break;
          case 2:
            if (auto done = core.announce(nodes[x].statement(1, static_cast<std::uint8_t>(random.below(250))), net.now))
              net.carry(nodes[x].id, *done);
            break;
          case 3:
            if (auto done = core.admit(nodes[5 + random.below(2)].statement(), net.now)) net.carry(nodes[x].id, *done);
            break;
          case 4:
            if (auto done = core.remove(nodes[5 + random.below(2)].id, net.now)) net.carry(nodes[x].id, *done);
            break;
          default: net.heartbeat();
        }
        if (random.chance(50)) net.settle();
      }
      // Healed: all linked in a ring, nothing lost.
      net.loss_percent = 0;
      for (std::size_t i = 0; i < 5; ++i) net.link(nodes[i].id, nodes[(i + 1) % 5].id);
      net.settle();
      for (int i = 0; i < 12; ++i) {
        net.heartbeat();
        net.settle();
      }
      BOOST_TEST_REQUIRE(all_same(net));
      BOOST_TEST_REQUIRE((net.at(nodes[0]).list().members() == net.at(nodes[3]).list().members()));
    }
  }
}
