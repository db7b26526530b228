// tests/unit/envelope_tests.cpp - envelopes, their table, the network ring's first messages, quotas.
#define BOOST_TEST_MODULE envelope
#include <boost/test/unit_test.hpp>

#include <limits>

#include "actors/mesh/envelope.hpp"
#include "actors/mesh/network_message.hpp"
#include "actors/mesh/peer_quota.hpp"

namespace {

using namespace lucid;
using namespace std::chrono_literals;

constexpr auto beat_type = static_cast<std::uint16_t>(mesh_message::heartbeat);
constexpr auto hello_type = static_cast<std::uint16_t>(network_message::hello);
constexpr auto list_type = static_cast<std::uint16_t>(network_message::peer_list);

sign_key key_of(std::uint8_t seed) {
  secret_key bytes;
  for (auto& b : bytes.span()) b = seed;
  return sign_key(bytes);
}
const sign_key& alice() {
  static const sign_key key = key_of(1);
  return key;
}
const byte_buffer beat(heartbeat_bytes_max, 7);

byte_buffer sealed(std::uint64_t counter, std::uint16_t type = beat_type, std::uint64_t epoch = 0, byte_view content = beat) {
  return seal_envelope({type, node_id{5}, counter, epoch}, content, alice()).value();
}
errc code_of(auto&& refused) {
  BOOST_REQUIRE(!refused.has_value());
  BOOST_TEST(!refused.error().what.empty());
  return refused.error().code;
}
errc opening(byte_view bytes, envelope_counter counter = {}, envelope_ring ring = envelope_ring::cluster) {
  auto before = counter.last;
  auto code = code_of(open_envelope(bytes, alice().public_key(), counter, ring));
  BOOST_TEST(counter.last == before); // What is refused counts for nothing.
  return code;
}
void put_length(byte_buffer& bytes, std::uint32_t length) {
  for (std::size_t i = 0; i < 4; ++i) bytes[3 + i] = static_cast<std::uint8_t>(length >> (8 * i));
}

} // namespace

BOOST_TEST_DONT_PRINT_LOG_VALUE(lucid::errc)

BOOST_AUTO_TEST_CASE(what_was_sealed_opens) {
  auto bytes = sealed(3);
  BOOST_TEST(bytes.size() == envelope_overhead_bytes + beat.size());
  BOOST_CHECK(peek_envelope(bytes).value() == (envelope_head{beat_type, node_id{5}, 3, 0}));
  BOOST_TEST(envelope_size(byte_view(bytes).first(7)).value() == bytes.size());
  envelope_counter counter;
  auto content = open_envelope(bytes, alice().public_key(), counter);
  BOOST_REQUIRE(content.has_value());
  BOOST_TEST(byte_buffer(content->begin(), content->end()) == beat);
  BOOST_TEST(counter.last == 3u);
}

BOOST_AUTO_TEST_CASE(every_changed_bit_is_refused) {
  auto bytes = sealed(1);
  for (std::size_t i = 0; i < bytes.size() * 8; ++i) {
    auto changed = bytes;
    changed[i / 8] = static_cast<std::uint8_t>(changed[i / 8] ^ 1u << (i % 8));
    envelope_counter counter;
    BOOST_TEST(!open_envelope(changed, alice().public_key(), counter).has_value());
    BOOST_TEST(counter.last == 0u);
  }
  envelope_counter counter;
  BOOST_CHECK(code_of(open_envelope(bytes, key_of(2).public_key(), counter)) == errc::bad_signature);
}

BOOST_AUTO_TEST_CASE(every_prefix_is_truncated) {
  auto bytes = sealed(1);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    BOOST_CHECK(opening(byte_view(bytes).first(size)) == errc::truncated);
  bytes.push_back(0);
  BOOST_CHECK(opening(bytes) == errc::invalid_input);
}

BOOST_AUTO_TEST_CASE(a_claimed_length_is_held_against_the_table_first) {
  auto bytes = sealed(1);
  for (std::uint32_t length : {static_cast<std::uint32_t>(heartbeat_bytes_max) + 1, 1u << 30, 0xffffffffu}) {
    put_length(bytes, length);
    BOOST_CHECK(opening(bytes) == errc::limit_exceeded);
    BOOST_CHECK(code_of(envelope_size(byte_view(bytes).first(7))) == errc::limit_exceeded); // Before more has come.
  }
  byte_buffer long_beat(heartbeat_bytes_max + 1);
  BOOST_CHECK(code_of(seal_envelope({beat_type, {}, 1, 0}, long_beat, alice())) == errc::limit_exceeded);
}

BOOST_AUTO_TEST_CASE(each_ring_has_its_own_messages) {
  auto cluster = sealed(1), network = sealed(1, list_type);
  BOOST_CHECK(opening(cluster, {}, envelope_ring::network) == errc::unsupported);
  BOOST_CHECK(opening(network, {}, envelope_ring::cluster) == errc::unsupported);
  BOOST_CHECK(code_of(seal_envelope({9999, {}, 1, 0}, {}, alice())) == errc::unsupported);
  cluster[0] = 2;
  BOOST_CHECK(opening(cluster) == errc::unsupported);
  for (auto& rule : message_table) {
    BOOST_TEST(!rule.name.empty());
    BOOST_TEST(rule.bytes_max > 0u);
    BOOST_TEST(rule.cost > 0u);
    BOOST_TEST(rule_of(rule.type, rule.ring) == &rule);
  }
}

BOOST_AUTO_TEST_CASE(what_was_sent_before_is_refused) {
  envelope_counter counter;
  auto first = sealed(1), second = sealed(2), fifth = sealed(5);
  auto& key = alice().public_key();
  BOOST_TEST(open_envelope(first, key, counter).has_value());
  BOOST_CHECK(opening(first, counter) == errc::protocol_violation);
  BOOST_TEST(open_envelope(fifth, key, counter).has_value());
  BOOST_CHECK(opening(second, counter) == errc::protocol_violation);
  BOOST_CHECK(opening(sealed(0)) == errc::invalid_input);
  auto last = sealed(std::numeric_limits<std::uint64_t>::max());
  BOOST_TEST(open_envelope(last, key, counter).has_value());
  BOOST_CHECK(opening(last, counter) == errc::protocol_violation);
}

BOOST_AUTO_TEST_CASE(what_was_signed_for_another_link_is_refused) {
  envelope_counter now{0, 77};
  auto& key = alice().public_key();
  auto list = encode_peer_list({});
  BOOST_CHECK(opening(sealed(1, list_type, 76, list), now, envelope_ring::network) == errc::protocol_violation);
  BOOST_CHECK(opening(sealed(1, list_type, 0, list), now, envelope_ring::network) == errc::protocol_violation);
  auto hello = encode_network_hello({9, "lucid", {1}});
  BOOST_CHECK(opening(sealed(1, hello_type, 77, hello), now, envelope_ring::network) == errc::protocol_violation);
  BOOST_TEST(open_envelope(sealed(1, hello_type, 0, hello), key, now, envelope_ring::network).has_value());
  BOOST_TEST(open_envelope(sealed(2, list_type, 77, list), key, now, envelope_ring::network).has_value());
}

BOOST_AUTO_TEST_CASE(network_messages_keep_to_their_bounds) {
  network_hello hello{0x0123456789abcdef, std::string(network_software_bytes_max, 'x'), byte_buffer(statement_bytes_max, 3)};
  auto bytes = encode_network_hello(hello);
  BOOST_TEST(bytes.size() == network_hello_bytes_max);
  BOOST_CHECK(decode_network_hello(bytes).value() == hello);
  for (std::size_t size = 0; size < bytes.size(); size += 37)
    BOOST_CHECK(code_of(decode_network_hello(byte_view(bytes).first(size))) == errc::truncated);
  BOOST_CHECK(code_of(decode_network_hello(encode_network_hello({0, "x", {1}}))) == errc::invalid_input);
  BOOST_CHECK(code_of(decode_network_hello(encode_network_hello({1, "\n", {1}}))) == errc::invalid_input);
  BOOST_CHECK(code_of(decode_network_hello(encode_network_hello({1, "x", {}}))) == errc::invalid_input);
  BOOST_CHECK(code_of(decode_network_hello(encode_network_hello({1, std::string(65, 'x'), {1}}))) == errc::limit_exceeded);
  auto too_long = encode_network_hello({1, "x", byte_buffer(statement_bytes_max + 1)});
  BOOST_CHECK(code_of(decode_network_hello(too_long)) == errc::limit_exceeded);
  bytes[0] = 2;
  BOOST_CHECK(code_of(decode_network_hello(bytes)) == errc::unsupported);

  peer_list list;
  for (std::uint8_t i = 0; i < network_statements_max; ++i) list.statements.push_back(byte_buffer(statement_bytes_max, i));
  bytes = encode_peer_list(list);
  BOOST_TEST(bytes.size() == peer_list_bytes_max);
  BOOST_CHECK(decode_peer_list(bytes).value() == list);
  bytes.push_back(0);
  BOOST_CHECK(code_of(decode_peer_list(bytes)) == errc::invalid_input);
  list.statements.push_back({255});
  BOOST_CHECK(code_of(decode_peer_list(encode_peer_list(list))) == errc::limit_exceeded);
  BOOST_CHECK(code_of(decode_peer_list(encode_peer_list({{{2}, {1}}}))) == errc::invalid_input);
  BOOST_CHECK(code_of(decode_peer_list(encode_peer_list({{{2}, {2}}}))) == errc::invalid_input);
  BOOST_CHECK(code_of(decode_peer_list(encode_peer_list({{{}}}))) == errc::invalid_input);
}

// Quotas.

BOOST_AUTO_TEST_CASE(a_peer_gets_its_burst_and_then_its_rate) {
  quota_settings settings;
  settings.messages_per_s = 10, settings.messages_burst = 20;
  settings.bytes_per_s = 1000, settings.bytes_burst = 5000;
  peer_quota quota(settings);
  transport_key peer{1};
  for (int i = 0; i < 20; ++i) BOOST_TEST(quota.admit(peer, 10, 1, 0s).has_value());
  BOOST_CHECK(code_of(quota.admit(peer, 10, 1, 0s)) == errc::busy);
  BOOST_TEST(quota.admit(transport_key{2}, 10, 1, 0s).has_value()); // Nobody pays for another.
  BOOST_TEST(quota.admit(peer, 10, 5, 500ms).has_value());
  BOOST_CHECK(code_of(quota.admit(peer, 10, 1, 500ms)) == errc::busy);
  BOOST_CHECK(code_of(quota.admit(peer, 5001, 1, 100s)) == errc::busy); // Never fits.
  BOOST_TEST(quota.admit(peer, 5000, 1, 100s).has_value());
  BOOST_CHECK(code_of(quota.admit(peer, 1001, 1, 101s)) == errc::busy);
  BOOST_TEST(quota.admit(peer, 1000, 1, 101s).has_value());
  BOOST_CHECK(code_of(quota.admit(peer, 1, 1, 50s)) == errc::busy); // Time that goes back brings nothing.
}

BOOST_AUTO_TEST_CASE(offences_end_in_a_ban_and_bans_grow) {
  peer_quota quota;
  transport_key peer{1};
  BOOST_TEST(!quota.penalise(peer, peer_offence::bad_signature, 0s));
  BOOST_TEST(quota.penalise(peer, peer_offence::bad_signature, 0s));
  BOOST_TEST(quota.is_banned(peer, 29s));
  BOOST_TEST(!quota.penalise(peer, peer_offence::bad_signature, 1s)); // It is banned already.
  BOOST_CHECK(code_of(quota.admit(peer, 1, 1, 29s)) == errc::permission_denied);
  BOOST_TEST(quota.admit(peer, 1, 1, 30s).has_value());
  quota.penalise(peer, peer_offence::bad_signature, 40s);
  BOOST_TEST(quota.penalise(peer, peer_offence::bad_signature, 40s));
  BOOST_TEST(quota.is_banned(peer, 99s));
  BOOST_TEST(!quota.is_banned(peer, 100s));
  auto now = peer_quota::time(1000s);
  for (int i = 0; i < 40; ++i) { // The longest ban is an hour, however often.
    while (!quota.penalise(peer, peer_offence::replayed, now)) {}
    BOOST_TEST(!quota.is_banned(peer, now + 3600s));
    now += 3601s;
  }
}

BOOST_AUTO_TEST_CASE(old_offences_are_forgiven) {
  peer_quota quota;
  transport_key peer{1};
  for (int i = 0; i < 100; ++i) BOOST_TEST(!quota.penalise(peer, peer_offence::bad_signature, i * 50s));
}

BOOST_AUTO_TEST_CASE(a_flood_ends_in_a_ban) {
  peer_quota quota;
  transport_key peer{1};
  int sent = 0;
  while (!quota.is_banned(peer, 1s) && ++sent < 1000) (void)quota.admit(peer, 1, 1, 1s);
  BOOST_TEST(sent < 300);
}

BOOST_AUTO_TEST_CASE(the_table_of_peers_is_bounded_and_keeps_the_banned) {
  peer_quota quota;
  transport_key bad{9, 9, 9};
  quota.penalise(bad, peer_offence::bad_signature, 0s);
  quota.penalise(bad, peer_offence::bad_signature, 0s);
  for (std::uint32_t i = 0; i < 5000; ++i) {
    transport_key peer{1, static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8)};
    (void)quota.admit(peer, 1, 1, std::chrono::milliseconds(i));
  }
  BOOST_TEST(quota.size() == peer_quota::peers_max);
  BOOST_TEST(quota.is_banned(bad, 10s));
}
