// tests/unit/cli_node_tests.cpp - the commands that ask a running node, against one whose answers are written down.
#define BOOST_TEST_MODULE cli_node_tests
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <sstream>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "actors/node/cli/actor_paths.hpp"
#include "actors/node/cli/exit_code.hpp"
#include "actors/node/cli/program.hpp"
#include "tests/doubles/clean_surroundings.hpp"
#include "tests/doubles/scripted_node.hpp"

using namespace lucid;
using lucid::testing::clean_surroundings;
using nlohmann::json;

namespace {

const std::string session = std::string(60, 'a') + "0001";

json actor(const std::string& path, std::uint64_t mailbox = 0) {
  return {{"path", path},
          {"kind", path.substr(path.rfind('/') + 1)},
          {"state_now", "running"},
          {"incarnation", 1},
          {"present", true},
          {"mailbox_length", mailbox},
          {"handled_count", 5},
          {"busy_share", 0.5},
          {"restart_count", 0},
          {"dead_letter_count", 0},
          {"rate", 2.5},
          {"handler_ns", {{"p50", 10}, {"p90", 20}, {"p99", 30}, {"max", 40}}},
          {"handled", json::object()},
          {"state", {{"sealed", "7"}}},
          {"restarts", json::array()}};
}

struct ran {
  int code = 0;
  std::string out, err;
};

struct fixture {
  fixture() {
    json actors{{"seq", 3}, {"actors", {actor("root"), actor("storage"), actor("storage/store", 7), actor("sessions"),
                                        actor("sessions/" + session), actor("sessions/" + session + "/seal")}}};
    node.answer("GET /v1/actors", actors.dump());
    node.answer("GET /v1/actors/sessions%2F" + session + "%2Fseal", actor("sessions/" + session + "/seal").dump());
    auto alone = actor("storage/store", 7);
    alone["capsules"] = {"00a1"};
    node.answer("GET /v1/actors/storage%2Fstore", alone.dump());
  }

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

  testing::scripted_node node;
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }
constexpr int code_of(exit_code code) { return static_cast<int>(code); }

} // namespace

BOOST_TEST_GLOBAL_FIXTURE(clean_surroundings);

BOOST_AUTO_TEST_CASE(paths_are_found_as_they_are_shown) {
  auto seal = "sessions/" + session + "/seal";
  BOOST_TEST(with_short_ids(seal) == "sessions/aaaaaaaaaaaa/seal");
  BOOST_TEST(with_short_ids("sessions/short/seal") == "sessions/short/seal");
  BOOST_TEST(with_short_ids("storage/store") == "storage/store");
  BOOST_TEST(with_short_ids("restarts " + seal + ", and sessions/" + session) ==
             "restarts sessions/aaaaaaaaaaaa/seal, and sessions/aaaaaaaaaaaa");
  for (auto* pattern :
       {"", "root", "sessions", "sessions/", "sessions/aaaa", "sessions/*/seal", "sessions/aaaaaaaaaaaa/seal", "*", "s*"})
    BOOST_TEST(path_matches(pattern, seal), pattern);
  for (auto* pattern :
       {"storage", "session", "sessions/aaa", "sessions/bbbb", "sessions/*/journal", "sessions/*/seal/more", "seal"})
    BOOST_TEST(!path_matches(pattern, seal), pattern);
  std::vector<std::string> known{"storage/store", seal, "sessions/" + std::string(64, 'b') + "/seal"};
  BOOST_TEST(find_path("sessions/aaaa/seal", known).value() == seal);
  BOOST_TEST(find_path("storage/store", known).value() == "storage/store");
  BOOST_TEST(has(find_path("storage/stor", known).error().what, "did you mean \"storage/store\"?"));
  BOOST_TEST((find_path("sessions/*/seal", known).error().code == errc::not_found)); // An action is on one.
  known.push_back("sessions/" + std::string(63, 'a') + "b/seal");
  BOOST_TEST((find_path("sessions/aaaa/seal", known).error().code == errc::invalid_input));
}

BOOST_FIXTURE_TEST_CASE(inspect_shows_all_a_subtree_or_one_in_full, fixture) {
  auto all = run({"inspect"});
  BOOST_TEST(all.code == 0);
  BOOST_TEST(has(all.out, "sessions/aaaaaaaaaaaa/seal"));
  auto some = run({"inspect", "sessions/*/seal", "--json"});
  auto seen = json::parse(some.out)["actors"];
  BOOST_REQUIRE(seen.size() == 1u);
  auto below = json::parse(run({"inspect", "storage", "--json"}).out);
  BOOST_TEST(below["seq"] == 3);
  BOOST_REQUIRE(below["actors"].size() == 2u);
  BOOST_TEST(below["actors"][1]["mailbox_length"] == 7);
  auto one = run({"inspect", "storage/store"});
  BOOST_TEST(has(one.out, "Its own state"));
  BOOST_TEST(has(one.out, "00a1"));
  BOOST_TEST(json::parse(run({"inspect", "storage/store", "--json"}).out)["actors"][0]["capsules"][0] == "00a1");
  auto none = run({"inspect", "storage/stor"});
  BOOST_TEST(none.code == code_of(exit_code::not_found));
  BOOST_TEST(has(none.err, "did you mean"));
}

BOOST_FIXTURE_TEST_CASE(a_watch_prints_a_line_a_look_and_ends_with_a_signal, fixture) {
  std::atomic<int> looks = 0;
  node.on_request = [&](const std::string&) {
    if (++looks == 3) ::kill(::getpid(), SIGINT);
  };
  auto watched = run({"inspect", "storage", "--json", "--watch=0.1"});
  BOOST_TEST(watched.code == 0);
  BOOST_TEST(std::count(watched.out.begin(), watched.out.end(), '\n') == 3);
  std::istringstream lines(watched.out);
  for (std::string line; std::getline(lines, line);) BOOST_TEST(json::parse(line)["actors"].size() == 2u);
  looks = 0;
  BOOST_TEST(run({"inspect", "--watch=0.01"}).code == code_of(exit_code::usage));
  BOOST_TEST(run({"inspect", "--watch=often"}).code == code_of(exit_code::usage));
  looks = 0;
  BOOST_TEST(run({"inspect", "--watch", "storage"}).code == 0); // What follows is the path, not the interval.
  looks = 0;
  auto people = run({"inspect", "--watch=0.1", "storage"});
  BOOST_TEST(people.code == 0);
  BOOST_TEST(has(people.out, " UTC\n"));
  looks = 100;
  BOOST_TEST(run({"inspect", "nobody", "--watch"}).code == code_of(exit_code::not_found));
}

BOOST_FIXTURE_TEST_CASE(actions_tell_their_consequence_and_are_done_with_yes_alone, fixture) {
  auto actors = "/v1/actors/sessions%2F" + session + "%2Fseal";
  for (std::string word : {"restart", "kill", "suspend", "resume"}) {
    node.answer("GET " + actors + "/consequence?action=" + word,
                json{{"text", word + "s one, and 4 others"}, {"children", 4}}.dump());
    node.answer("POST " + actors + "/" + word, json{{"path", "p"}, {"consequence", "c"}}.dump());
    auto asked = run({"actors", word, "sessions/aaaa/seal"});
    BOOST_TEST(asked.code == code_of(exit_code::usage));
    BOOST_TEST(has(asked.err, word + "s one, and 4 others\n"));
    BOOST_TEST(has(asked.err, "--yes answers it"));
    BOOST_TEST(!was_asked("POST " + actors + "/" + word));
    auto done = run({"actors", word, "sessions/aaaa/seal", "--yes"});
    BOOST_TEST(done.code == 0);
    BOOST_TEST(has(done.out, "It is under way"));
    BOOST_TEST(was_asked("POST " + actors + "/" + word));
    BOOST_TEST(json::parse(run({"actors", word, "sessions/aaaa/seal", "--yes", "--json", "--quiet"}).out)["path"] == "p");
  }
  auto refused = run({"actors", "kill", "storage/store", "--yes"}); // Nothing is done whose consequence is not known.
  BOOST_TEST(refused.code == code_of(exit_code::not_found));
  BOOST_TEST(!was_asked("POST /v1/actors/storage%2Fstore/kill"));
}

BOOST_FIXTURE_TEST_CASE(a_node_is_drained_and_accepts_again, fixture) {
  node.answer("GET /v1/node/consequence?action=drain", R"({"text":"2 sessions go on to their end."})");
  node.answer("GET /v1/node/consequence?action=accept", R"({"text":"New sessions are started again."})");
  node.answer("POST /v1/node/drain", R"({"on":true})");
  auto drained = run({"node", "drain", "--yes"});
  BOOST_TEST(drained.out == "The node starts no new sessions.\n");
  BOOST_TEST(has(drained.err, "2 sessions go on"));
  BOOST_TEST(was_asked(R"(POST /v1/node/drain {"on":true})"));
  node.answer("POST /v1/node/drain", R"({"on":false})");
  BOOST_TEST(run({"node", "accept", "--yes", "--quiet"}).out == "The node starts new sessions.\n");
  BOOST_TEST(was_asked(R"(POST /v1/node/drain {"on":false})"));
  BOOST_TEST(has(run({"node", "drian"}).err, "did you mean \"drain\"?"));
}

BOOST_FIXTURE_TEST_CASE(the_console_is_opened_by_a_link_or_says_why_not, fixture) {
  node.answer("POST /v1/console/login", R"({"url":"http://127.0.0.1:8083/login?token=ab"})");
  auto opened = run({"console", "open"});
  BOOST_TEST(opened.out == "http://127.0.0.1:8083/login?token=ab\n");
  BOOST_TEST(has(opened.err, "works once, for ten minutes"));
  BOOST_TEST(json::parse(run({"console", "open", "--json"}).out)["url"] == "http://127.0.0.1:8083/login?token=ab");
  for (auto* wrong : {R"({"url":"file:///etc/passwd"})", R"({"url":"http://a\u001b[2J"})", R"({"url":7})", "{}", "[]"}) {
    node.answer("POST /v1/console/login", wrong);
    BOOST_TEST(run({"console", "open"}).code == code_of(exit_code::source), wrong);
  }
  node.answer("POST /v1/console/login",
              R"({"error":{"code":"wrong_state","who":"console","what":"the console is switched off"}})", 409);
  auto off = run({"console", "open"});
  BOOST_TEST(off.code == code_of(exit_code::not_now));
  BOOST_TEST(has(off.err, "the console is switched off"));
}

BOOST_FIXTURE_TEST_CASE(without_xdg_open_the_link_is_there_all_the_same, fixture) {
  node.answer("POST /v1/console/login", R"({"url":"http://127.0.0.1:8083/login?token=ab"})");
  std::string path = std::getenv("PATH");
  setenv("PATH", "/nonexistent", 1);
  auto opened = run({"console", "open", "--browser"});
  setenv("PATH", path.c_str(), 1);
  BOOST_TEST(opened.code == code_of(exit_code::missing));
  BOOST_TEST(has(opened.out, "token=ab"));
  BOOST_TEST(has(opened.err, "open the link by hand"));
}

BOOST_FIXTURE_TEST_CASE(capsules_are_listed_and_shown_by_the_beginning_of_their_id, fixture) {
  json heads{{"capsules",
              {{{"id", "00a1-1"}, {"path", "storage/store"}, {"incarnation", 2}, {"at_us", 1'000'000}, {"reason", "on purpose"}},
               {{"id", "00a2-1"}, {"path", "recorder"}, {"incarnation", 1}, {"at_us", 1}, {"reason", "threw"}}}}};
  node.answer("GET /v1/capsules", heads.dump());
  json capsule = heads["capsules"][0];
  capsule.update({{"messages", json::array()},
                  {"failing", false},
                  {"state", json::array()},
                  {"spec", json::object()},
                  {"restart_count", 1}});
  node.answer("GET /v1/capsules/00a1-1", capsule.dump());
  BOOST_TEST(has(run({"capsules", "list"}).out, "storage/store"));
  auto shown = run({"capsules", "show", "00a1"});
  BOOST_TEST(shown.code == 0);
  BOOST_TEST(has(shown.out, "on purpose"));
  BOOST_TEST(json::parse(run({"capsules", "show", "00a1", "--json"}).out)["restart_count"] == 1);
  BOOST_TEST(run({"capsules", "show", "00a"}).code == code_of(exit_code::usage));
  BOOST_TEST(run({"capsules", "show", "ff"}).code == code_of(exit_code::not_found));
  node.answer("GET /v1/capsules", R"({"capsules":[]})");
  auto none = run({"capsules", "list"});
  BOOST_TEST(none.code == 0);
  BOOST_TEST(has(none.err, "no actor has crashed"));
}

BOOST_FIXTURE_TEST_CASE(the_audit_log_is_shown_and_a_broken_one_ends_with_four, fixture) {
  json entry{{"number", 2}, {"at_us", 1'000'000}, {"operator", "uid 1000"}, {"action", "kill"}, {"target", "storage/store"},
             {"consequence", "restarts 2 others"}, {"outcome", "done"}};
  node.answer("GET /v1/audit?count=20", json{{"entries", {entry}}, {"intact", true}}.dump());
  node.answer("GET /v1/audit?count=1", json{{"entries", {entry}}, {"intact", true}}.dump());
  auto shown = run({"audit", "show"});
  for (auto* part : {"uid 1000", "kill", "storage/store", "restarts 2 others", "done", "1970-01-01"})
    BOOST_TEST(has(shown.out, part), part);
  auto good = run({"audit", "verify"});
  BOOST_TEST(good.code == 0);
  BOOST_TEST(good.out == "INTACT: 2 entries; each is signed and follows the one before it.\n");
  node.answer("GET /v1/audit?count=1", json{{"entries", {entry}}, {"intact", false}}.dump());
  auto bad = run({"audit", "verify"});
  BOOST_TEST(bad.code == code_of(exit_code::damaged));
  BOOST_TEST(has(bad.out, "NOT INTACT"));
  BOOST_TEST(json::parse(run({"audit", "verify", "--json"}).out)["intact"] == false);
  node.answer("GET /v1/audit?count=1", R"({"entries":[]})");
  BOOST_TEST(run({"audit", "verify"}).code == code_of(exit_code::source));
}

BOOST_FIXTURE_TEST_CASE(copies_are_checked_and_a_damaged_one_ends_with_four, fixture) {
  auto row = [](const std::string& id, int chunks) {
    return json{{"id", id}, {"state", "completed"}, {"title", ""}, {"owner", ""}, {"source", ""}, {"created_us", 1},
                {"started_us", 1}, {"ended_us", 2}, {"frame_count", 1}, {"fragment_count", 1}, {"gap_count", 0},
                {"captured_bytes", 1}, {"stored_bytes", 1}, {"chunk_count", chunks}, {"block_height", 1},
                {"block_producer", ""}, {"reason", ""},
                {"interrupted", false}};
  };
  node.answer("GET /v1/sessions?offset=0&count=1000", json{{"sessions", {row(session, 3)}}}.dump());
  node.answer("GET /v1/replication", json{{"copies", 2}, {"session_count", 1}, {"chunk_count", 3}, {"replicated_count", 3},
                                          {"without_copy_count", 0}, {"in_flight", 0}, {"last_failure", ""},
                                          {"holders", json::array()}}.dump());
  auto copy = [](const std::string& name, int verified, int damaged, const std::string& failure = "") {
    return json{{"node", std::string(64, name.back())}, {"name", name}, {"held", 3}, {"verified", verified}, {"damaged", damaged},
                {"missing", 0}, {"failure", failure}};
  };
  auto answer_with = [&](json copies, int short_count = 0, bool done = true) {
    node.answer("POST /v1/replication/audit", json{{"session", session}, {"chunk_count", 3}, {"from", 0}, {"next", done ? 3 : 0},
                                                   {"done", done}, {"short_count", short_count}, {"copies", copies}}.dump());
  };
  answer_with({copy("pi-2", 3, 0), copy("pi-3", 3, 0)});
  auto good = run({"store", "audit"});
  BOOST_TEST(good.code == 0, good.err);
  BOOST_TEST(has(good.out, "pi-3"));
  BOOST_TEST(good.out.ends_with("All is as wished: each recording has 2 whole copies beside ours.\n"), good.out);
  BOOST_TEST(was_asked("POST /v1/replication/audit {\"from\":0,\"session\":\"" + session + "\"}"));
  answer_with({copy("pi-2", 2, 1), copy("pi-3", 3, 0)}, 1);
  auto bad = run({"store", "audit", "aaaa", "--json"});
  BOOST_TEST(bad.code == code_of(exit_code::damaged));
  auto told = json::parse(bad.out);
  BOOST_TEST(told["recordings"][0]["whole_copies"] == 1);
  BOOST_TEST(told["recordings"][0]["copies"][0]["damaged"] == 1);
  answer_with({copy("pi-2", 2, 1), copy("pi-3", 3, 0)}, 1);
  auto in_words = run({"store", "audit"}).out;
  BOOST_TEST(in_words.ends_with("Copies of 1 of 1 recordings were damaged or missing; they are made again. "
                                "1 of 1 recordings have chunks with fewer than 2 copies; the node goes on making them.\n"),
             in_words);
  answer_with({copy("pi-2", 3, 0), copy("pi-3", 0, 0, "it is down")});
  auto unasked = run({"store", "audit"});
  BOOST_TEST(unasked.code == code_of(exit_code::not_now));
  BOOST_TEST(has(unasked.out, "it is down"));
  BOOST_TEST(unasked.out.ends_with("Not all holders of 1 of 1 recordings could be asked.\n"), unasked.out);
  // Two holders have what one of them should: none is damaged, and there are too few.
  auto part_of = [&](const std::string& name, int held) {
    auto one = copy(name, held, 0);
    one["held"] = held;
    return one;
  };
  answer_with({copy("pi-2", 3, 0), part_of("pi-3", 2)}, 1);
  auto few = run({"store", "audit"});
  BOOST_TEST(few.code == code_of(exit_code::failure));
  BOOST_TEST(few.out.ends_with("1 of 1 recordings have chunks with fewer than 2 copies; the node goes on making them.\n"),
             few.out);
  // As many copies as are wished for in all, and still one chunk has but one.
  answer_with({copy("pi-2", 3, 0), part_of("pi-3", 2), part_of("pi-4", 1)}, 1);
  BOOST_TEST(run({"store", "audit"}).code == code_of(exit_code::failure));
  answer_with(json::array(), 3);
  BOOST_TEST(run({"store", "audit"}).code == code_of(exit_code::failure));
  answer_with({copy("pi-2", 3, 0), part_of("pi-3", 2), part_of("pi-4", 1)});
  auto spread = run({"store", "audit"});
  BOOST_TEST(spread.code == 0);
  BOOST_TEST(has(spread.out, "spread over more nodes"));
  answer_with(json::array(), 0, false); // A node that never gets on.
  BOOST_TEST(run({"store", "audit"}).code != 0);
  BOOST_TEST(run({"store", "audit", "bbbb"}).code == code_of(exit_code::not_found));
}

BOOST_AUTO_TEST_CASE(without_a_node_each_command_says_so) {
  for (auto& words : std::vector<std::vector<std::string>>{{"inspect"},
                                                           {"console", "open"},
                                                           {"node", "drain", "--yes"},
                                                           {"audit", "show"},
                                                           {"actors", "kill", "recorder", "--yes"},
                                                           {"capsules", "list"}}) {
    auto arguments = words;
    arguments.insert(arguments.end(), {"--set", "control.socket=/nonexistent/socket"});
    std::ostringstream out, err;
    BOOST_TEST(run_program(arguments, out, err) == code_of(exit_code::source), words[0]);
    BOOST_TEST(has(err.str(), "no node serves /nonexistent/socket"), words[0]);
  }
}
