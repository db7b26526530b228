// tests/unit/replication_json_tests.cpp - copies as the API tells of them: out, back in, and what is no answer.
#define BOOST_TEST_MODULE replication_json_tests
#include <boost/test/unit_test.hpp>

#include <nlohmann/json.hpp>

#include "actors/console/replication_json.hpp"

using namespace lucid;
using nlohmann::json;

BOOST_AUTO_TEST_CASE(status_and_audit_read_back_as_they_were) {
  replication_status s;
  s.copies = 2;
  s.session_count = 3;
  s.chunk_count = 40;
  s.replicated_count = 39;
  s.without_copy_count = 1;
  s.in_flight = 4;
  s.last_failure = "why";
  s.holders.push_back({node_id{7}, "pi-2", true, 30, 3000, 5, 1, 2});
  auto back = replication_status_from_json(to_json(s));
  BOOST_REQUIRE(back.has_value());
  BOOST_TEST(to_json(*back) == to_json(s));
  BOOST_TEST(back->holders[0].challenges_late == 2u);
  replication_audit a;
  a.session = session_id{9};
  a.chunk_count = 10;
  a.from = 3;
  a.next = 6;
  a.short_count = 2;
  a.copies.push_back({node_id{7}, "pi-2", 3, 1, 1, 1, ""});
  auto again = replication_audit_from_json(to_json(a));
  BOOST_REQUIRE(again.has_value());
  BOOST_TEST(to_json(*again) == to_json(a));
}

BOOST_AUTO_TEST_CASE(an_answer_without_a_member_or_with_another_type_is_refused) {
  auto good = to_json(replication_audit{});
  for (auto& [name, value] : good.items()) {
    auto less = good;
    less.erase(name);
    BOOST_TEST(!replication_audit_from_json(less).has_value());
    auto other = good;
    other[name] = json{{"a", 1}};
    if (name != "copies") BOOST_TEST(!replication_audit_from_json(other).has_value());
  }
  BOOST_TEST(!replication_audit_from_json(json::array()).has_value());
  BOOST_TEST(!replication_status_from_json(json("x")).has_value());
  auto short_id = good;
  short_id["session"] = "abcd";
  BOOST_TEST(!replication_audit_from_json(short_id).has_value());
}
