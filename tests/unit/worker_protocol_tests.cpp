// tests/unit/worker_protocol_tests.cpp - messages there and back in any slicing, and what a hostile worker may not say.
#define BOOST_TEST_MODULE worker_protocol_tests
#include <boost/test/unit_test.hpp>

#include <random>

#include "messages/worker_protocol.hpp"

using namespace lucid;

namespace {

byte_buffer flat(const wire_message& wire) {
  byte_buffer bytes = wire.head;
  auto tail = wire.tail.view();
  bytes.insert(bytes.end(), tail.begin(), tail.end());
  return bytes;
}

template <class Message>
byte_buffer bytes_of(const Message& message) {
  return flat(encode(message).value());
}

fragment some_media(std::size_t size_bytes) {
  fragment f;
  f.key_frame = true;
  f.frame_count = 3;
  f.start_us = 5;
  f.end_us = 9;
  f.bytes = payload(byte_buffer(size_bytes, 0xa5));
  return f;
}

/// A head with this body length and type, and a body.
byte_buffer raw(std::uint32_t length, std::uint8_t type, byte_buffer body) {
  byte_buffer bytes;
  for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<std::uint8_t>(length >> (8 * i)));
  bytes.push_back(type);
  bytes.insert(bytes.end(), body.begin(), body.end());
  return bytes;
}

errc refusal_of(byte_view bytes) {
  worker_decoder<worker_message> decoder;
  auto fed = decoder.feed(bytes);
  BOOST_REQUIRE(!fed);
  auto again = decoder.feed(bytes);
  BOOST_REQUIRE(!again);
  BOOST_TEST((again.error().code == fed.error().code));
  return fed.error().code;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_start_reads_back_field_by_field) {
  worker_start start;
  start.what = {"rdp://ann@host", "ann", "secret", 1024, 768, 30, "auto", 28};
  start.resume = {77, -5};
  start.base_us = 123456789;
  start.credit_bytes = 1u << 25;
  start.limits.fragment_interval = std::chrono::milliseconds(250);
  start.limits.encoder_threads = 4;
  start.limits.encoder_preset = "superfast";
  start.limits.sandbox = worker_sandbox::require;
  start.limits.memory_bytes_max = 1ull << 30;
  start.limits.connect_time_max = std::chrono::milliseconds(7000);
  start.limits.reconnect_attempts_max = 0;
  start.limits.reconnect_pause_min = std::chrono::milliseconds(20);
  start.limits.reconnect_pause_max = std::chrono::milliseconds(3'600'000);
  worker_decoder<node_message> decoder;
  auto messages = decoder.feed(bytes_of(node_message(start))).value();
  BOOST_REQUIRE(messages.size() == 1u);
  auto got = std::get<worker_start>(messages[0]);
  BOOST_TEST(got.what.source == start.what.source);
  BOOST_TEST(got.what.password == "secret");
  BOOST_TEST(got.what.height == 768u);
  BOOST_TEST(got.what.quality == 28u);
  BOOST_TEST(got.resume.frame_count == 77u);
  BOOST_TEST(got.resume.recorded_until_us == -5);
  BOOST_TEST(got.base_us == start.base_us);
  BOOST_TEST(got.credit_bytes == start.credit_bytes);
  BOOST_TEST(got.limits.fragment_interval.count() == 250);
  BOOST_TEST(got.limits.encoder_threads == 4u);
  BOOST_TEST(got.limits.encoder_preset == "superfast");
  BOOST_TEST((got.limits.sandbox == worker_sandbox::require));
  BOOST_TEST(got.limits.memory_bytes_max == 1ull << 30);
  BOOST_TEST(got.limits.connect_time_max.count() == 7000);
  BOOST_TEST(got.limits.reconnect_attempts_max == 0u);
  BOOST_TEST(got.limits.reconnect_pause_min.count() == 20);
  BOOST_TEST(got.limits.reconnect_pause_max.count() == 3'600'000);
}

BOOST_AUTO_TEST_CASE(all_messages_read_back_in_any_slicing) {
  std::vector<worker_message> sent{
    worker_hello{}, source_event{7, "resized", R"({"width":640})"},
    worker_certificate{"host:3389", std::string(64, 'a'), "CN=x", "CN=y"}, worker_stats{1, 2, 3, 4, 5},
    worker_log{worker_log_level::warning, "line"}, some_media(100'000), worker_end{"at its end", errc::internal, false}};
  byte_buffer stream;
  for (const auto& m : sent) {
    auto bytes = bytes_of(m);
    stream.insert(stream.end(), bytes.begin(), bytes.end());
  }
  for (unsigned seed = 1; seed <= 50; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::mt19937 random(seed);
      worker_decoder<worker_message> decoder;
      std::vector<worker_message> got;
      for (byte_view rest = stream; !rest.empty();) {
        auto size = std::min<std::size_t>(rest.size(), 1 + random() % (seed % 2 != 0 ? 7 : 40'000));
        auto messages = decoder.feed(rest.first(size)).value();
        std::move(messages.begin(), messages.end(), std::back_inserter(got));
        rest = rest.subspan(size);
      }
      BOOST_REQUIRE(got.size() == sent.size());
      BOOST_TEST(decoder.at_boundary());
      for (std::size_t i = 0; i < sent.size(); ++i) BOOST_TEST((bytes_of(got[i]) == bytes_of(sent[i])));
    }
  }
}

BOOST_AUTO_TEST_CASE(messages_without_a_body_arrive_at_once) {
  worker_decoder<node_message> decoder;
  auto messages = decoder.feed(bytes_of(node_message(worker_stop{}))).value();
  BOOST_REQUIRE(messages.size() == 1u);
  BOOST_TEST(std::holds_alternative<worker_stop>(messages[0]));
}

BOOST_AUTO_TEST_CASE(a_fragment_at_the_bound_passes_and_one_byte_more_does_not) {
  BOOST_TEST(encode(worker_message(some_media(fragment_size_bytes_max))).has_value());
  auto larger = encode(worker_message(some_media(fragment_size_bytes_max + 1)));
  BOOST_TEST((larger.error().code == errc::limit_exceeded));
  BOOST_TEST((encode(worker_message(some_media(0))).error().code == errc::limit_exceeded));
}

BOOST_AUTO_TEST_CASE(an_announced_length_beyond_the_bound_is_refused_before_any_body) {
  BOOST_TEST((refusal_of(raw(worker_body_size_bytes_max + 1, 17, {})) == errc::limit_exceeded));
  BOOST_TEST((refusal_of(raw(0xffffffff, 17, {})) == errc::limit_exceeded));
}

BOOST_AUTO_TEST_CASE(unknown_types_and_the_other_sides_types_are_refused) {
  BOOST_TEST((refusal_of(raw(0, 99, {})) == errc::protocol_violation));
  BOOST_TEST((refusal_of(raw(0, 3, {})) == errc::protocol_violation));
  worker_decoder<node_message> node_side;
  BOOST_TEST((node_side.feed(bytes_of(worker_message(worker_hello{}))).error().code == errc::protocol_violation));
}

BOOST_AUTO_TEST_CASE(bodies_too_short_or_too_long_are_refused) {
  BOOST_TEST((refusal_of(raw(3, 16, {1, 0, 0})) == errc::truncated));
  BOOST_TEST((refusal_of(raw(5, 16, {1, 0, 0, 0, 0})) == errc::protocol_violation));
  BOOST_TEST((refusal_of(raw(4, 21, {2, 255, 0, 'a'})) == errc::truncated));
}

BOOST_AUTO_TEST_CASE(fragments_that_contradict_themselves_are_refused) {
  auto damaged = [](auto&& change) {
    auto f = some_media(8);
    change(f);
    return refusal_of(bytes_of(worker_message(f)));
  };
  BOOST_TEST((damaged([](fragment& f) { f.on = track::events; }) == errc::protocol_violation));
  BOOST_TEST((damaged([](fragment& f) { f.kind = static_cast<fragment_kind>(9); }) == errc::protocol_violation));
  BOOST_TEST((damaged([](fragment& f) { f.frame_count = 0; }) == errc::protocol_violation));
  BOOST_TEST((damaged([](fragment& f) { f.end_us = f.start_us - 1; }) == errc::protocol_violation));
  BOOST_TEST((damaged([](fragment& f) { f.kind = fragment_kind::init; f.frame_count = 0; }) ==
              errc::protocol_violation));
}

BOOST_AUTO_TEST_CASE(limits_of_a_start_are_taken_up_to_their_bounds_and_not_beyond) {
  using ms = std::chrono::milliseconds;
  auto taken = [](auto&& change) {
    worker_start start;
    change(start.limits);
    worker_decoder<node_message> decoder;
    return decoder.feed(bytes_of(node_message(start))).has_value();
  };
  auto both_sides = [&](auto member, auto low, auto high, auto step) {
    BOOST_TEST(taken([&](worker_limits& l) { l.*member = low; }));
    BOOST_TEST(taken([&](worker_limits& l) { l.*member = high; }));
    BOOST_TEST(!taken([&](worker_limits& l) { l.*member = high + step; }));
    return !taken([&](worker_limits& l) { l.*member = low - step; });
  };
  BOOST_TEST(both_sides(&worker_limits::memory_bytes_max, 128ull << 20, 64ull << 30, 1));
  BOOST_TEST(both_sides(&worker_limits::connect_time_max, ms(100), ms(300'000), ms(1)));
  BOOST_TEST(both_sides(&worker_limits::reconnect_attempts_max, 0u, 10'000u, 1u));
  BOOST_TEST(both_sides(&worker_limits::reconnect_pause_min, ms(10), ms(60'000), ms(1)));
  BOOST_TEST(both_sides(&worker_limits::reconnect_pause_max, ms(10), ms(3'600'000), ms(1)));
  BOOST_TEST(taken([](worker_limits& l) { l.encoder_threads = 0; }));
  BOOST_TEST(!taken([](worker_limits& l) { l.encoder_threads = 17; }));
  BOOST_TEST(!taken([](worker_limits& l) { l.sandbox = static_cast<worker_sandbox>(3); }));
}

BOOST_AUTO_TEST_CASE(strings_beyond_their_bound_are_cut_when_sent_and_refused_when_received) {
  worker_decoder<worker_message> decoder;
  auto messages = decoder.feed(bytes_of(worker_message(worker_log{worker_log_level::info, std::string(100'000, 'x')})));
  BOOST_TEST(std::get<worker_log>(messages.value()[0]).text.size() == worker_text_size_bytes_max);
  byte_buffer body{2, 0xff, 0xff};
  body.resize(3 + 0xffff, 'x');
  BOOST_TEST((refusal_of(raw(static_cast<std::uint32_t>(body.size()), 21, body)) == errc::protocol_violation));
}
