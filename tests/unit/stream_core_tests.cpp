// tests/unit/stream_core_tests.cpp - what pages are told: changes, once, at their own pace; and what they may ask for.
#define BOOST_TEST_MODULE stream_core_tests
#include <boost/test/unit_test.hpp>

#include <random>

#include "actors/console/stream_core.hpp"

using namespace lucid;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

inspection actor(std::string path, std::uint64_t mailbox = 0) {
  inspection seen;
  seen.path = std::move(path);
  seen.kind = "kind";
  seen.incarnation = 1;
  seen.mailbox_length = mailbox;
  return seen;
}

/// A page that keeps what it is told, as the browser does.
struct page {
  void hear(const json& frame) {
    last = frame;
    auto& rows = topics[frame.at("topic")];
    if (frame.at("full") == true) rows = json::object();
    for (auto& [key, members] : frame.at("set").items()) rows[key].update(members);
    for (auto& key : frame.at("gone")) rows.erase(key.get<std::string>());
  }
  std::map<std::string, json> topics;
  json last;
};

struct streams {
  explicit streams(std::initializer_list<std::uint64_t> ids = {1}) {
    for (auto id : ids) core.opened(id);
  }
  void say(std::uint64_t id, std::string_view text, stream_core::time now = 0s) {
    auto heard = core.heard(id, text, now);
    BOOST_REQUIRE_MESSAGE(heard.has_value(), (heard ? "" : heard.error().what));
  }
  std::vector<json> frames(stream_core::time now, std::uint64_t id = 1) {
    std::vector<json> all;
    for (auto& frame : core.frames(now))
      if (frame.stream == id) all.push_back(json::parse(frame.text));
    return all;
  }
  /// The one frame that is due.
  json frame(stream_core::time now) {
    auto all = frames(now);
    BOOST_REQUIRE(all.size() == 1u);
    return all[0];
  }
  stream_core core;
};

/// All members of an actor.
json whole(const inspection& seen) {
  std::string text;
  write_row(actor_members(), seen, text);
  return json::parse(text);
}

constexpr auto watch_actors = R"({"watch":{"topics":["actors"],"interval_ms":1000}})";

errc refused(std::string_view text) {
  auto decoded = decode_stream_message(text);
  BOOST_REQUIRE_MESSAGE(!decoded, text);
  BOOST_TEST(!decoded.error().what.empty());
  return decoded.error().code;
}

} // namespace

BOOST_AUTO_TEST_CASE(what_a_page_may_say) {
  auto id = std::string(64, 'a');
  auto watch = std::get<watch_wish>(
    *decode_stream_message(R"({"watch":{"topics":["actors","node","sessions","letters","flow:)" + id + R"("],"interval_ms":200}})"));
  BOOST_TEST(watch.topics.size() == 5u);
  BOOST_TEST((watch.interval == 200ms));
  BOOST_TEST((std::get<watch_wish>(*decode_stream_message(R"({"watch":{"topics":[]}})")).interval == 1000ms));
  BOOST_TEST(std::get<tap_wish>(*decode_stream_message(R"({"tap":"storage/store"})")).path == "storage/store");
  BOOST_TEST(std::get<untap_wish>(*decode_stream_message(R"({"untap":"storage/store"})")).path == "storage/store");
}

BOOST_AUTO_TEST_CASE(what_a_page_may_not_say) {
  for (std::string text : {"", "null", "[]", "{}", "\"watch\"", "{", R"({"watch":1})", R"({"watch":{}})", R"({"see":"x"})",
                           R"({"watch":{"topics":"actors"}})", R"({"watch":{"topics":["everything"]}})",
                           R"({"watch":{"topics":["flow:12"]}})", R"({"watch":{"topics":["actors","actors"]}})",
                           R"({"watch":{"topics":[1]}})", R"({"watch":{"topics":[[[[[[]]]]]]}})",
                           R"({"watch":{"topics":[],"interval_ms":199}})", R"({"watch":{"topics":[],"interval_ms":60001}})",
                           R"({"watch":{"topics":[],"interval_ms":1e3}})", R"({"watch":{"topics":[],"interval_ms":-1}})",
                           R"({"watch":{"topics":[],"interval_ms":18446744073709551615}})",
                           R"({"watch":{"topics":[],"also":1}})", R"({"watch":{"topics":[]},"tap":"x"})",
                           R"({"tap":""})", R"({"tap":7})", R"({"untap":null})"})
    BOOST_TEST((refused(text) == errc::invalid_input), text);
  BOOST_TEST((refused(R"({"tap":")" + std::string(257, 'x') + "\"}") == errc::invalid_input));
}

BOOST_AUTO_TEST_CASE(while_nobody_watches_nothing_is_due) {
  streams s;
  BOOST_TEST(!s.core.next_due());
  BOOST_TEST(s.core.due_topics(1h).empty());
  s.core.take_actors({actor("a")});
  BOOST_TEST(s.core.frames(1h).empty());
  s.say(1, watch_actors);
  BOOST_TEST(s.core.next_due().has_value());
  s.say(1, R"({"watch":{"topics":[]}})");
  BOOST_TEST(!s.core.next_due());
  s.say(1, watch_actors);
  s.core.closed(1);
  BOOST_TEST(!s.core.next_due());
}

BOOST_AUTO_TEST_CASE(first_everything_then_what_changed_then_nothing) {
  streams s;
  s.say(1, watch_actors);
  s.core.take_actors({actor("a", 1), actor("b", 2)});
  auto first = s.frame(0s);
  BOOST_TEST(first["topic"] == "actors");
  BOOST_TEST(first["full"] == true);
  BOOST_TEST(first["set"].size() == 2u);
  BOOST_TEST(first["set"]["a"]["kind"] == "kind");
  BOOST_TEST(first["set"]["a"] == whole(actor("a", 1)));

  s.core.take_actors({actor("a", 1), actor("b", 3), actor("c")});
  auto second = s.frame(1s);
  BOOST_TEST(second["full"] == false);
  BOOST_TEST(second["set"]["b"] == json({{"mailbox_length", 3}}));
  BOOST_TEST(second["set"]["c"] == whole(actor("c")));
  BOOST_TEST(second["set"].size() == 2u);
  BOOST_TEST(second["gone"] == json::array());
  BOOST_TEST(second["seq"] > first["seq"]);

  s.core.take_actors({actor("a", 1), actor("b", 3), actor("c")});
  BOOST_TEST(s.frames(2s).empty());
  s.core.take_actors({actor("b", 3)});
  auto last = s.frame(3s);
  BOOST_TEST(last["gone"] == json::array({"a", "c"}));
  BOOST_TEST(last["set"].empty());
}

BOOST_AUTO_TEST_CASE(an_empty_list_is_told_as_such) {
  streams s;
  s.say(1, watch_actors);
  BOOST_TEST(s.frames(0s).empty()); // Nothing is known yet: that is not "there are none".
  s.core.take_actors({});
  auto told = s.frame(1s);
  BOOST_TEST(told["full"] == true);
  BOOST_TEST(told["set"].empty());
}

BOOST_AUTO_TEST_CASE(each_page_is_told_at_its_own_pace) {
  streams s{1, 2};
  s.say(1, R"({"watch":{"topics":["actors"],"interval_ms":1000}})");
  s.say(2, R"({"watch":{"topics":["actors","sessions"],"interval_ms":5000}})");
  BOOST_TEST((s.core.due_topics(0s) == std::set<std::string>{"actors", "sessions"}));
  s.core.take_actors({actor("a", 0)});
  BOOST_TEST(s.core.frames(0s).size() == 2u);
  BOOST_TEST((s.core.next_due() == stream_core::time(1s)));
  for (int i = 1; i < 5; ++i) {
    BOOST_TEST((s.core.due_topics(i * 1s) == std::set<std::string>{"actors"}));
    s.core.take_actors({actor("a", static_cast<std::uint64_t>(i))});
    auto told = s.core.frames(i * 1s);
    BOOST_REQUIRE(told.size() == 1u);
    BOOST_TEST(told[0].stream == 1u);
  }
  s.core.take_actors({actor("a", 5)});
  auto slow = s.frames(5s, 2);
  BOOST_REQUIRE(slow.size() == 1u);
  BOOST_TEST(slow[0]["set"]["a"] == json({{"mailbox_length", 5}}));
}

BOOST_AUTO_TEST_CASE(after_a_skip_everything_is_told) {
  streams s;
  s.say(1, watch_actors);
  s.core.take_actors({actor("a"), actor("b")});
  s.frame(0s);
  s.core.take_actors({actor("a", 1)});
  s.frame(1s);
  s.core.skipped(1);
  s.core.take_actors({actor("a", 1)});
  auto told = s.frame(2s);
  BOOST_TEST(told["full"] == true);
  BOOST_TEST(told["set"]["a"] == whole(actor("a", 1)));
  BOOST_TEST(told["set"].size() == 1u);
}

BOOST_AUTO_TEST_CASE(watching_again_goes_on_where_it_was) {
  streams s;
  s.say(1, watch_actors);
  s.core.take_actors({actor("a")});
  s.frame(0s);
  s.say(1, R"({"watch":{"topics":["actors","node"],"interval_ms":200}})", 500ms);
  s.core.take_object("node", {{"cpu_share", 0.5}});
  s.core.take_actors({actor("a")});
  auto told = s.frame(500ms);
  BOOST_TEST(told["topic"] == "node");
}

BOOST_AUTO_TEST_CASE(wishing_again_and_again_makes_no_more_turns) {
  streams s;
  int turns = 0;
  for (auto now = 0ms; now < 1000ms; now += 10ms) {
    s.say(1, watch_actors, now);
    if (s.core.due_topics(now).empty()) continue;
    s.core.frames(now);
    ++turns;
  }
  BOOST_TEST(turns == 5);
}

BOOST_AUTO_TEST_CASE(an_object_is_told_by_its_members) {
  streams s;
  s.say(1, R"({"watch":{"topics":["node"]}})");
  s.core.take_object("node", {{"cpu_share", 0.5}, {"temperature_c", 50}});
  auto first = s.frame(0s);
  BOOST_TEST(first["full"] == true);
  BOOST_TEST(first["set"] == json({{"cpu_share", 0.5}, {"temperature_c", 50}}));
  s.core.take_object("node", {{"cpu_share", 0.5}});
  BOOST_TEST(s.frame(1s)["set"] == json({{"temperature_c", nullptr}}));
  s.core.take_object("node", {{"cpu_share", 0.5}});
  BOOST_TEST(s.frames(2s).empty());
  s.core.skipped(1);
  BOOST_TEST(s.frame(3s)["set"]["cpu_share"] == 0.5);
  s.core.take_object("letters", {{"refusals", 1}}); // Nobody watches it.
  BOOST_TEST(s.frames(4s).empty());
}

BOOST_AUTO_TEST_CASE(sessions_are_told_by_id) {
  streams s;
  s.say(1, R"({"watch":{"topics":["sessions"]}})");
  session_summary later, earlier;
  later.id.fill(2);
  earlier.id.fill(1);
  s.core.take_sessions({later, earlier}); // Newest first, as the store lists them.
  BOOST_TEST(s.frame(0s)["set"].size() == 2u);
  earlier.state = session_state::recording;
  s.core.take_sessions({later, earlier});
  BOOST_TEST(s.frame(1s)["set"] == json({{to_hex(earlier.id), {{"state", "recording"}}}}));
}

BOOST_AUTO_TEST_CASE(a_tap_is_told_in_batches_and_counts_what_it_missed) {
  streams s;
  s.say(1, R"({"tap":"storage/store"})");
  BOOST_TEST((s.core.tapped_paths() == std::set<std::string>{"storage/store"}));
  BOOST_TEST(s.frames(0s).empty());
  for (std::size_t i = 0; i < stream_core::tap_messages_max + 5; ++i) s.core.tapped("storage/store", {{"type", "put"}});
  s.core.tapped("ledger", {{"type", "other"}});
  auto told = s.frame(1s);
  BOOST_TEST(told["topic"] == "tap");
  BOOST_TEST(told["path"] == "storage/store");
  BOOST_TEST(told["messages"].size() == stream_core::tap_messages_max);
  BOOST_TEST(told["missed"] == 5);
  s.core.skipped(1);
  BOOST_TEST(s.frame(2s)["missed"] == stream_core::tap_messages_max + 5);
  s.say(1, R"({"untap":"storage/store"})");
  BOOST_TEST(s.core.tapped_paths().empty());
  BOOST_TEST(!s.core.next_due());
}

BOOST_AUTO_TEST_CASE(taps_of_a_page_are_bounded) {
  streams s;
  for (std::size_t i = 0; i < stream_core::taps_max; ++i) s.say(1, R"({"tap":")" + std::to_string(i) + "\"}");
  s.say(1, R"({"tap":"0"})");
  BOOST_TEST((s.core.heard(1, R"({"tap":"one more"})", 0s).error().code == errc::limit_exceeded));
}

BOOST_AUTO_TEST_CASE(rows_that_were_forgotten_make_the_next_one_full) {
  streams s{1, 2};
  s.say(1, R"({"watch":{"topics":["actors"],"interval_ms":60000}})");
  s.core.take_actors({actor("stays"), actor("goes early")});
  s.frame(0s);
  std::vector<inspection> many;
  for (std::size_t i = 0; i < change_table<inspection>::gone_count_max; ++i) many.push_back(actor(std::to_string(i)));
  auto with = many;
  with.push_back(actor("stays"));
  s.core.take_actors(with);
  s.core.take_actors({actor("stays")});
  auto told = s.frame(60s);
  BOOST_TEST(told["full"] == true);
  BOOST_TEST(told["set"].size() == 1u);
}

BOOST_AUTO_TEST_CASE(text_that_is_no_utf_8_and_numbers_that_are_none_make_no_broken_json) {
  streams s;
  s.say(1, watch_actors);
  auto odd = actor("quoted \" \\ \n \xff");
  odd.busy_share = std::numeric_limits<double>::quiet_NaN();
  odd.state = {{"\xfe", "\x01"}, {"plain", "text"}};
  s.core.take_actors({odd});
  auto told = s.frame(0s);
  auto& row = told["set"].begin().value();
  BOOST_TEST(row["busy_share"] == 0);
  BOOST_TEST(row["state"]["plain"] == "text");
}

BOOST_AUTO_TEST_CASE(an_actor_is_told_as_the_contract_has_it) {
  auto worker = actor("storage/store");
  worker.state_now = actor_state::waiting;
  worker.spec.parent = "storage";
  worker.spec.restart = "permanent";
  worker.rate = 1.23456;
  worker.handled = {{"put", 3, 10, 20, 30}};
  worker.senders = {{7, "ledger", 2}, {8, "", 1}};
  auto told = whole(worker);
  BOOST_TEST(told["state_now"] == "waiting");
  BOOST_TEST(told["parent"] == "storage");
  BOOST_TEST(told["restart_kind"] == "permanent");
  BOOST_TEST(told["rate"] == 1.235);
  BOOST_TEST(told["handled"] == json({{"put", 3}}));
  BOOST_TEST(told["handler_by_type"] ==
             json::array({{{"type", "put"}, {"count", 3}, {"p50_ns", 10}, {"p99_ns", 20}, {"max_ns", 30}}}));
  BOOST_TEST(told["senders"] == json::array({{{"path", "ledger"}, {"count", 2}}, {{"path", ""}, {"count", 1}}}));
  BOOST_TEST(!told.contains("strategy"));
  auto supervisor = actor("storage");
  supervisor.spec.supervisor = true;
  supervisor.spec.strategy = "rest_for_one";
  supervisor.child_count = 3;
  BOOST_TEST(whole(supervisor)["strategy"] == "rest_for_one");
  BOOST_TEST(whole(supervisor)["child_count"] == 3);
}

// A page that applies every frame, with skips in between, always sees what there is.
BOOST_AUTO_TEST_CASE(a_page_that_listens_sees_what_there_is) {
  std::mt19937 random(7);
  streams s{1, 2};
  s.say(1, R"({"watch":{"topics":["actors"],"interval_ms":200}})");
  s.say(2, R"({"watch":{"topics":["actors"],"interval_ms":700}})");
  std::map<std::uint64_t, page> pages;
  std::map<std::string, inspection> present;
  for (int round = 0; round < 2000; ++round) {
    auto path = std::to_string(random() % 30);
    if (random() % 4 == 0) present.erase(path);
    else present[path] = actor(path, random() % 3);
    std::vector<inspection> rows;
    for (auto& [name, row] : present) rows.push_back(row);
    auto now = round * 100ms;
    s.core.take_actors(rows);
    for (auto& frame : s.core.frames(now)) {
      if (random() % 10 == 0) {
        s.core.skipped(frame.stream);
        continue;
      }
      auto& told = pages[frame.stream];
      told.hear(json::parse(frame.text));
      auto& seen = told.topics["actors"];
      BOOST_REQUIRE(seen.size() == present.size());
      for (auto& [name, row] : present) BOOST_REQUIRE(seen[name]["mailbox_length"] == row.mailbox_length);
    }
  }
}
