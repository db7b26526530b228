// tests/integration/mesh_hostile_tests.cpp - a real node's links, and a program that breaks every rule of them.
#define BOOST_TEST_MODULE mesh_hostile_tests
#include <boost/test/unit_test.hpp>

#include "actors/mesh/network_message.hpp"
#include "tests/doubles/mesh_end.hpp"
#include "tests/doubles/resident_memory.hpp"

using namespace lucid;
using namespace lucid::testing;
using namespace std::chrono_literals;

namespace {

/// alpha is real; beta's key is on its list, and a program has it.
struct attacked {
  cluster_plan plan;
  mesh_end alpha{plan.pair("alpha")};
  hostile_end beta{plan.pair("beta")};

  attacked() {
    plan.nodes = {{"alpha", alpha.address}, {"beta", "tcp://127.0.0.1:1"}};
    alpha.start("alpha", &plan);
    BOOST_REQUIRE(alpha.number("links") == 0u);
  }
  byte_buffer hello() {
    mesh_hello said{plan.secret.origin.cluster_id, beta.statement("beta"), {}};
    said.admission.push_back(must(admit_by_secret(plan.secret.origin, 1, "beta", *beta.sign, 1)));
    return encode_hello(said);
  }
  link_id linked() {
    auto link = beta.dial(alpha);
    BOOST_REQUIRE(link != 0u);
    return link;
  }
  /// As a member that has said who it is.
  link_id met() {
    auto link = linked();
    BOOST_REQUIRE(beta.put(link, beta.sealed(mesh_message::hello, hello())));
    BOOST_REQUIRE(alpha.wait_for([&] { return alpha.number("members up beside this one") == 1; }));
    return link;
  }
  /// The link ends, for that reason.
  void ends(link_id link, const std::string& why) {
    BOOST_TEST(beta.cut(link), "not cut: " << why);
    BOOST_TEST(alpha.refused(why), "not refused as " << why << ":\n" << alpha.all_refusals());
    alpha.forget_refusals();
  }
};

const byte_buffer beat = encode_heartbeat({1, 0});
constexpr auto offset_of_sender = 7, offset_of_length = 3;

} // namespace

BOOST_FIXTURE_TEST_CASE(a_key_that_is_not_on_the_list_is_not_let_in, attacked) {
  hostile_end stranger(new_transport_pair());
  BOOST_TEST(stranger.dial(alpha) == 0u);
  BOOST_TEST(alpha.refused("mesh link"));
  BOOST_TEST(alpha.number("connections refused") >= 1u);
  hostile_end guesser(transport_pair_of(joining_secret(invitation{})));
  BOOST_TEST(guesser.dial(alpha) == 0u); // A token that nobody gave out.
}

BOOST_FIXTURE_TEST_CASE(nothing_is_taken_before_hello, attacked) {
  auto sends = [&](auto type, byte_view content, const char* why) {
    auto link = linked();
    beta.put(link, beta.sealed(type, content));
    ends(link, why);
  };
  sends(mesh_message::heartbeat, beat, "before the peer has said who it is");
  sends(mesh_message::lease, encode_lease_message({}), "before the peer has said who it is");
  sends(mesh_message::membership, encode_membership(membership_summary{}), "before the peer has said who it is");
  sends(mesh_message::join_request, encode_join_request({plan.secret.origin.cluster_id, beta.statement()}),
        "without a valid invitation");
  sends(mesh_message::join_reply, must(encode_join_answer(join_refused{errc::refused, "no"})), "that nobody asked for");
  BOOST_TEST(alpha.number("envelopes heard") == 0u);
  BOOST_TEST(alpha.number("members up beside this one") == 0u);
}

BOOST_FIXTURE_TEST_CASE(what_is_no_envelope_ends_the_link, attacked) {
  auto link = linked();
  auto long_beat = beta.sealed(mesh_message::heartbeat, beat);
  long_beat[offset_of_length + 2] = 0x10; // 1 MiB
  long_beat.resize(60'000);
  beta.put(link, long_beat);
  ends(link, "at most 16 are allowed");
  link = linked();
  auto unknown = beta.sealed(mesh_message::heartbeat, beat);
  unknown[1] = 99;
  beta.put(link, unknown);
  ends(link, "no message of type 99");
  link = linked();
  beta.put(link, beta.sealed(network_message::peer_list, encode_peer_list({})));
  ends(link, "no message of type 257");
  link = linked();
  beta.put(link, beta.sealed(mesh_message::membership, byte_buffer(100'000, 1)));
  ends(link, "more than may be said on this link yet");
  link = linked();
  beta.put_frame(link, {3, 1, 2, 3});
  ends(link, "a frame of channel 3");
  link = linked();
  beta.put_frame(link, {9, 1, 2, 3});
  ends(link, "a frame of channel 9");
}

BOOST_FIXTURE_TEST_CASE(a_member_may_neither_repeat_nor_alter_nor_speak_for_another, attacked) {
  auto link = met();
  auto once = beta.sealed(mesh_message::heartbeat, beat);
  beta.put(link, once);
  beta.put(link, once);
  ends(link, "sent before");
  link = met();
  auto altered = beta.sealed(mesh_message::heartbeat, beat);
  altered[altered.size() - 70] ^= 1;
  beta.put(link, altered);
  ends(link, "signature is not the sender's");
  link = met();
  auto other = beta.sealed(mesh_message::heartbeat, beat);
  other[offset_of_sender] ^= 1;
  beta.put(link, other);
  ends(link, "in the name of another");
  BOOST_TEST(alpha.wait_for([&] { return alpha.number("members up beside this one") == 0; }));
}

BOOST_FIXTURE_TEST_CASE(another_nodes_hello_says_nothing_over_a_link_of_ones_own, attacked) {
  // What alpha said to beta is brought back, and to a link that is not alpha's.
  auto link = met();
  BOOST_REQUIRE(beta.book.wait([&] { return !beta.book.at(link).frames.empty(); }));
  auto theirs = beta.heard(link).front();
  auto again = linked();
  beta.put(again, theirs);
  ends(again, "is not that of alpha");
}

BOOST_AUTO_TEST_CASE(an_invitation_lets_one_node_in_and_a_removal_puts_it_out) {
  mesh_end alpha(new_transport_pair());
  alpha.start("alpha", nullptr);
  must(alpha.ask<cluster_ack>(cluster_init_request{"home"}));
  auto text = must(alpha.ask<cluster_invitation>(cluster_invite_request{600})).text;
  auto given = must(read_invitation(text));
  auto joining = [&](hostile_end& who) {
    auto link = who.dial(alpha);
    BOOST_REQUIRE(link != 0u);
    who.put(link, who.sealed(mesh_message::join_request, encode_join_request({given.cluster_id, who.statement()})));
    return link;
  };
  auto answers = [](hostile_end& who, link_id link) {
    std::vector<join_answer> found;
    for (auto& bytes : who.heard(link))
      if (auto head = peek_envelope(bytes); head && head->type == static_cast<std::uint16_t>(mesh_message::join_reply))
        found.push_back(must(decode_join_answer(envelope_content(bytes))));
    return found;
  };
  hostile_end first(transport_pair_of(joining_secret(given))), second(transport_pair_of(joining_secret(given)));
  auto link = joining(first);
  BOOST_REQUIRE(alpha.wait_for([&] { return !answers(first, link).empty(); }));
  BOOST_TEST(std::holds_alternative<join_accepted>(answers(first, link).front()));
  BOOST_TEST(alpha.number("members") == 2u);
  link = joining(second);
  BOOST_REQUIRE(alpha.wait_for([&] { return !answers(second, link).empty(); }));
  BOOST_TEST(std::holds_alternative<join_refused>(answers(second, link).front()));
  BOOST_TEST(alpha.number("members") == 2u);
  BOOST_TEST(alpha.refused("join"));

  must(alpha.ask<cluster_ack>(cluster_remove_request{"mallory"}));
  BOOST_TEST(alpha.number("members") == 1u);
  auto back = first.dial(alpha); // By the invitation, which is not over yet; its one use is.
  if (back != 0) {
    mesh_hello hello{given.cluster_id, first.statement(), {}};
    first.put(back, first.sealed(mesh_message::hello, encode_hello(hello)));
    BOOST_TEST(first.cut(back));
  }
  BOOST_TEST(alpha.number("members") == 1u);
  BOOST_TEST(alpha.number("members up beside this one") == 0u);
}

BOOST_AUTO_TEST_CASE(an_invitation_names_as_many_addresses_as_it_has_room_for) {
  mesh_end alpha(new_transport_pair());
  for (int i = 1; i <= 6; ++i) alpha.more_addresses.push_back("tcp://10.0.0." + std::to_string(i) + ":7800");
  alpha.start("alpha", nullptr);
  must(alpha.ask<cluster_ack>(cluster_init_request{"home"}));
  auto given = must(read_invitation(must(alpha.ask<cluster_invitation>(cluster_invite_request{600})).text));
  BOOST_REQUIRE(given.addresses.size() == invitation_address_count_max);
  BOOST_TEST(given.addresses.front() == alpha.address);
  BOOST_TEST(given.addresses.back() == "tcp://10.0.0.6:7800");
}

BOOST_AUTO_TEST_CASE(an_invitation_that_was_taken_back_lets_nobody_in) {
  mesh_end alpha(new_transport_pair());
  alpha.start("alpha", nullptr);
  must(alpha.ask<cluster_ack>(cluster_init_request{"home"}));
  auto made = must(alpha.ask<cluster_invitation>(cluster_invite_request{600}));
  auto kept = must(alpha.ask<cluster_invitation>(cluster_invite_request{600}));
  auto given = must(read_invitation(made.text));
  hostile_end early(transport_pair_of(joining_secret(given)));
  auto link = early.dial(alpha);
  BOOST_REQUIRE(link != 0u); // It is connected, and has not asked yet.
  auto open = must(alpha.ask<cluster_invitations>(cluster_invitations_request{})).open;
  BOOST_REQUIRE(open.size() == 2u);
  BOOST_TEST((open[0].id == made.id || open[1].id == made.id));
  must(alpha.ask<cluster_ack>(cluster_uninvite_request{made.id}));
  BOOST_TEST(early.cut(link));
  BOOST_TEST(early.dial(alpha) == 0u);
  open = must(alpha.ask<cluster_invitations>(cluster_invitations_request{})).open;
  BOOST_REQUIRE(open.size() == 1u);
  BOOST_TEST(open[0].id == kept.id);
  BOOST_TEST((alpha.ask<cluster_ack>(cluster_uninvite_request{made.id}).error().code == errc::not_found));
  must(alpha.ask<cluster_ack>(cluster_uninvite_request{"all"}));
  hostile_end late(transport_pair_of(joining_secret(must(read_invitation(kept.text)))));
  BOOST_TEST(late.dial(alpha) == 0u);
  BOOST_TEST(alpha.number("members") == 1u);
}

BOOST_AUTO_TEST_CASE(a_removed_members_key_is_not_let_in) {
  mesh_end alpha(new_transport_pair());
  alpha.start("alpha", nullptr);
  must(alpha.ask<cluster_ack>(cluster_init_request{"home"}));
  auto given = must(read_invitation(must(alpha.ask<cluster_invitation>(cluster_invite_request{600})).text));
  hostile_end member(new_transport_pair());
  hostile_end door(transport_pair_of(joining_secret(given)));
  door.sign = member.sign;
  auto link = door.dial(alpha);
  BOOST_REQUIRE(link != 0u);
  door.put(link, door.sealed(mesh_message::join_request, encode_join_request({given.cluster_id, member.statement()})));
  BOOST_REQUIRE(alpha.wait_for([&] { return alpha.number("members") == 2; }));
  link = member.dial(alpha);
  BOOST_REQUIRE(link != 0u);
  member.put(link, member.sealed(mesh_message::hello, encode_hello({given.cluster_id, member.statement(), {}})));
  BOOST_REQUIRE(alpha.wait_for([&] { return alpha.number("members up beside this one") == 1; }));
  must(alpha.ask<cluster_ack>(cluster_remove_request{"mallory"}));
  BOOST_TEST(member.cut(link));
  BOOST_TEST(member.dial(alpha) == 0u);
  BOOST_TEST(member.dial(alpha.keys.open, alpha.chunk_address) == 0u);
  BOOST_TEST(alpha.number("members up beside this one") == 0u);
}

// The network ring.

namespace {

/// alpha with a peer of another operator.
struct network_attacked {
  cluster_plan plan;
  mesh_end alpha{plan.pair("alpha")};
  hostile_end peer{new_transport_pair()};

  network_attacked() {
    plan.nodes = {{"alpha", alpha.address}, {"beta", "tcp://127.0.0.1:1"}};
    alpha.start("alpha", &plan, {{peer.keys.open, ""}});
    BOOST_REQUIRE(alpha.number("links") == 0u);
  }
  link_id linked() {
    auto link = peer.dial(alpha);
    BOOST_REQUIRE(link != 0u);
    BOOST_REQUIRE(alpha.wait_for([&] { return !peer.heard(link).empty(); }));
    return link;
  }
  network_hello their_hello(link_id link) { return must(decode_network_hello(envelope_content(peer.heard(link).front()))); }
  byte_buffer hello(std::uint64_t epoch = 77) {
    return peer.sealed(network_message::hello, encode_network_hello({epoch, "hostile", encode_statement(peer.statement())}));
  }
  void ends(link_id link, const std::string& why) {
    BOOST_TEST(peer.cut(link), "not cut: " << why);
    BOOST_TEST(alpha.refused(why), "not refused as " << why << ":\n" << alpha.all_refusals());
    alpha.forget_refusals();
  }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_network_peer_exchanges_statements, network_attacked) {
  auto link = linked();
  auto theirs = their_hello(link);
  auto statement = must(decode_statement(theirs.statement));
  BOOST_TEST(statement.name == "alpha");
  BOOST_TEST((statement.transport == alpha.keys.open));
  BOOST_TEST(statement.chunk_addresses.empty());
  peer.put(link, hello());
  BOOST_REQUIRE(alpha.wait_for([&] { return peer.heard(link).size() == 2; }));
  auto head = must(peek_envelope(peer.heard(link)[1], envelope_ring::network));
  BOOST_TEST(head.epoch == 77u);
  BOOST_TEST(must(decode_peer_list(envelope_content(peer.heard(link)[1]))).statements.size() == 1u); // Its own.
  hostile_end friend_of_it(new_transport_pair());
  auto told = encode_peer_list({{encode_statement(friend_of_it.statement("friend"))}});
  peer.put(link, peer.sealed(network_message::peer_list, told, theirs.epoch));
  BOOST_TEST(alpha.wait_for([&] { return alpha.number("network nodes known") == 2; }));
  BOOST_TEST(alpha.number("network peers") == 1u);
  BOOST_TEST(friend_of_it.dial(alpha) == 0u); // To be known lets nobody in.
}

BOOST_FIXTURE_TEST_CASE(a_network_peer_reaches_nothing_of_the_cluster, network_attacked) {
  mesh_hello as_member{plan.secret.origin.cluster_id, peer.statement("beta"), {}};
  as_member.admission.push_back(must(admit_by_secret(plan.secret.origin, 1, "beta", *peer.sign, 1)));
  for (bool after_hello : {false, true}) {
    std::vector<std::pair<mesh_message, byte_buffer>> wishes{
      {mesh_message::hello, encode_hello(as_member)}, // With the cluster's secret even.
      {mesh_message::heartbeat, beat},
      {mesh_message::membership, encode_membership(membership_summary{plan.secret.origin.cluster_id, 1, {}, {}})},
      {mesh_message::lease, encode_lease_message({})},
      {mesh_message::join_request, encode_join_request({plan.secret.origin.cluster_id, peer.statement()})}};
    for (auto& [type, content] : wishes) {
      auto link = linked();
      if (after_hello) peer.put(link, hello());
      peer.put(link, peer.sealed(type, content));
      ends(link, "this ring has no message of type");
    }
  }
  for (bool after_hello : {false, true}) {
    auto link = linked();
    if (after_hello) peer.put(link, hello());
    peer.put_frame(link, {2, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0}); // Opens a stream of the tunnel.
    ends(link, "a frame of channel 2");
  }
  BOOST_TEST(peer.dial(alpha.keys.open, alpha.chunk_address) == 0u);
  BOOST_TEST(alpha.streams->counters().streams == 0u);
  BOOST_TEST(alpha.streams_begun == 0u);
  BOOST_TEST(alpha.blob_frames == 0u);
  BOOST_TEST(alpha.number("members") == 1u);
  BOOST_TEST(alpha.table->read().empty());
}

BOOST_FIXTURE_TEST_CASE(a_network_peer_may_neither_repeat_nor_lie, network_attacked) {
  auto link = linked();
  auto first = hello();
  peer.put(link, first);
  peer.put(link, hello());
  ends(link, "a second hello");
  auto old_list = peer.sealed(network_message::peer_list, encode_peer_list({}), their_hello(link).epoch);
  link = linked();
  peer.put(link, hello());
  peer.put(link, old_list); // Signed for the link before.
  ends(link, "of another link");
  link = linked();
  peer.put(link, peer.sealed(network_message::peer_list, encode_peer_list({}), their_hello(link).epoch));
  ends(link, "before the peer has said who it is");
  link = linked();
  hostile_end other(new_transport_pair());
  auto stolen = encode_network_hello({5, "hostile", encode_statement(other.statement("victim"))});
  peer.put(link, peer.sealed(network_message::hello, stolen));
  ends(link, "in the name of another");
  BOOST_TEST(alpha.number("network nodes known") == 1u);
}

BOOST_AUTO_TEST_CASE(two_operators_nodes_meet_when_one_has_the_others_address) {
  mesh_end a(new_transport_pair()), b(new_transport_pair());
  a.start("alpha", nullptr, {{b.keys.open, b.address}});
  b.start("beta", nullptr, {{a.keys.open, a.address}});
  BOOST_TEST(a.wait_for([&] { return a.number("network peers") == 1 && b.number("network peers") == 1; }));
  BOOST_TEST(a.wait_for([&] { return a.number("links") == 1 && b.number("links") == 1; })); // Both dial; one is left.
  BOOST_TEST(a.field("cluster") == "none");
  BOOST_TEST(a.number("bans") == 0u);
  BOOST_TEST(b.number("bans") == 0u);
}

// Floods.

BOOST_AUTO_TEST_CASE(floods_are_refused_and_others_notice_nothing) {
  cluster_plan plan;
  mesh_end alpha(plan.pair("alpha")), gamma(plan.pair("gamma"));
  hostile_end beta(plan.pair("beta"));
  plan.nodes = {{"alpha", alpha.address}, {"beta", "tcp://127.0.0.1:1"}, {"gamma", gamma.address}};
  alpha.start("alpha", &plan);
  gamma.start("gamma", &plan);
  BOOST_REQUIRE(alpha.wait_for([&] { return alpha.number("members up beside this one") == 1; }));
  mesh_hello said{plan.secret.origin.cluster_id, beta.statement("beta"), {}};
  said.admission.push_back(must(admit_by_secret(plan.secret.origin, 1, "beta", *beta.sign, 1)));

  auto gamma_since = [&] {
    for (auto& one : alpha.shown->view().members)
      if (one.name == "gamma" && one.state == member_state::up) return one.since_us;
    return unix_time_us{0};
  };
  auto since = gamma_since();
  // Sealed before, so that the flood is as fast as the link; numbered from behind the hello.
  beta.counter = 1;
  std::vector<byte_buffer> beats;
  for (int i = 0; i < 20'000; ++i) beats.push_back(beta.sealed(mesh_message::heartbeat, encode_heartbeat({0, 1})));
  auto before = resident_bytes();
  std::size_t most = before, sent = 0, links = 0;
  for (; links < 40 && alpha.number("bans") == 0; ++links) {
    auto link = beta.dial(alpha);
    if (link == 0) break;
    beta.put(link, beta.sealed(mesh_message::hello, encode_hello(said)));
    for (auto& one : beats) {
      if (!beta.put(link, one)) break;
      if (++sent % 256 == 0) most = std::max(most, resident_bytes());
    }
    BOOST_TEST(beta.cut(link));
  }
  BOOST_TEST(alpha.wait_for([&] { return alpha.number("bans") == 1; }), alpha.all_refusals());
  BOOST_TEST(links <= 6u);
  BOOST_TEST(alpha.number("peers banned") == 1u);
  BOOST_TEST(beta.dial(alpha) == 0u); // Its key is off the list for now.
  most = std::max(most, resident_bytes());
  BOOST_TEST_MESSAGE("heartbeats: " << links << " links, " << sent << " sent, " << alpha.field("envelopes over quota")
                                    << " over quota, RSS +" << (most - before) / 1024 << " KiB");
  BOOST_TEST(stays_flat(before, most, 32u << 20));
  BOOST_TEST(since != 0);
  BOOST_TEST(gamma_since() == since); // It was up all the while.
  BOOST_TEST(gamma.number("bans") == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_network_peers_floods_are_refused, network_attacked) {
  auto before = resident_bytes();
  std::size_t most = before, links = 0, lists = 0;
  std::vector<byte_buffer> statements;
  for (std::size_t i = 0; i < network_statements_max; ++i)
    statements.push_back(encode_statement(hostile_end(new_transport_pair()).statement("tale")));
  std::ranges::sort(statements, [](auto& a, auto& b) { return std::ranges::lexicographical_compare(a, b); });
  auto list = encode_peer_list({statements});
  auto begin = std::chrono::steady_clock::now();
  while (alpha.number("bans") == 0 && std::chrono::steady_clock::now() - begin < 30s) {
    auto link = peer.dial(alpha);
    if (link == 0) break;
    ++links;
    if (!alpha.wait_for([&] { return !peer.heard(link).empty(); }, 2s)) break;
    auto epoch = their_hello(link).epoch;
    peer.put(link, hello());
    for (int i = 0; i < 400 && peer.put(link, peer.sealed(network_message::peer_list, list, epoch)); ++i, ++lists)
      most = std::max(most, resident_bytes());
  }
  BOOST_TEST(alpha.wait_for([&] { return alpha.number("bans") == 1; }), alpha.all_refusals());
  BOOST_TEST(peer.dial(alpha) == 0u);
  BOOST_TEST(alpha.number("network nodes known") <= network_statements_max + 1);
  BOOST_TEST_MESSAGE("peer lists: " << links << " links, " << lists << " lists, RSS +" << (most - before) / 1024 << " KiB");
  BOOST_TEST(stays_flat(before, most, 32u << 20));
}

BOOST_FIXTURE_TEST_CASE(broken_envelopes_end_in_a_ban, attacked) {
  int links = 0;
  for (; links < 40 && alpha.number("bans") == 0; ++links) {
    auto link = beta.dial(alpha);
    if (link == 0) break;
    beta.put_frame(link, {1, 7, 0, 0});
    BOOST_TEST(beta.cut(link));
  }
  BOOST_TEST(alpha.wait_for([&] { return alpha.number("bans") == 1; }));
  BOOST_TEST(links < 10);
  BOOST_TEST(beta.dial(alpha) == 0u);
  BOOST_TEST(alpha.refused("mesh ban"));
  BOOST_TEST(alpha.wait_for([&] { return beta.dial(alpha) != 0; }, 40s)); // The first ban is over after 30 s.
  BOOST_TEST(alpha.number("peers banned") == 0u);
}
