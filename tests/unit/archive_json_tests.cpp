// tests/unit/archive_json_tests.cpp - chunks, keys, verdicts and blocks as the contract has them.
#define BOOST_TEST_MODULE archive_json_tests
#include <boost/test/unit_test.hpp>

#include <nlohmann/json.hpp>

#include "actors/console/archive_json.hpp"
#include "actors/format/ledger_codec.hpp"

using namespace lucid;
using nlohmann::json;

namespace {

digest digest_of(std::uint8_t n) {
  digest d;
  d.fill(n);
  return d;
}

std::string digits(const char* two) {
  std::string text;
  for (int i = 0; i < 32; ++i) text += two;
  return text;
}

anchor_entry an_entry() { return {digest_of(0x11), digest_of(0x22), digest_of(0x33), 44}; }

} // namespace

BOOST_AUTO_TEST_CASE(a_chunk_has_every_member_of_the_contract) {
  chunk_record chunk{{digest_of(9), track::events, 3}, {10, 20, 7, -5, 1'000'000}, 4000, 5000, digest_of(0xab), digest_of(0xcd)};
  auto expected = json::parse(R"({"track":"events","index":3,"start_us":-5,"end_us":1000000,"first_sequence":10,
    "last_sequence":20,"frame_count":7,"plain_size_bytes":4000,"sealed_size_bytes":5000})");
  expected["content"] = digits("ab");
  expected["root"] = digits("cd");
  BOOST_TEST((to_json(chunk) == expected), to_json(chunk).dump());
}

BOOST_AUTO_TEST_CASE(a_key_is_shown_sealed) {
  wrapped_key key;
  key.recipient = digest_of(0x0a);
  key.sealed.fill(0xff);
  BOOST_TEST((to_json(key) == json{{"recipient", digits("0a")}, {"sealed", std::string(160, 'f')}}));
}

BOOST_AUTO_TEST_CASE(a_verdict_lists_its_checks_and_damage) {
  recording_verdict verdict{"NOT INTACT: 1 finding.", {{"chunks", "FAIL", "4 chunks"}}, {{track::video, 2, 7, 114688}}};
  BOOST_TEST((to_json(verdict) == json::parse(R"({"verdict":"NOT INTACT: 1 finding.",
    "checks":[{"name":"chunks","verdict":"FAIL","found":"4 chunks"}],
    "damage":[{"chunk":2,"track":"video","block":7,"offset":114688}]})")));
  BOOST_TEST((to_json(recording_verdict{}) == json::parse(R"({"verdict":"","checks":[],"damage":[]})")));
}

BOOST_AUTO_TEST_CASE(a_block_is_shown_without_entries_in_lists_and_with_them_alone) {
  block_header header{1, 12, 34, digest_of(1), 56, digest_of(2), 1, digest_of(3), {}};
  header.by.fill(4);
  auto expected = json::parse(R"({"height":12,"slot":34,"time_us":56,"entry_count":1})");
  expected["hash"] = to_hex(hash_of(header));
  expected["previous"] = digits("01");
  expected["entries_root"] = digits("02");
  expected["producer"] = digits("03");
  expected["signature"] = digits("04") + digits("04");
  BOOST_TEST((to_json(header) == expected), to_json(header).dump());
  json entry{{"session", digits("11")}, {"manifest", digits("22")}, {"root", digits("33")}, {"sealed_us", 44}};
  expected["entries"] = json::array({entry});
  BOOST_TEST((to_json(full_block{header, {an_entry()}}) == expected));
  entry["height"] = 12;
  entry["entry_index"] = 5;
  BOOST_TEST((to_json(found_entry{an_entry(), {12, 5}}) == entry));
}
