// tests/unit/honest_load_tests.cpp - what a sound cluster says fits into the quota of its members.
#define BOOST_TEST_MODULE honest_load
#include <boost/test/unit_test.hpp>

#include <deque>

#include "actors/mesh/envelope.hpp"
#include "actors/mesh/membership_core.hpp"
#include "actors/mesh/peer_quota.hpp"
#include "mesh_fixture.hpp"

using namespace lucid;
using namespace lucid::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t cost_of(mesh_message type) {
  return rule_of(static_cast<std::uint16_t>(type), envelope_ring::cluster)->cost;
}
void admit(peer_quota& quota, const transport_key& from, mesh_message type, std::size_t content, peer_quota::time now) {
  auto admitted = quota.admit(from, envelope_overhead_bytes + content, static_cast<std::uint32_t>(cost_of(type)), now);
  BOOST_TEST_REQUIRE(admitted.has_value(), rule_of(static_cast<std::uint16_t>(type), envelope_ring::cluster)->name);
}

} // namespace

/// Fifty nodes that admit themselves meet, all in one moment, and each passes on all that it hears.
BOOST_AUTO_TEST_CASE(fifty_nodes_form_a_cluster_at_once) {
  constexpr std::size_t count = 50;
  auto secret = must(derive_cluster_secret("0123456789abcdef0123456789abcdef", "home"));
  std::vector<mesh_node> nodes;
  std::vector<membership_core> cores;
  for (std::size_t i = 0; i < count; ++i) {
    nodes.emplace_back("node-" + std::to_string(i));
    cores.emplace_back(nodes[i].sign, member_list(secret.origin));
    must(cores[i].admit_self(nodes[i].name, mesh_time_us));
    must(cores[i].announce(nodes[i].statement(), mesh_time_us));
  }
  std::map<node_id, std::size_t> index;
  for (std::size_t i = 0; i < count; ++i) index[nodes[i].id] = i;
  // What one node takes is enough: they are all alike. The others' quotas are not asked.
  peer_quota quota(member_quota(500ms));
  struct letter {
    std::size_t from, to;
    membership_message what;
  };
  std::deque<letter> under_way;
  auto carry = [&](std::size_t from, const membership_effects& effects) {
    for (auto& send : effects.send) under_way.push_back({from, index.at(send.to), send.what});
  };
  std::size_t messages = 0, bytes = 0;
  auto settle = [&] {
    while (!under_way.empty()) {
      auto next = std::move(under_way.front());
      under_way.pop_front();
      if (next.to == 0) {
        auto size = encode_membership(next.what).size();
        admit(quota, nodes[next.from].id, mesh_message::membership, size, 0s);
        ++messages;
        bytes += size;
      }
      carry(next.to, cores[next.to].receive(nodes[next.from].id, next.what, mesh_time_us).effects);
    }
  };
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t j = i + 1; j < count; ++j) { // Each link: both introduce themselves, as a hello does.
      for (auto [a, b] : {std::pair(i, j), {j, i}}) {
        if (b == 0) admit(quota, nodes[a].id, mesh_message::hello, hello_bytes_max, 0s);
        if (!cores[b].list().is_member(nodes[a].id)) carry(b, cores[b].introduce(cores[a].introduction(), mesh_time_us).effects);
      }
      carry(i, cores[i].link_up(nodes[j].id));
      carry(j, cores[j].link_up(nodes[i].id));
    }
  settle();
  for (auto& core : cores) BOOST_TEST(core.list().members().size() == count);
  BOOST_TEST_MESSAGE(messages << " messages, " << bytes / 1024 << " KiB to one node");
  for (auto& node : nodes) BOOST_TEST(!quota.is_banned(node.id, 0s));
}

/// Heartbeats both ways with their answers, leases asked and granted, a summary every fourth time: for an hour.
BOOST_AUTO_TEST_CASE(a_member_is_heard_for_as_long_as_it_likes) {
  for (auto interval : {std::chrono::milliseconds(50), std::chrono::milliseconds(500), std::chrono::milliseconds(5000)}) {
    peer_quota quota(member_quota(interval));
    transport_key peer{1};
    std::size_t beats = 0;
    for (auto now = peer_quota::time(0); now < 1h; now += interval, ++beats) {
      admit(quota, peer, mesh_message::heartbeat, heartbeat_bytes_max, now);
      admit(quota, peer, mesh_message::heartbeat, heartbeat_bytes_max, now);
      admit(quota, peer, mesh_message::lease, 2 * 70, now); // Two roles asked for.
      admit(quota, peer, mesh_message::lease, 2 * 70, now); // And answered.
      if (beats % 4 == 0) admit(quota, peer, mesh_message::membership, 200, now);
    }
  }
}

/// A list of 1,024 entries of each kind and 256 statements, in messages of full length, twice within a second.
BOOST_AUTO_TEST_CASE(a_list_of_full_length_comes_through) {
  peer_quota quota(member_quota(500ms));
  transport_key peer{1};
  for (std::size_t sent = 0; sent < 3u << 20; sent += membership_update_bytes)
    admit(quota, peer, mesh_message::membership, membership_message_bytes_max, 0s);
  peer_quota joiner; // The answer to a wish to join comes by the same road as a stranger's words.
  admit(joiner, peer, mesh_message::hello, hello_bytes_max, 0s);
  admit(joiner, peer, mesh_message::join_reply, join_answer_bytes_max, 0s);
}

/// After a burst beyond the quota: the rest is passed over, and who asks again by its summaries is not banned.
BOOST_AUTO_TEST_CASE(an_honest_excess_is_forgiven) {
  peer_quota quota(member_quota(500ms));
  transport_key peer{1};
  std::size_t over = 0;
  for (int i = 0; i < 552; ++i) over += quota.admit(peer, 300, 8, 0s).has_value() ? 0 : 1;
  BOOST_TEST(over == 40u);
  BOOST_TEST(!quota.is_banned(peer, 0s));
  BOOST_TEST(quota.admit(peer, 300, 8, 1s).has_value());
}
