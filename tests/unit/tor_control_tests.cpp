// tests/unit/tor_control_tests.cpp - Tor's replies in any slicing, and what a hostile control port may not say.
#define BOOST_TEST_MODULE tor_control_tests
#include <boost/test/unit_test.hpp>

#include "adapters/tor/control_reply.hpp"

using namespace lucid;

namespace {

std::vector<control_reply> read(std::string_view bytes, std::size_t slice_bytes = 1000) {
  control_reader reader;
  std::vector<control_reply> all;
  while (!bytes.empty()) {
    auto slice = bytes.substr(0, slice_bytes);
    bytes.remove_prefix(slice.size());
    auto some = reader.feed(slice);
    if (!some) throw std::runtime_error(to_string(some.error()));
    for (auto& one : *some) all.push_back(std::move(one));
  }
  return all;
}

errc refusal_of(std::string_view bytes) {
  control_reader reader;
  auto fed = reader.feed(bytes);
  BOOST_REQUIRE(!fed);
  BOOST_TEST(!reader.feed("250 OK\r\n")); // It stays broken.
  return fed.error().code;
}

constexpr std::string_view talk =
  "250-PROTOCOLINFO 1\r\n"
  "250-AUTH METHODS=COOKIE,SAFECOOKIE COOKIEFILE=\"/var/lib/tor/a \\\"b\\\".cookie\"\r\n"
  "250-VERSION Tor=\"0.4.9.11\"\r\n"
  "250 OK\r\n"
  "250+config-text=\r\n"
  "ControlPort 9051\r\n"
  "..dotted\r\n"
  "250 not a status\r\n"
  ".\r\n"
  "250 OK\r\n"
  "650 STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=50 TAG=loading_descriptors SUMMARY=\"Loading relay descriptors\"\r\n"
  "515 Authentication failed: Wrong length on authentication cookie.\r\n";

} // namespace

BOOST_AUTO_TEST_CASE(replies_read_the_same_however_they_are_cut) {
  auto whole = read(talk);
  BOOST_REQUIRE_EQUAL(whole.size(), 4u);
  BOOST_TEST(whole[0].ok());
  BOOST_TEST(whole[0].lines.size() == 4u);
  BOOST_TEST(whole[1].value("config-text").value() == "ControlPort 9051\n.dotted\n250 not a status\n");
  BOOST_TEST(whole[2].event());
  BOOST_TEST(whole[3].text() == "515 Authentication failed: Wrong length on authentication cookie.");
  for (std::size_t slice = 1; slice < talk.size(); ++slice) BOOST_TEST((read(talk, slice) == whole));
}

BOOST_AUTO_TEST_CASE(a_value_is_found_by_its_key_and_unquoted) {
  auto reply = read("250-ServiceID=abc\r\n250-net/listeners/socks=\"127.0.0.1:4711\"\r\n250-ServiceIDs=no\r\n250 OK\r\n").at(0);
  BOOST_TEST(reply.value("ServiceID").value() == "abc");
  BOOST_TEST(reply.value("net/listeners/socks").value() == "127.0.0.1:4711");
  BOOST_TEST(!reply.value("Service"));
  BOOST_TEST(!reply.value("OK"));
}

BOOST_AUTO_TEST_CASE(words_and_values_are_told_apart) {
  auto split =
    split_control_words("NOTICE BOOTSTRAP PROGRESS=50 SUMMARY=\"a = \\\"b\\\" \\\\ \\101\" EMPTY= PROGRESS=9 last").value();
  BOOST_TEST((split.words == std::vector<std::string>{"NOTICE", "BOOTSTRAP", "last"}));
  BOOST_TEST(split.values.at("PROGRESS") == "50");
  BOOST_TEST(split.values.at("SUMMARY") == "a = \"b\" \\ A");
  BOOST_TEST(split.values.at("EMPTY") == "");
  BOOST_TEST(!split_control_words("A=\"no end"));
  BOOST_TEST(!split_control_words("A=\"no end\\"));
  BOOST_TEST(!split_control_words("A=\"\\777\""));
}

BOOST_AUTO_TEST_CASE(quoting_reads_back_and_no_line_end_gets_through) {
  for (std::string text : {"", "plain", "a \"b\" \\ c", "tab\there"}) {
    auto split = split_control_words("K=" + quote_control(text).value()).value();
    BOOST_TEST(split.values.at("K") == text);
  }
  for (std::string_view text : {std::string_view("a\r\nSIGNAL HALT"), std::string_view("a\n"), std::string_view("a\0b", 3)})
    BOOST_TEST((quote_control(text).error().code == errc::invalid_input));
}

BOOST_AUTO_TEST_CASE(what_breaks_the_grammar_is_refused) {
  for (std::string_view bad : {"250 OK\n", "250\r\n", "25 OK\r\n", "OK\r\n", "\r\n", "250_OK\r\n", "250-a\r\n251 b\r\n",
                               "650-a\r\n250 OK\r\n", "100 OK\r\n", "950 OK\r\n", "250 a\rb\r\n", "abc def\r\n"})
    BOOST_TEST((refusal_of(bad) == errc::protocol_violation), std::string(bad));
}

BOOST_AUTO_TEST_CASE(lines_and_replies_are_bounded) {
  BOOST_TEST((refusal_of(std::string(control_line_bytes_max + 1, 'a')) == errc::limit_exceeded));
  // A line at the bound passes.
  std::string line = "250 " + std::string(control_line_bytes_max - 5, 'a') + "\r\n";
  BOOST_TEST(read(line).size() == 1u);
  std::string many;
  for (std::size_t i = 0; i <= control_reply_lines_max; ++i) many += "250-a\r\n";
  BOOST_TEST((refusal_of(many) == errc::limit_exceeded));
  std::string data = "250+data=\r\n";
  while (data.size() <= control_reply_bytes_max) data += std::string(1000, 'd') + "\r\n";
  BOOST_TEST((refusal_of(data) == errc::limit_exceeded));
}

BOOST_AUTO_TEST_CASE(what_tor_says_is_shown_without_control_characters_and_shortened) {
  auto reply = read("551 \x1b[2J" + std::string(1000, 'x') + "\r\n").at(0);
  BOOST_TEST(reply.text().find('\x1b') == std::string::npos);
  BOOST_TEST(reply.text().size() < 310u);
}
