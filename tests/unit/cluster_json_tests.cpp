// tests/unit/cluster_json_tests.cpp - the cluster as the API tells of it.
#define BOOST_TEST_MODULE cluster_json_tests
#include <boost/test/unit_test.hpp>

#include <nlohmann/json.hpp>

#include "actors/console/cluster_json.hpp"

using namespace lucid;
using nlohmann::json;

namespace {

cluster_view two_nodes() {
  cluster_view view;
  view.name = "field";
  view.cluster_id = digest{9};
  view.list_version = 4;
  view.self = node_id{1};
  view.members.push_back({node_id{1}, "pi-1", {}, {}, {"tcp://10.0.0.1:7800"}, member_state::self, 100, 0, "lucid 0.1.0"});
  view.members.push_back(
    {node_id{2}, "pi-2", {2}, {3}, {"tcp://10.0.0.2:7800", "tor://x.onion:7800"}, member_state::down, 200, 1500, ""});
  view.former = {{node_id{4}, "pi-4", 300}};
  view.leases = {{"seal", 0, node_id{2}, 12, 4000}, {"seal", 1, node_id{}, 3, 0}, {"anchor", 0, node_id{7}, 1, 10}};
  return view;
}

} // namespace

BOOST_AUTO_TEST_CASE(members_and_leases_are_told_as_they_are) {
  auto told = to_json(two_nodes());
  BOOST_TEST(told["name"] == "field");
  BOOST_TEST(told["cluster_id"] == to_hex(digest{9}));
  BOOST_TEST(told["list_version"] == 4);
  BOOST_TEST(told["self"] == to_hex(node_id{1}));
  auto& there = told["members"][1];
  BOOST_TEST(there == (json{{"id", to_hex(node_id{2})},
                            {"name", "pi-2"},
                            {"sign_key", to_hex(sign_public_key{2})},
                            {"box_key", to_hex(box_public_key{3})},
                            {"addresses", {"tcp://10.0.0.2:7800", "tor://x.onion:7800"}},
                            {"state", "down"},
                            {"since_us", 200},
                            {"round_trip_us", 1500},
                            {"software", ""}}));
  BOOST_TEST(told["members"][0]["state"] == "self");
  BOOST_TEST(told["leases"][0] == (json{{"role", "seal"},
                                        {"place", 0},
                                        {"holder", to_hex(node_id{2})},
                                        {"holder_name", "pi-2"},
                                        {"fence", 12},
                                        {"remaining_ms", 4000}}));
}

BOOST_AUTO_TEST_CASE(who_was_removed_is_told_apart_from_the_members) {
  auto told = to_json(two_nodes());
  BOOST_TEST(told["members"].size() == 2u);
  BOOST_TEST(told["former"] == (json::array({{{"id", to_hex(node_id{4})}, {"name", "pi-4"}, {"since_us", 300}}})));
}

BOOST_AUTO_TEST_CASE(a_lease_of_nobody_and_one_of_a_stranger_have_no_name) {
  auto leases = to_json(two_nodes())["leases"];
  BOOST_TEST(leases[1]["holder"] == "");
  BOOST_TEST(leases[1]["holder_name"] == "");
  BOOST_TEST(leases[2]["holder"] == to_hex(node_id{7}));
  BOOST_TEST(leases[2]["holder_name"] == "");
}

BOOST_AUTO_TEST_CASE(a_node_that_stands_alone_tells_empty_members) {
  BOOST_TEST(to_json(cluster_view{}) == (json{{"name", ""},
                                              {"cluster_id", ""},
                                              {"list_version", 0},
                                              {"self", ""},
                                              {"members", json::array()},
                                              {"leases", json::array()},
                                              {"former", json::array()}}));
}

BOOST_AUTO_TEST_CASE(answers_to_wishes_are_told) {
  BOOST_TEST(to_json(cluster_ack{"done", 7}) == (json{{"text", "done"}, {"list_version", 7}}));
  BOOST_TEST(to_json(cluster_invitation{"lucid-join:x", "tcp://10.0.0.1:7800", 99, "0badcafe"}) ==
             (json{{"invitation", "lucid-join:x"}, {"address", "tcp://10.0.0.1:7800"}, {"expires_us", 99}, {"id", "0badcafe"}}));
  BOOST_TEST(to_json(cluster_invitations{}) == (json{{"invitations", json::array()}}));
  BOOST_TEST(to_json(cluster_invitations{{{"0badcafe", 5, 99}}}) ==
             (json{{"invitations", {{{"id", "0badcafe"}, {"issued_us", 5}, {"expires_us", 99}}}}}));
}
