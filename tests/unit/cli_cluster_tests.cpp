// tests/unit/cli_cluster_tests.cpp - the commands of a cluster, against a node whose answers are written down.
#define BOOST_TEST_MODULE cli_cluster_tests
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <sstream>

#include <nlohmann/json.hpp>

#include "actors/mesh/invitation.hpp"
#include "actors/node/cli/cluster_text.hpp"
#include "actors/node/cli/exit_code.hpp"
#include "actors/node/cli/program.hpp"
#include "tests/doubles/clean_surroundings.hpp"
#include "tests/doubles/scripted_node.hpp"

using namespace lucid;
using lucid::testing::clean_surroundings;
using lucid::testing::must;
using nlohmann::json;

namespace {

std::string id_of(char digit) { return std::string(64, digit); }

json member(const std::string& name, char digit, const std::string& state) {
  std::string address("tcp://10.0.0.x:7800");
  std::ranges::replace(address, 'x', digit);
  return {{"id", id_of(digit)},
          {"name", name},
          {"sign_key", id_of('8')},
          {"box_key", id_of('9')},
          {"addresses", {address}},
          {"state", state},
          {"since_us", 1'800'000'000'000'000},
          {"round_trip_us", 1500},
          {"software", "lucid 0.1.0"}};
}

json cluster() {
  return {{"name", "home"},
          {"cluster_id", id_of('c')},
          {"list_version", 7},
          {"self", id_of('1')},
          {"members",
           {member("pi-1", '1', "self"), member("pi-2", '2', "up"), member("pi-3", '3', "down"), member("old", '4', "removed")}},
          {"leases", {{{"role", "seal"}, {"place", 0}, {"holder", id_of('2')}, {"fence", 5}, {"remaining_ms", 900}},
                      {{"role", "anchor"}, {"place", 0}, {"holder", ""}, {"fence", 2}, {"remaining_ms", 0}}}}};
}

invitation sample(std::int64_t expires_us = 4'000'000'000'000'000) {
  invitation what;
  what.cluster_id.fill(0xcc);
  what.addresses = {"tcp://10.0.0.1:7800"};
  what.expires_us = expires_us;
  what.token.fill(7);
  return what;
}

struct ran {
  int code = 0;
  std::string out, err;
};

struct fixture {
  fixture() { node.answer("GET /v1/cluster", cluster().dump()); }

  ran run(std::vector<std::string> arguments) {
    arguments.push_back("--set");
    arguments.push_back("control.socket=" + node.socket().string());
    std::ostringstream out, err;
    auto code = run_program(arguments, out, err);
    return {code, out.str(), err.str()};
  }
  bool was_asked(const std::string& request) const {
    auto asked = node.asked();
    return std::find(asked.begin(), asked.end(), request) != asked.end();
  }

  lucid::testing::scripted_node node;
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }
constexpr int code_of(exit_code code) { return static_cast<int>(code); }

} // namespace

BOOST_TEST_GLOBAL_FIXTURE(clean_surroundings);

BOOST_AUTO_TEST_CASE(the_nodes_answer_is_read_whole_or_refused) {
  auto view = must(read_cluster_view(cluster()));
  BOOST_TEST((view.name == "home" && view.list_version == 7 && view.members.size() == 4 && view.leases.size() == 2));
  BOOST_TEST((view.members[1].state == member_state::up && view.members[1].round_trip_us == 1500));
  BOOST_TEST((view.leases[0].fence == 5 && view.leases[0].holder == view.members[1].id));
  auto refused = [](auto change) {
    auto answer = cluster();
    change(answer);
    auto read = read_cluster_view(answer);
    BOOST_TEST((!read && read.error().code == errc::protocol_violation));
  };
  refused([](json& a) { a.erase("name"); });
  refused([](json& a) { a["cluster_id"] = "12"; });
  refused([](json& a) { a["list_version"] = -1; });
  refused([](json& a) { a["members"] = 3; });
  refused([](json& a) { a["members"][0] = 3; });
  refused([](json& a) { a["members"][0]["state"] = "asleep"; });
  refused([](json& a) { a["members"][0]["addresses"] = json::array({1}); });
  refused([](json& a) { a["members"][0]["round_trip_us"] = 5'000'000'000; });
  refused([](json& a) { a["leases"][0].erase("fence"); });
}

BOOST_AUTO_TEST_CASE(members_are_found_by_name_or_id) {
  auto view = must(read_cluster_view(cluster()));
  BOOST_TEST(must(find_member(view, "pi-2")).name == "pi-2");
  BOOST_TEST(must(find_member(view, "2222")).name == "pi-2");
  BOOST_TEST(must(find_member(view, id_of('3'))).name == "pi-3");
  BOOST_TEST((find_member(view, "222").error().code == errc::not_found));
  BOOST_TEST((find_member(view, "old").error().code == errc::not_found));
  BOOST_TEST(has(find_member(view, "pi-4").error().what, "did you mean \"pi-1\"?"));
  view.members[2].id = view.members[1].id;
  BOOST_TEST((find_member(view, "2222").error().code == errc::invalid_input));
  BOOST_TEST(age_text(0, 5) == "-");
  BOOST_TEST(age_text(1'000'000, 91'000'000) == "90 s");
  BOOST_TEST(age_text(1, 3'600'000'001) == "60 min");
  BOOST_TEST(age_text(1, 86'400'000'001) == "24 h");
  BOOST_TEST(age_text(1, 10 * 86'400'000'000ll) == "9 d");
}

BOOST_FIXTURE_TEST_CASE(members_and_status_show_what_the_node_sees, fixture) {
  auto listed = run({"cluster", "members"});
  BOOST_TEST(listed.code == 0);
  for (auto part : {"pi-1", "self", "pi-2", "up", "1.5 ms", "tcp://10.0.0.3:7800", "removed", "222222222222"})
    BOOST_TEST(has(listed.out, part), part);
  auto status = run({"cluster", "status"});
  BOOST_TEST(status.code == 0);
  for (auto& part : {std::string("home"), id_of('c'), std::string("3, 1 not heard from"), std::string("version 7"),
                     std::string("seal"), std::string("nobody")})
    BOOST_TEST(has(status.out, part), part);
  BOOST_TEST((json::parse(run({"cluster", "status", "--json"}).out) == cluster()));
  BOOST_TEST((json::parse(run({"cluster", "members", "--json"}).out)["members"] == cluster()["members"]));
  auto alone = cluster();
  alone["name"] = alone["cluster_id"] = ""; // As a node says that is in none.
  node.answer("GET /v1/cluster", alone.dump());
  BOOST_TEST(has(run({"cluster", "status"}).out, "is in no cluster"));
  auto none = run({"cluster", "members"});
  BOOST_TEST(none.code == code_of(exit_code_for(errc::wrong_state)));
  BOOST_TEST(has(none.err, "lucid cluster init NAME"));
}

BOOST_FIXTURE_TEST_CASE(a_cluster_is_formed_under_a_proper_name, fixture) {
  auto bad = run({"cluster", "init", "My Home"});
  BOOST_TEST(bad.code == code_of(exit_code::usage));
  BOOST_TEST(has(bad.err, "a-z, 0-9"));
  BOOST_TEST(node.asked().empty());
  node.answer("POST /v1/cluster/init", cluster().dump());
  auto made = run({"cluster", "init", "home"});
  BOOST_TEST(made.code == 0);
  BOOST_TEST(was_asked(R"(POST /v1/cluster/init {"name":"home"})"));
  BOOST_TEST(has(made.out, "Cluster home is formed; this node, pi-1, is its first member."));
}

BOOST_FIXTURE_TEST_CASE(an_invitation_is_printed_as_text_and_on_wish_as_a_code, fixture) {
  auto text = must(invitation_text(sample()));
  json answer{{"invitation", text}, {"expires_us", sample().expires_us}, {"address", "tcp://10.0.0.1:7800"}, {"id", "0badcafe"}};
  node.answer("POST /v1/cluster/invitations", answer.dump());
  auto plain = run({"cluster", "invite"});
  BOOST_TEST(plain.code == 0);
  BOOST_TEST(plain.out == text + "\n"); // Nobody watches: no code in the way.
  BOOST_TEST(was_asked(R"(POST /v1/cluster/invitations {"valid_seconds":900})"));
  BOOST_TEST(has(plain.err, "tcp://10.0.0.1:7800"));
  BOOST_TEST(has(plain.err, "lucid cluster uninvite 0badcafe"));
  BOOST_TEST(run({"cluster", "invite", "--valid", "2 h", "--quiet"}).err == "");
  BOOST_TEST(was_asked(R"(POST /v1/cluster/invitations {"valid_seconds":7200})"));
  auto code = run({"cluster", "invite", "--qr", "ascii"});
  BOOST_TEST(has(code.out, "##############"));
  BOOST_TEST(has(code.out, text));
  BOOST_TEST(has(run({"cluster", "invite", "--qr", "blocks"}).out, "\u2588"));
  for (auto valid : {"10 s", "7 d"}) BOOST_TEST(run({"cluster", "invite", "--valid", valid}).code == 0, valid);
  for (auto valid : {"9 s", "8 d", "soon"})
    BOOST_TEST(run({"cluster", "invite", "--valid", valid}).code == code_of(exit_code::usage), valid);
  BOOST_TEST((json::parse(run({"cluster", "invite", "--json"}).out) == answer));
  node.answer("POST /v1/cluster/invitations", R"({"invitation":"lucid-join:\u001b[2J"})");
  BOOST_TEST(run({"cluster", "invite"}).code != 0);
}

BOOST_FIXTURE_TEST_CASE(open_invitations_are_listed_and_taken_back, fixture) {
  node.answer("GET /v1/cluster/invitations", R"({"invitations":[]})");
  BOOST_TEST(has(run({"cluster", "invitations"}).out, "No invitation of this node is open."));
  json open{{"invitations", {{{"id", "0badcafe"}, {"issued_us", 1'800'000'000'000'000}, {"expires_us", 1'800'000'900'000'000}}}}};
  node.answer("GET /v1/cluster/invitations", open.dump());
  auto listed = run({"cluster", "invitations"});
  BOOST_TEST(listed.code == 0);
  for (auto part : {"0badcafe", "2027-01-15 08:00:00 UTC", "2027-01-15 08:15:00 UTC"}) BOOST_TEST(has(listed.out, part), part);
  BOOST_TEST((json::parse(run({"cluster", "invitations", "--json"}).out) == open));
  node.answer("GET /v1/cluster/invitations", R"({"invitations":[{"id":7}]})");
  BOOST_TEST(run({"cluster", "invitations"}).code == code_of(exit_code_for(errc::protocol_violation)));
  node.answer("DELETE /v1/cluster/invitations/0badcafe", json{{"text", "the invitation was taken back"}}.dump());
  auto done = run({"cluster", "uninvite", "0badcafe"});
  BOOST_TEST(done.code == 0);
  BOOST_TEST(done.out == "the invitation was taken back\n");
  BOOST_TEST(was_asked("DELETE /v1/cluster/invitations/0badcafe"));
  BOOST_TEST(run({"cluster", "uninvite", "deadbeef"}).code != 0);
  BOOST_TEST(run({"cluster", "uninvite"}).code == code_of(exit_code::usage));
}

BOOST_FIXTURE_TEST_CASE(an_invitation_is_checked_before_it_is_sent, fixture) {
  auto text = must(invitation_text(sample()));
  auto mistyped = text;
  mistyped[20] = mistyped[20] == 'x' ? 'y' : 'x';
  auto wrong = run({"cluster", "join", mistyped});
  BOOST_TEST(wrong.code != 0);
  BOOST_TEST(has(wrong.err, "mistyped"));
  BOOST_TEST(has(run({"cluster", "join", "hello"}).err, "lucid cluster invite"));
  BOOST_TEST(has(run({"cluster", "join", "-"}).err, "standard input"));
  BOOST_TEST(node.asked().empty());
  node.answer("POST /v1/cluster/join", cluster().dump());
  auto joined = run({"cluster", "join", text.substr(0, 60) + "\n" + text.substr(60)});
  BOOST_TEST(joined.code == 0);
  BOOST_TEST(was_asked("POST /v1/cluster/join " + json{{"invitation", text}}.dump()));
  BOOST_TEST(has(joined.out, "This node, pi-1, is a member of cluster home now, one of 3."));
  BOOST_TEST(!has(joined.err, "expired"));
  // The clock of this machine may be wrong: who made the invitation knows whether it is over.
  auto late = must(invitation_text(sample(1'000'000'000'000'000)));
  auto tried = run({"cluster", "join", late});
  BOOST_TEST(tried.code == 0);
  BOOST_TEST(was_asked("POST /v1/cluster/join " + json{{"invitation", late}}.dump()));
  BOOST_TEST(has(tried.err, "By this machine's clock the invitation expired at 2001-09-09 01:46:40 UTC"));
}

BOOST_FIXTURE_TEST_CASE(a_member_is_removed_when_that_was_confirmed, fixture) {
  auto asked = run({"cluster", "remove", "pi-2"});
  BOOST_TEST(asked.code != 0);
  BOOST_TEST(has(asked.err, "--yes"));
  BOOST_TEST(!was_asked("DELETE /v1/cluster/members/" + id_of('2')));
  node.answer("DELETE /v1/cluster/members/" + id_of('2'), cluster().dump());
  auto done = run({"cluster", "remove", "pi-2", "--yes"});
  BOOST_TEST(done.code == 0);
  BOOST_TEST(was_asked("DELETE /v1/cluster/members/" + id_of('2')));
  BOOST_TEST(has(done.out, "pi-2 is no member of cluster home any more."));
  node.answer("DELETE /v1/cluster/members/" + id_of('1'), cluster().dump());
  BOOST_TEST(has(run({"cluster", "remove", "1111", "--yes"}).out, "This node has left cluster home."));
  BOOST_TEST(run({"cluster", "remove", "pi-9", "--yes"}).code == code_of(exit_code::not_found));
}

BOOST_FIXTURE_TEST_CASE(keys_are_rotated_by_the_node, fixture) {
  node.answer("POST /v1/keys/rotate", json{{"text", "new transport key"}, {"list_version", 3}}.dump());
  auto done = run({"keys", "rotate"});
  BOOST_TEST(done.code == 0);
  BOOST_TEST(was_asked(R"(POST /v1/keys/rotate {"onion":false})"));
  BOOST_TEST(has(done.out, "new transport key"));
  BOOST_TEST(run({"keys", "rotate", "--onion"}).code == 0);
  BOOST_TEST(was_asked(R"(POST /v1/keys/rotate {"onion":true})"));
}
