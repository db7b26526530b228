// tests/unit/tunnel_stream_tests.cpp - two ends of a stream: order, credit, breaches; and frames that nobody sends.
#define BOOST_TEST_MODULE tunnel_stream_tests
#include <boost/test/unit_test.hpp>

#include <deque>
#include <random>

#include "actors/mesh/tunnel_stream.hpp"
#include "tests/doubles/basp_bytes.hpp"

using namespace lucid;
using namespace lucid::testing;

namespace {

constexpr std::uint64_t credit = 64 * 1024;

/// Client and server, opened.
struct two_ends {
  tunnel_stream client{{.stream = 1, .side = basp_side::client, .credit_bytes = credit}};
  tunnel_stream server{{.stream = 1, .side = basp_side::server, .credit_bytes = credit}};
  byte_buffer at_client, at_server;

  two_ends() {
    BOOST_REQUIRE(server.export_actor(6));
    auto open = decode_tunnel_frame(client.open_frame()).value();
    auto accepted = server.accept(std::get<tunnel_open>(open)).value();
    BOOST_TEST(client.readable_bytes() == 0u);
    BOOST_REQUIRE(client.receive(decode_tunnel_frame(accepted).value(), at_client));
    BOOST_REQUIRE(client.established());
  }
  void shake() {
    auto first = server.read_local(server_handshake(1)).value();
    BOOST_REQUIRE(client.receive(decode_tunnel_frame(first).value(), at_client));
    auto second = client.read_local(client_handshake(2)).value();
    BOOST_REQUIRE(server.receive(decode_tunnel_frame(second).value(), at_server));
    client.wrote_local(std::exchange(at_client, {}).size());
    server.wrote_local(std::exchange(at_server, {}).size());
  }
};

byte_buffer data_frame(std::uint64_t sequence, const byte_buffer& bytes) { return encode(tunnel_data{1, sequence, bytes}); }

errc server_says(two_ends& ends, const byte_buffer& frame) {
  auto decoded = decode_tunnel_frame(frame);
  auto taken = decoded ? ends.server.receive(*decoded, ends.at_server) : outcome<void>(tl::unexpected(decoded.error()));
  BOOST_REQUIRE(!taken);
  return taken.error().code;
}

} // namespace

BOOST_AUTO_TEST_CASE(frames_read_back) {
  byte_buffer bytes{1, 2, 3};
  auto open = std::get<tunnel_open>(decode_tunnel_frame(encode(tunnel_open{7, 1, 99})).value());
  BOOST_TEST((open.stream == 7 && open.version == 1 && open.credit_bytes == 99));
  auto frame = encode(tunnel_data{7, 1ull << 40, bytes});
  auto data = std::get<tunnel_data>(decode_tunnel_frame(frame).value());
  BOOST_TEST((data.stream == 7 && data.sequence == 1ull << 40 && std::equal(bytes.begin(), bytes.end(), data.bytes.begin(), data.bytes.end())));
  auto closed = std::get<tunnel_close>(decode_tunnel_frame(encode(tunnel_close{7, errc::busy, std::string(999, 'x') + "\n"})).value());
  BOOST_TEST((closed.code == errc::busy && closed.text.size() == tunnel_reason_bytes_max));
  auto escapes = std::get<tunnel_close>(decode_tunnel_frame(encode(tunnel_close{7, errc::busy, "a\x1b[2J\n"})).value());
  BOOST_TEST(escapes.text == "a?[2J?");
  BOOST_TEST(encode(tunnel_data{1, 0, byte_buffer(tunnel_data_bytes_max, 1)}).size() == mesh_frame_bytes_max);
}

BOOST_AUTO_TEST_CASE(frames_of_a_wrong_length_or_kind_are_refused) {
  for (std::size_t size = 0; size < 40; ++size)
    for (std::uint8_t kind = 0; kind < 8; ++kind) {
      byte_buffer frame(size, 0);
      if (size > 0) frame[0] = 2;
      if (size > 1) frame[1] = kind;
      auto decoded = decode_tunnel_frame(frame);
      bool valid = (kind == 1 && size == 18) || (kind == 2 && size > 14) || (kind == 3 && size == 14) || (kind == 4 && size == 9);
      BOOST_TEST(decoded.has_value() == valid, "kind " << int(kind) << ", " << size << " bytes");
    }
  BOOST_TEST(!decode_tunnel_frame(byte_buffer(mesh_frame_bytes_max + 1, 2)));
  BOOST_TEST(!decode_tunnel_frame({byte_buffer{1, 2, 0, 0, 0, 0}}));
}

BOOST_AUTO_TEST_CASE(a_gap_ends_the_stream) {
  two_ends ends;
  BOOST_TEST((server_says(ends, data_frame(1, client_handshake(2))) == errc::corrupted));
  two_ends repeated;
  auto first = repeated.client.read_local(byte_view(client_handshake(2)).first(10));
  BOOST_TEST((server_says(repeated, data_frame(10, {0})) == errc::corrupted));
}

BOOST_AUTO_TEST_CASE(data_without_credit_ends_the_stream) {
  two_ends ends;
  ends.shake();
  std::uint64_t sequence = client_handshake(2).size();
  auto message = direct(70, 6, "@<>+@str", 8 << 20);
  byte_view left = message;
  bool refused = false;
  for (std::uint64_t sent = 0; sent <= credit && !refused;) {
    auto piece = left.first(4096);
    auto frame = data_frame(sequence, byte_buffer(piece.begin(), piece.end()));
    auto taken = ends.server.receive(decode_tunnel_frame(frame).value(), ends.at_server);
    if (!taken) BOOST_TEST((taken.error().code == errc::protocol_violation));
    refused = !taken;
    left = left.subspan(4096);
    sequence += 4096;
    sent += 4096;
  }
  BOOST_TEST(refused);
  BOOST_TEST(ends.at_server.size() <= credit);
}

BOOST_AUTO_TEST_CASE(credit_beyond_the_bound_is_not_used) {
  two_ends ends;
  for (int i = 0; i < 10; ++i) BOOST_REQUIRE(ends.server.receive(tunnel_credit{1, ~0ull >> 1}, ends.at_server));
  BOOST_TEST(ends.server.readable_bytes() <= tunnel_data_bytes_max);
  std::uint64_t read = 0;
  auto big = basp(0, 0, 3, 0, 0, byte_buffer(16 * 1024, 0));
  std::copy_n(node_name(1).begin(), 32, big.begin() + 32);
  BOOST_REQUIRE(ends.server.read_local(big));
  for (read = big.size(); ends.server.readable_bytes() > 0; read += 32 * (ends.server.readable_bytes() / 32 ? 1 : 0)) {
    if (ends.server.readable_bytes() < 32) break;
    BOOST_REQUIRE(ends.server.read_local(heartbeat()));
  }
  BOOST_TEST(read <= tunnel_credit_bytes_max);
  BOOST_TEST((server_says(ends, encode(tunnel_credit{1, 0})) == errc::protocol_violation));
}

BOOST_AUTO_TEST_CASE(a_second_open_and_data_before_the_first_end_the_stream) {
  two_ends ends;
  BOOST_TEST((server_says(ends, encode(tunnel_open{1, tunnel_version, 1})) == errc::protocol_violation));
  tunnel_stream fresh({.stream = 1, .side = basp_side::server, .credit_bytes = credit});
  byte_buffer none;
  BOOST_TEST(!fresh.receive(decode_tunnel_frame(data_frame(0, {1})).value(), none));
  BOOST_TEST((fresh.accept({1, 2, 1}).error().code == errc::unsupported));
  tunnel_stream client({.stream = 1, .side = basp_side::client, .credit_bytes = credit});
  BOOST_TEST(!client.accept({1, tunnel_version, 1}));
}

BOOST_AUTO_TEST_CASE(a_close_tells_why) {
  two_ends ends;
  auto frame = ends.client.close_frame({errc::busy, "x", "not now", nullptr});
  auto taken = ends.server.receive(decode_tunnel_frame(frame).value(), ends.at_server);
  BOOST_REQUIRE(!taken);
  BOOST_TEST((taken.error().code == errc::unreachable));
  BOOST_TEST((root_cause(taken.error()).code == errc::busy));
  BOOST_TEST(root_cause(taken.error()).what == "not now");
}

BOOST_AUTO_TEST_CASE(everything_arrives_in_order_for_any_pace_of_reader_and_writer) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    std::mt19937 random(seed);
    auto pick = [&](std::size_t below) { return std::uniform_int_distribution<std::size_t>(0, below - 1)(random); };
    two_ends ends;
    ends.shake();
    byte_buffer written;
    for (int i = 0; i < 12; ++i) written = both(written, direct(70, 6, "@<>+@str", pick(60'000)));
    byte_view unread = written;
    byte_buffer received, waiting;
    std::deque<byte_buffer> wire;
    std::size_t idle = 0;
    while (received.size() < written.size() && idle < 1000) {
      ++idle;
      if (auto count = std::min({ends.client.readable_bytes(), unread.size(), 1 + pick(50'000)}); count > 0 && pick(2)) {
        auto frame = ends.client.read_local(unread.first(count)).value();
        unread = unread.subspan(count);
        if (!frame.empty()) wire.push_back(std::move(frame));
        idle = 0;
      }
      if (!wire.empty() && pick(2)) {
        BOOST_REQUIRE(wire.front().size() <= mesh_frame_bytes_max);
        BOOST_REQUIRE(ends.server.receive(decode_tunnel_frame(wire.front()).value(), waiting));
        BOOST_REQUIRE(waiting.size() <= credit);
        wire.pop_front();
        idle = 0;
      }
      if (auto count = std::min(waiting.size(), 1 + pick(30'000)); count > 0 && pick(2)) {
        received.insert(received.end(), waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(count));
        waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(count));
        auto granted = ends.server.wrote_local(count);
        if (!granted.empty()) BOOST_REQUIRE(ends.client.receive(decode_tunnel_frame(granted).value(), ends.at_client));
        idle = 0;
      }
    }
    BOOST_TEST((received == written), "seed " << seed);
  }
}
