// tests/unit/network_core_tests.cpp - what nodes of different operators tell each other, and what is made of it.
#define BOOST_TEST_MODULE network_core
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <deque>

#include "actors/mesh/network_core.hpp"
#include "actors/mesh/network_message.hpp"
#include "mesh_fixture.hpp"

using namespace lucid;
using namespace lucid::test;
using namespace std::chrono_literals;

namespace {

const auto other_address = "tcp://10.0.0.9:7800";

struct party {
  mesh_node node;
  transport_key key{};
  network_core core;

  party(const std::string& name, std::uint8_t first, const std::vector<network_peer>& peers)
    : node(name), key(node.statement(1, first).transport), core(node.sign, {}, peers) {
    core.set_own_key(key, 0s);
    (void)core.set_own(node.statement(1, first), 0s);
  }
};

network_peer peer_of(const std::string& name, std::uint8_t first, std::string address = {}) {
  return {mesh_node(name).statement(1, first).transport, std::move(address)};
}

/// a and b, which know each other's keys, with a link of number 1 that a dialled.
struct pair_of_nodes {
  party a{"a", 1, {peer_of("b", 2)}}, b{"b", 2, {peer_of("a", 1)}};
  std::vector<network_outputs::refusal> refused;
  std::vector<byte_buffer> from_a, from_b;

  /// Carries what is said until nobody says more.
  void carry(network_outputs of_a, network_outputs of_b, std::chrono::nanoseconds now) {
    while (!of_a.send.empty() || !of_b.send.empty()) {
      network_outputs next_a, next_b;
      pass(of_a, b.core, next_b, from_a, now);
      pass(of_b, a.core, next_a, from_b, now);
      of_a = std::move(next_a);
      of_b = std::move(next_b);
    }
  }
  void link(std::chrono::nanoseconds now = 0s) {
    auto of_a = a.core.up(1, b.key, true, 11, now);
    auto of_b = b.core.up(1, a.key, false, 22, now);
    carry(std::move(of_a), std::move(of_b), now);
    BOOST_TEST(refused.empty());
  }

private:
  void pass(network_outputs& out, network_core& to, network_outputs& answer, std::vector<byte_buffer>& log,
            std::chrono::nanoseconds now) {
    for (auto& one : out.send) {
      log.push_back(one.bytes);
      auto said = to.heard(one.to, one.bytes, now);
      for (auto& each : said.send) answer.send.push_back(each);
      for (auto& each : said.refused) refused.push_back(each);
    }
  }
};

/// A peer of `core` that says what the test wants.
struct liar {
  mesh_node node{"liar"};
  std::uint64_t counter = 0;
  node_statement statement = node.statement(1, 3);
  network_core& core;
  explicit liar(network_core& whom) : core(whom) {}

  byte_buffer sealed(network_message type, byte_view content, std::uint64_t epoch = 0) {
    return must(seal_envelope({static_cast<std::uint16_t>(type), node.id, ++counter, epoch}, content, *node.sign));
  }
  byte_buffer hello() { return sealed(network_message::hello, encode_network_hello({33, "x", encode_statement(statement)})); }
  byte_buffer list(const std::vector<node_statement>& statements, std::uint64_t epoch = 44) {
    peer_list all;
    for (auto& one : statements) all.statements.push_back(encode_statement(one));
    std::ranges::sort(all.statements, [](auto& a, auto& b) { return std::ranges::lexicographical_compare(a, b); });
    return sealed(network_message::peer_list, encode_peer_list(all), epoch);
  }
  void greet(link_id link = 1, std::chrono::nanoseconds now = 0s) {
    counter = 0;
    BOOST_TEST(core.up(link, statement.transport, false, 44, now).refused.empty());
    BOOST_TEST(core.heard(link, hello(), now).refused.empty());
    BOOST_REQUIRE(core.who(link).has_value());
  }
  network_outputs::refusal refusal(byte_view bytes, link_id link = 1) {
    auto before = core.known();
    auto out = core.heard(link, bytes, 0s);
    BOOST_REQUIRE(out.refused.size() == 1u);
    BOOST_TEST(out.refused[0].link == link);
    BOOST_TEST(!out.refused[0].why.what.empty());
    BOOST_TEST((core.known() == before)); // Nothing of it is taken.
    return out.refused[0];
  }
};

std::vector<node_statement> tales(std::size_t count, std::size_t from = 0) {
  std::vector<node_statement> made;
  for (std::size_t i = from; i < from + count; ++i) made.push_back(mesh_node("tale-" + std::to_string(i)).statement());
  return made;
}

bool knows(const network_core& core, const mesh_node& node, std::uint64_t serial = 1) {
  for (auto& one : core.known())
    if (subject_of(one) == node.id) return one.serial == serial;
  return false;
}

} // namespace

BOOST_TEST_DONT_PRINT_LOG_VALUE(lucid::peer_offence)

BOOST_AUTO_TEST_CASE(peers_are_read_with_and_without_an_address) {
  std::string key(64, 'a');
  BOOST_TEST(must(parse_network_peer(key)).address.empty());
  auto with = must(parse_network_peer(key + "@" + other_address));
  BOOST_TEST(with.address == other_address);
  BOOST_TEST(with.key[31] == 0xaa);
  for (auto& wrong : {std::string(), key + "a", key + "@", key + "@10.0.0.9:7800", std::string(63, 'a'), std::string(64, 'x'),
                      key + " @tcp://10.0.0.9:7800", key + "@tcp://10.0.0.9:7800@tcp://10.0.0.9:7801"})
    BOOST_TEST(!parse_network_peer(wrong).has_value(), wrong);
}

BOOST_AUTO_TEST_CASE(two_nodes_say_who_they_are_and_what_they_know) {
  pair_of_nodes two;
  two.link();
  BOOST_TEST((two.a.core.who(1) == two.b.node.id));
  BOOST_TEST((two.b.core.who(1) == two.a.node.id));
  BOOST_TEST(knows(two.a.core, two.b.node));
  BOOST_TEST(knows(two.b.core, two.a.node));
  BOOST_REQUIRE(two.from_a.size() == 2u); // Hello, then one list.
  auto head = must(peek_envelope(two.from_a[1], envelope_ring::network));
  BOOST_TEST(head.epoch == 22u); // What b drew.
  BOOST_TEST(two.a.core.linked() == 1u);
  two.a.core.down(1, 1s);
  BOOST_TEST(two.a.core.linked() == 0u);
  BOOST_TEST(knows(two.a.core, two.b.node)); // It is remembered.
}

BOOST_AUTO_TEST_CASE(what_is_new_is_told_at_most_each_interval) {
  pair_of_nodes two;
  two.link();
  BOOST_TEST(two.a.core.tick(31s).send.empty()); // Nothing new.
  (void)two.a.core.set_own(two.a.node.statement(2, 1), 32s);
  auto news = two.a.core.tick(32s);
  BOOST_REQUIRE(news.send.size() == 1u);
  two.carry(std::move(news), {}, 32s);
  BOOST_TEST(knows(two.b.core, two.a.node, 2));
  (void)two.a.core.set_own(two.a.node.statement(3, 1), 33s);
  BOOST_TEST(two.a.core.tick(61s).send.empty());
  two.carry(two.a.core.tick(62s), {}, 62s);
  BOOST_TEST(knows(two.b.core, two.a.node, 3));
  two.carry(two.b.core.tick(100s), {}, 100s); // b knows what a said of itself, and does not tell a.
  BOOST_TEST(two.refused.empty());
  BOOST_TEST(two.from_b.size() == 2u);
}

BOOST_AUTO_TEST_CASE(an_older_statement_does_not_replace_a_newer_one) {
  party a("a", 1, {{mesh_node("liar").statement(1, 3).transport, ""}});
  liar peer(a.core);
  peer.greet();
  mesh_node x("x");
  a.core.heard(1, peer.list({x.statement(5)}), 0s);
  a.core.heard(1, peer.list({x.statement(4)}), 0s);
  BOOST_TEST(knows(a.core, x, 5));
  a.core.heard(1, peer.list({x.statement(6)}), 0s);
  BOOST_TEST(knows(a.core, x, 6));
  BOOST_TEST(a.core.counts().statements_ignored == 1u);
}

BOOST_AUTO_TEST_CASE(each_breach_is_refused_and_named) {
  party a("a", 1, {{mesh_node("liar").statement(1, 3).transport, ""}});
  liar peer(a.core);
  a.core.up(1, peer.statement.transport, false, 44, 0s);
  BOOST_TEST((peer.refusal(peer.list({})).offence == peer_offence::replayed)); // Before hello.
  BOOST_TEST((peer.refusal({}).offence == peer_offence::malformed));
  auto cluster = must(seal_envelope({static_cast<std::uint16_t>(mesh_message::heartbeat), peer.node.id, 1, 0}, byte_buffer(16),
                                    *peer.node.sign));
  BOOST_TEST((peer.refusal(cluster).offence == peer_offence::not_allowed));

  auto with = [&](const node_statement& statement) {
    return peer.sealed(network_message::hello, encode_network_hello({33, "x", encode_statement(statement)}));
  };
  BOOST_TEST((peer.refusal(with(mesh_node("victim").statement(1, 3))).offence == peer_offence::bad_signature));
  BOOST_TEST((peer.refusal(with(peer.node.statement(1, 4))).offence == peer_offence::not_allowed)); // Not the link's key.
  auto forged = peer.statement;
  forged.serial = 9;
  BOOST_TEST((peer.refusal(with(forged)).offence == peer_offence::bad_signature));
  auto late = peer.sealed(network_message::hello, encode_network_hello({33, "x", encode_statement(peer.statement)}), 44);
  BOOST_TEST((peer.refusal(late).offence == peer_offence::replayed)); // A hello has no epoch.
  BOOST_TEST(!a.core.who(1).has_value());

  a.core.down(1, 0s);
  peer.greet();
  BOOST_TEST((peer.refusal(peer.hello()).offence == peer_offence::replayed));
  BOOST_TEST((peer.refusal(peer.list({}, 45)).offence == peer_offence::replayed));
  auto list = peer.list({});
  BOOST_TEST(a.core.heard(1, list, 0s).refused.empty());
  BOOST_TEST((peer.refusal(list).offence == peer_offence::replayed));
  auto altered = peer.list(tales(1));
  altered[altered.size() - 80] ^= 1;
  BOOST_TEST((peer.refusal(altered).offence == peer_offence::bad_signature));
  auto lie = mesh_node("victim").statement();
  lie.serial = 7;
  auto mixed = tales(3);
  mixed.push_back(lie);
  BOOST_TEST((peer.refusal(peer.list(mixed)).offence == peer_offence::bad_signature)); // The three are not taken either.
  mesh_node other("other");
  auto of_other = must(seal_envelope({257, other.id, 100, 44}, encode_peer_list({}), *other.sign));
  BOOST_TEST((peer.refusal(of_other).offence == peer_offence::replayed));
  BOOST_TEST(a.core.heard(99, list, 0s).refused.empty()); // A link that is no more.
}

BOOST_AUTO_TEST_CASE(our_own_words_brought_back_are_nobodys_hello) {
  pair_of_nodes two;
  two.link();
  party c("c", 5, {{two.a.key, ""}});
  BOOST_TEST(two.from_a.size() == 2u);
  two.a.core.down(1, 0s);
  (void)two.a.core.up(2, two.b.key, false, 12, 0s);
  BOOST_TEST(two.a.core.heard(2, two.from_a[0], 0s).refused.size() == 1u);
  // b's list for the earlier link is not heard on this one.
  BOOST_TEST(two.a.core.heard(2, two.from_b[0], 0s).refused.empty()); // Its hello may be: it costs, and says what is true.
  BOOST_TEST(two.a.core.heard(2, two.from_b[1], 0s).refused.size() == 1u);
}

BOOST_AUTO_TEST_CASE(members_of_the_cluster_are_neither_told_of_nor_taken) {
  pair_of_nodes two;
  mesh_node member("member");
  two.a.core.set_members({member.id, two.a.node.id});
  two.link();
  liar peer(two.a.core);
  party a("a", 1, {{peer.statement.transport, ""}});
  liar teller(a.core);
  teller.greet();
  a.core.heard(1, teller.list({member.statement(), mesh_node("x").statement()}), 0s);
  BOOST_TEST(knows(a.core, member));
  a.core.set_members({member.id, a.node.id}); // It joined.
  BOOST_TEST(!knows(a.core, member));
  a.core.heard(1, teller.list({member.statement(2)}), 0s);
  BOOST_TEST(!knows(a.core, member, 2));
  a.core.heard(1, teller.list({a.node.statement(99)}), 0s); // And nobody tells us who we are.
  BOOST_TEST(!knows(a.core, a.node, 99));
}

BOOST_AUTO_TEST_CASE(made_up_identities_displace_their_own_alone) {
  auto second = mesh_node("b").statement(1, 2);
  party a("a", 1, {{mesh_node("liar").statement(1, 3).transport, ""}, {second.transport, ""}});
  liar peer(a.core);
  peer.greet();
  liar honest(a.core);
  honest.node = mesh_node("b");
  honest.statement = second;
  honest.greet(2);
  mesh_node x("x");
  BOOST_TEST(a.core.heard(2, honest.list({x.statement()}), 0s).refused.empty());
  for (std::size_t i = 0; i < 40; ++i) {
    auto now = std::chrono::seconds(i);
    BOOST_TEST(a.core.heard(1, peer.list(tales(network_statements_max, i * network_statements_max)), now).refused.empty());
    BOOST_TEST(a.core.known().size() <= network_core::told_by_one_max + 2);
  }
  BOOST_TEST(knows(a.core, x));
  BOOST_TEST(knows(a.core, honest.node));
  BOOST_TEST(knows(a.core, peer.node)); // Linked.
  BOOST_TEST(!knows(a.core, mesh_node("tale-0")));
  BOOST_TEST(knows(a.core, mesh_node("tale-1279")));
}

BOOST_AUTO_TEST_CASE(what_is_known_is_bounded_and_the_oldest_goes) {
  std::vector<network_peer> peers;
  std::vector<mesh_node> nodes;
  for (int i = 0; i < 8; ++i) nodes.emplace_back("teller-" + std::to_string(i));
  for (auto& node : nodes) peers.push_back({node.statement(1, 3).transport, ""});
  party a("a", 1, peers);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    liar teller(a.core);
    teller.node = nodes[i];
    teller.statement = nodes[i].statement(1, 3);
    auto now = std::chrono::seconds(i);
    teller.greet(i + 1, now);
    for (std::size_t part = 0; part < 3; ++part)
      BOOST_TEST(a.core.heard(i + 1, teller.list(tales(32, 100 * i + 32 * part)), now).refused.empty());
  }
  BOOST_TEST(a.core.known().size() == network_core::known_max);
  BOOST_TEST(!knows(a.core, mesh_node("tale-0")));
  BOOST_TEST(knows(a.core, mesh_node("tale-795")));
  for (auto& node : nodes) BOOST_TEST(knows(a.core, node));
}

BOOST_AUTO_TEST_CASE(much_news_is_told_in_parts) {
  party a("a", 1, {{mesh_node("liar").statement(1, 3).transport, ""}, peer_of("b", 2)});
  party b("b", 2, {peer_of("a", 1)});
  liar teller(a.core);
  teller.greet(7);
  for (std::size_t part = 0; part < 3; ++part) a.core.heard(7, teller.list(tales(32, 32 * part)), 0s);
  auto of_a = a.core.up(1, b.key, true, 11, 0s);
  auto of_b = b.core.up(1, a.key, false, 22, 0s);
  for (auto& one : of_a.send) (void)b.core.heard(1, one.bytes, 0s);
  network_outputs lists;
  for (auto& one : of_b.send) lists = a.core.heard(1, one.bytes, 0s);
  std::size_t parts = 0;
  for (auto now = 0s; parts < 20; now += 30s) {
    std::erase_if(lists.send, [](auto& one) { return one.to != 1; });
    if (lists.send.empty()) break;
    BOOST_REQUIRE(lists.send.size() == 1u);
    BOOST_TEST(b.core.heard(1, lists.send[0].bytes, now).refused.empty());
    ++parts;
    lists = a.core.tick(now + 30s);
  }
  BOOST_TEST(parts == 4u); // 96, the teller, and a itself.
  BOOST_TEST(b.core.known().size() == 98u);
}

BOOST_AUTO_TEST_CASE(mute_links_and_more_links_than_two_are_ended) {
  party a("a", 1, {peer_of("b", 2)});
  auto b_key = peer_of("b", 2).key;
  BOOST_TEST(a.core.up(1, b_key, false, 1, 0s).refused.empty());
  BOOST_TEST(a.core.up(2, b_key, false, 2, 0s).refused.empty());
  auto third = a.core.up(3, b_key, false, 3, 0s);
  BOOST_REQUIRE(third.refused.size() == 1u);
  BOOST_TEST((third.refused[0].offence == peer_offence::flood));
  BOOST_TEST(third.send.empty());
  BOOST_TEST(a.core.tick(10s).close.empty());
  BOOST_TEST(a.core.tick(11s).close.size() == 3u);
}

BOOST_AUTO_TEST_CASE(peers_with_an_address_are_dialled_with_growing_pauses) {
  party a("a", 1, {peer_of("b", 2, other_address), peer_of("c", 3)});
  auto wishes = a.core.due(0s);
  BOOST_REQUIRE(wishes.size() == 1u);
  BOOST_TEST(wishes[0].address == other_address);
  std::size_t dialled = 1;
  a.core.dial_failed(wishes[0].name, 0s);
  for (auto now = 0ms; now < 10min; now += 50ms)
    for (auto& wish : a.core.due(now)) {
      a.core.dialling(wish.name, 100 + dialled);
      a.core.down(100 + dialled, now); // In vain.
      ++dialled;
    }
  BOOST_TEST(dialled > 12u);
  BOOST_TEST(dialled < 25u); // Up to a minute.
}

BOOST_AUTO_TEST_CASE(when_both_dial_one_link_is_left_and_both_know_which) {
  party a("a", 1, {peer_of("b", 2, other_address)}), b("b", 2, {peer_of("a", 1, other_address)});
  a.core.dialling(a.core.due(0s).at(0).name, 1);
  b.core.dialling(b.core.due(0s).at(0).name, 2);
  auto hello = [](network_outputs out) { return out.send.at(0).bytes; };
  auto a1 = hello(a.core.up(1, b.key, true, 5, 0s)), b1 = hello(b.core.up(1, a.key, false, 5, 0s));
  auto a2 = hello(a.core.up(2, b.key, false, 5, 0s)), b2 = hello(b.core.up(2, a.key, true, 5, 0s));
  std::vector<link_id> ended_by_a, ended_by_b;
  for (auto [link, bytes] : {std::pair(2, &b2), {1, &b1}})
    for (auto ended : a.core.heard(static_cast<link_id>(link), *bytes, 0s).close) ended_by_a.push_back(ended);
  for (auto [link, bytes] : {std::pair(1, &a1), {2, &a2}})
    for (auto ended : b.core.heard(static_cast<link_id>(link), *bytes, 0s).close) ended_by_b.push_back(ended);
  BOOST_TEST(ended_by_a == std::vector<link_id>{2}, boost::test_tools::per_element()); // The lower key dialled link 1.
  BOOST_TEST(ended_by_b == std::vector<link_id>{2}, boost::test_tools::per_element());
  a.core.down(2, 1s);
  b.core.down(2, 1s);
  BOOST_TEST(a.core.due(10s).empty());
  BOOST_TEST(b.core.due(10s).empty());
}

BOOST_AUTO_TEST_CASE(without_a_statement_nothing_is_said) {
  mesh_node node("a");
  network_core core(node.sign, {}, {peer_of("b", 2)});
  core.set_own_key({1}, 0s);
  BOOST_TEST(core.up(1, peer_of("b", 2).key, false, 3, 0s).send.empty());
  BOOST_TEST(core.set_own(node.statement(), 1s).send.size() == 1u);
  BOOST_TEST(core.set_own(node.statement(2), 2s).send.empty()); // Said hello already.
}
