// tests/unit/source_url_tests.cpp - sources as people write them, right and wrong.
#define BOOST_TEST_MODULE source_url_tests
#include <boost/test/unit_test.hpp>

#include "messages/source_url.hpp"

using namespace lucid;

namespace {

std::string refusal_of(std::string_view text) {
  auto parsed = parse_source_url(text);
  BOOST_REQUIRE_MESSAGE(!parsed, text);
  BOOST_TEST((parsed.error().code == errc::invalid_input));
  return parsed.error().what;
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

} // namespace

BOOST_AUTO_TEST_CASE(rdp_takes_user_host_and_port) {
  auto url = parse_source_url("rdp://ann@desk.example.org:3390").value();
  BOOST_TEST(url.user == "ann");
  BOOST_TEST(url.host == "desk.example.org");
  BOOST_TEST(url.port == 3390);
  BOOST_TEST(shown_source(url) == "rdp://desk.example.org:3390");
  auto plain = parse_source_url("rdp://10.0.0.1").value();
  BOOST_TEST(plain.port == 3389);
  BOOST_TEST(plain.user.empty());
  auto v6 = parse_source_url("rdp://DOM\\ann@[::1]:1").value();
  BOOST_TEST(v6.user == "DOM\\ann");
  BOOST_TEST(v6.host == "::1");
  BOOST_TEST(pinned_name(v6) == "[::1]:1");
}

BOOST_AUTO_TEST_CASE(rdp_refuses_passwords_and_broken_hosts) {
  BOOST_TEST(contains(refusal_of("rdp://ann:secret@host"), "password"));
  BOOST_TEST(!contains(refusal_of("rdp://ann:secret@host"), "secret"));
  BOOST_TEST(contains(refusal_of("rdp://"), "host is missing"));
  BOOST_TEST(contains(refusal_of("rdp://host:0"), "the port must be a number from 1 to 65535"));
  BOOST_TEST(contains(refusal_of("rdp://host:3389x"), "the port"));
  BOOST_TEST(contains(refusal_of("rdp://ho st"), "no host name"));
  BOOST_TEST(contains(refusal_of("rdp://-oProxy"), "no host name"));
  BOOST_TEST(contains(refusal_of("rdp://[::1"), "lacks its ']'"));
  BOOST_TEST(contains(refusal_of("rdp://@host"), "user name"));
}

BOOST_AUTO_TEST_CASE(x11_takes_a_local_display) {
  BOOST_TEST(parse_source_url("x11://:0").value().display == ":0");
  BOOST_TEST(parse_source_url("x11://:10.1").value().display == ":10.1");
  BOOST_TEST(contains(refusal_of("x11://host:0"), "form :N"));
  BOOST_TEST(contains(refusal_of("x11://:a"), "display's number"));
}

BOOST_AUTO_TEST_CASE(files_and_standard_input) {
  BOOST_TEST(parse_source_url("file:/a b.mp4").value().path == "/a b.mp4");
  BOOST_TEST((parse_source_url("-").value().kind == source_kind::standard_input));
  BOOST_TEST(contains(refusal_of("file:"), "path is missing"));
  BOOST_TEST(contains(refusal_of("http://x"), "is no source"));
  BOOST_TEST(contains(refusal_of(""), "is no source"));
  BOOST_TEST(is_repeatable(source_kind::file));
  BOOST_TEST(!is_repeatable(source_kind::standard_input));
  BOOST_TEST(!is_repeatable(source_kind::rdp));
}

BOOST_AUTO_TEST_CASE(a_generator_takes_its_plan_and_names_what_is_wrong) {
  auto plan = parse_source_url("generator:seed=7&frames=60&rate=30&size=640x360&realtime=1&idle=5&resize_at=30").value().plan;
  BOOST_TEST(plan.seed == 7u);
  BOOST_TEST(plan.frame_count == 60u);
  BOOST_TEST(plan.rate == 30u);
  BOOST_TEST(plan.width == 640u);
  BOOST_TEST(plan.height == 360u);
  BOOST_TEST(plan.real_time);
  BOOST_TEST(plan.idle_seconds == 5u);
  BOOST_TEST(plan.resize_at == 30u);
  BOOST_TEST(parse_source_url("generator:").value().plan.frame_count == 300u);
  BOOST_TEST(contains(refusal_of("generator:sede=1"), "has no 'sede'"));
  BOOST_TEST(contains(refusal_of("generator:seed"), "KEY=VALUE"));
  BOOST_TEST(contains(refusal_of("generator:frames=0"), "frames must be a number from 1"));
  BOOST_TEST(contains(refusal_of("generator:size=641x360"), "even"));
  BOOST_TEST(contains(refusal_of("generator:size=8x360"), "the width"));
  BOOST_TEST(contains(refusal_of("generator:size=640"), "WIDTHxHEIGHT"));
}
