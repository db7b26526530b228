// tests/unit/basp_guard_tests.cpp - what two middlemen may say to each other, whole and in pieces, and what a peer may not.
#define BOOST_TEST_MODULE basp_guard_tests
#include <boost/test/unit_test.hpp>

#include <random>

#include "actors/mesh/basp_guard.hpp"
#include "tests/doubles/basp_bytes.hpp"

using namespace lucid;
using namespace lucid::testing;

namespace {

constexpr std::uint8_t we = 1, they = 2, third = 3; // Nodes.
constexpr std::uint64_t gateway = 6, ours = 40, theirs = 70;
constexpr std::uint64_t message_bytes_max = 1 << 20;

/// A guard whose middlemen have shaken hands. Our side is the server unless told otherwise.
struct shaken_guard {
  basp_guard guard;
  byte_buffer to_local, to_peer;

  explicit shaken_guard(basp_side side = basp_side::server) : guard(side, message_bytes_max) {
    BOOST_REQUIRE(guard.export_actor(gateway));
    bool server = side == basp_side::server;
    if (server) BOOST_REQUIRE(guard.from_local(server_handshake(we), to_peer));
    BOOST_REQUIRE(guard.from_peer(server ? client_handshake(they) : server_handshake(they), to_local));
    if (!server) BOOST_REQUIRE(guard.from_local(client_handshake(we), to_peer));
    BOOST_REQUIRE(guard.shaken());
    to_local.clear();
    to_peer.clear();
  }
  void passes_in(const byte_buffer& bytes) {
    to_local.clear();
    auto read = guard.from_peer(bytes, to_local);
    BOOST_TEST_REQUIRE(read.has_value());
    BOOST_TEST((to_local == bytes));
  }
  void passes_out(const byte_buffer& bytes) {
    to_peer.clear();
    auto read = guard.from_local(bytes, to_peer);
    BOOST_TEST_REQUIRE(read.has_value());
    BOOST_TEST((to_peer == bytes));
  }
  void is_dropped(const byte_buffer& bytes) {
    to_peer.clear();
    BOOST_REQUIRE(guard.from_local(bytes, to_peer));
    BOOST_TEST(to_peer.empty());
    passes_out(heartbeat()); // And the stream goes on.
  }
  void breaks(const byte_buffer& bytes, errc code) {
    to_local.clear();
    auto read = guard.from_peer(bytes, to_local);
    BOOST_REQUIRE(!read);
    BOOST_TEST((read.error().code == code), to_string(read.error()));
    BOOST_TEST(to_local.empty());
    BOOST_TEST(!guard.from_peer(heartbeat(), to_local)); // For good.
    BOOST_TEST(to_local.empty());
  }
};

errc refusal(basp_side side, const byte_buffer& first) {
  basp_guard guard(side, message_bytes_max);
  byte_buffer passed;
  auto read = guard.from_peer(first, passed);
  BOOST_REQUIRE(!read);
  BOOST_TEST(passed.empty());
  return read.error().code;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_request_to_the_gateway_and_its_answer_pass) {
  shaken_guard one;
  one.passes_in(direct(theirs, gateway));
  one.passes_out(direct(gateway, theirs));
  one.passes_in(heartbeat());
}

BOOST_AUTO_TEST_CASE(whoever_of_ours_spoke_may_be_answered) {
  shaken_guard one(basp_side::client);
  one.passes_out(direct(ours, gateway));
  one.passes_in(direct(gateway, ours));
  one.passes_in(monitor(they, we, ours));
  one.passes_out(down(we, they, ours));
  one.passes_in(direct(theirs, ours)); // Under way when it ended.
}

BOOST_AUTO_TEST_CASE(guessed_actors_are_refused) {
  for (std::uint64_t id : {1ull, 5ull, 7ull, 41ull, 1ull << 40, ~0ull}) {
    shaken_guard one;
    one.breaks(direct(theirs, id), errc::permission_denied);
    shaken_guard watched;
    watched.breaks(monitor(they, we, id), errc::permission_denied);
  }
}

BOOST_AUTO_TEST_CASE(a_name_instead_of_a_number_is_refused_even_for_the_gateway) {
  shaken_guard one;
  one.breaks(basp(2, 1, 0, theirs, gateway, message_of("@<>+@u64")), errc::permission_denied);
}

BOOST_AUTO_TEST_CASE(routed_messages_are_refused) {
  shaken_guard one;
  one.breaks(basp(3, 0, 0, theirs, gateway, both(both(node_name(they), node_name(third)), message_of("@<>+@u64"))), errc::permission_denied);
}

BOOST_AUTO_TEST_CASE(notices_speak_of_the_two_nodes_alone) {
  shaken_guard to_third;
  to_third.breaks(monitor(they, third, gateway), errc::permission_denied);
  shaken_guard of_third;
  of_third.breaks(monitor(third, we, gateway), errc::permission_denied);
  shaken_guard watching;
  watching.passes_out(monitor(we, they, theirs));
  watching.breaks(down(third, we, theirs), errc::permission_denied);
}

BOOST_AUTO_TEST_CASE(an_end_is_heard_of_those_who_were_asked_about) {
  shaken_guard one;
  one.passes_out(monitor(we, they, theirs));
  one.passes_in(down(they, we, theirs));
  one.passes_in(down(they, we, theirs)); // CAF may say it for each of two monitors.
  one.breaks(down(they, we, theirs + 1), errc::permission_denied);
}

BOOST_AUTO_TEST_CASE(what_caf_acts_on_itself_is_refused) {
  for (auto types : {"@<>+@exit", "@<>+@down", "@<>+@atom+@strong_actor_ptr"}) {
    shaken_guard one;
    one.breaks(direct(theirs, gateway, types, 100), errc::permission_denied);
    shaken_guard local;
    local.is_dropped(direct(ours, theirs, types, 100));
    BOOST_TEST(local.guard.dropped().system == 1u);
  }
  shaken_guard near;
  near.passes_in(direct(theirs, gateway, "@<>+@exits", 100));
  near.passes_in(direct(theirs, gateway, "@<>+@atom+@strong_actor_ptr+@u8", 100));
}

BOOST_AUTO_TEST_CASE(stages_are_refused) {
  shaken_guard one;
  auto content = message_of("@<>+@u64");
  content[0] = 2;
  one.breaks(basp(2, 0, 0, theirs, gateway, content), errc::permission_denied);
}

BOOST_AUTO_TEST_CASE(what_caf_says_on_its_own_is_dropped_here_and_the_stream_goes_on) {
  shaken_guard one(basp_side::client);
  one.is_dropped(basp(2, 1, 0, ours, 0x03ddd66f3376adfb, message_of("@<>+@atom+@atom+@str", 500)));
  BOOST_TEST(one.guard.dropped().named == 1u);
  one.is_dropped(basp(3, 0, 0, ours, theirs, both(both(node_name(we), node_name(third)), message_of("@<>+@u64"))));
  BOOST_TEST(one.guard.dropped().routed == 1u);
  one.is_dropped(direct(ours, theirs, "@<>+@str", message_bytes_max));
  BOOST_TEST(one.guard.dropped().large == 1u);
  one.breaks(direct(theirs, ours), errc::permission_denied); // What was dropped revealed nobody.
}

BOOST_AUTO_TEST_CASE(lengths_are_refused_before_any_byte_of_the_content) {
  for (std::uint32_t length : {static_cast<std::uint32_t>(message_bytes_max) + 1, 1u << 30, 0xffffffffu}) {
    shaken_guard one;
    one.breaks(basp(2, 0, 0, theirs, gateway, {}, length), errc::limit_exceeded);
    shaken_guard notice;
    notice.breaks(basp(4, 0, 0, 0, gateway, {}, length), errc::limit_exceeded);
    BOOST_TEST((refusal(basp_side::server, basp(1, 0, 0, 0, 0, {}, length)) == errc::limit_exceeded));
    BOOST_TEST((refusal(basp_side::client, basp(0, 0, 3, 0, 0, {}, length)) == errc::limit_exceeded));
  }
  shaken_guard longest;
  longest.passes_in(direct(theirs, gateway, "@<>+@str", message_bytes_max - 12));
}

BOOST_AUTO_TEST_CASE(contents_that_are_too_short_for_caf_are_refused) {
  shaken_guard one;
  one.breaks(basp(2, 0, 0, theirs, gateway, {0, 0, 0}), errc::protocol_violation);
  BOOST_TEST((refusal(basp_side::server, basp(1, 0, 0, 0, 0, {})) == errc::protocol_violation));
  BOOST_TEST((refusal(basp_side::server, basp(1, 0, 0, 0, 0, byte_buffer(31, 0))) == errc::protocol_violation));
}

BOOST_AUTO_TEST_CASE(nothing_is_said_before_the_handshake) {
  for (const auto& word : {direct(theirs, gateway), heartbeat(), monitor(they, we, gateway), down(they, we, theirs), server_handshake(they)})
    BOOST_TEST((refusal(basp_side::server, word) == errc::protocol_violation));
  BOOST_TEST((refusal(basp_side::client, client_handshake(they)) == errc::protocol_violation));
  BOOST_TEST((refusal(basp_side::server, basp(1, 0, 0, 0, 0, byte_buffer(32, 9))) == errc::protocol_violation));
}

BOOST_AUTO_TEST_CASE(a_second_handshake_passes_nobody) {
  shaken_guard server;
  auto read = server.guard.from_peer(client_handshake(they), server.to_local); // CAF's client does so.
  BOOST_TEST(read.has_value());
  BOOST_TEST(server.to_local.empty());
  server.breaks(client_handshake(third), errc::protocol_violation);
  shaken_guard client(basp_side::client);
  client.breaks(server_handshake(they), errc::protocol_violation);
}

BOOST_AUTO_TEST_CASE(a_peer_with_our_own_name_is_refused) {
  basp_guard guard(basp_side::server, message_bytes_max);
  byte_buffer passed;
  BOOST_REQUIRE(guard.from_local(server_handshake(we), passed));
  passed.clear();
  BOOST_TEST(!guard.from_peer(client_handshake(we), passed));
  BOOST_TEST(passed.empty());
}

BOOST_AUTO_TEST_CASE(unknown_operations_and_odd_headers_are_refused) {
  for (int operation = 7; operation < 256; operation += 13) {
    shaken_guard one;
    one.breaks(basp(static_cast<std::uint8_t>(operation), 0, 0, 0, gateway, {}), errc::protocol_violation);
  }
  shaken_guard flags;
  flags.breaks(basp(2, 4, 0, theirs, gateway, message_of("@<>+@u64")), errc::protocol_violation);
  shaken_guard beat;
  beat.breaks(basp(6, 0, 0, 0, 0, {1, 2, 3, 4}), errc::protocol_violation);
}

BOOST_AUTO_TEST_CASE(books_of_actors_have_a_bound_and_forget_the_dead_first) {
  id_book book;
  for (std::uint64_t id = 1; id <= basp_known_ids_max; ++id) BOOST_REQUIRE(book.add(id));
  BOOST_TEST(!book.add(basp_known_ids_max + 1));
  book.retire(17);
  book.retire(17);
  book.retire(4'000'000);
  BOOST_TEST(book.contains(17));
  BOOST_TEST(book.add(basp_known_ids_max + 1));
  BOOST_TEST(!book.contains(17));
  BOOST_TEST(book.contains(16));
  BOOST_TEST(!book.add(basp_known_ids_max + 2));
  BOOST_TEST(book.size() == basp_known_ids_max);
}

BOOST_AUTO_TEST_CASE(any_cut_of_the_streams_gives_the_same_result) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    auto pick = [&](unsigned below) { return std::uniform_int_distribution<unsigned>(0, below - 1)(random); };
    byte_buffer in, out = server_handshake(we);
    in = client_handshake(they);
    for (int i = 0; i < 30; ++i) {
      switch (pick(9)) {
        case 0: in = both(in, direct(theirs, gateway, "@<>+@str", pick(3000))); break;
        case 1: in = both(in, heartbeat()); break;
        case 2: in = both(in, client_handshake(they)); break;
        case 3: out = both(out, direct(gateway, theirs, "@<>+@str", pick(3000))); break;
        case 4: out = both(out, basp(2, 1, 0, ours, 1, message_of("@<>+@str", pick(500)))); break;
        case 5: out = both(out, direct(gateway, theirs, "@<>+@exit", pick(100))); break;
        case 6: out = both(out, heartbeat()); break;
        case 7: in = both(in, monitor(they, we, gateway)); break;
        default: if (pick(20) == 0) in = both(in, direct(theirs, pick(100))); // Nearly always a breach.
      }
    }
    auto run = [&](bool whole) {
      basp_guard guard(basp_side::server, message_bytes_max);
      BOOST_REQUIRE(guard.export_actor(gateway));
      byte_buffer passed_in, passed_out;
      bool ok = true;
      auto feed = [&](byte_view bytes, bool from_peer) {
        while (!bytes.empty()) {
          auto count = whole ? bytes.size() : std::min<std::size_t>(bytes.size(), 1 + pick(pick(2) ? 40 : 900));
          auto read = from_peer ? guard.from_peer(bytes.first(count), passed_in) : guard.from_local(bytes.first(count), passed_out);
          ok = ok && read;
          bytes = bytes.subspan(count);
        }
      };
      feed(out, false);
      feed(in, true);
      return std::tuple(passed_in, passed_out, ok);
    };
    BOOST_TEST((run(true) == run(false)), "seed " << seed);
  }
}
