// tests/unit/top_tests.cpp - `lucid top` without a terminal: what the keys do and what the lines say.
#define BOOST_TEST_MODULE top_tests
#include <boost/test/unit_test.hpp>

#include <array>
#include <random>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actors/node/cli/top/top_model.hpp"
#include "actors/node/cli/top/top_text.hpp"
#include "runtime/log/text.hpp"

using namespace lucid;
using nlohmann::json;

namespace {

json actor(const std::string& path, std::uint64_t handled = 0, std::uint64_t restarts = 0, double busy = 0) {
  return {{"path", path}, {"kind", path.substr(path.rfind('/') + 1)}, {"incarnation", restarts + 1}, {"present", true},
          {"mailbox_length", 0}, {"handled_count", handled}, {"busy_share", busy}, {"restart_count", restarts},
          {"dead_letter_count", 0}, {"handler_ns", {{"p50", 10}, {"p90", 20}, {"p99", 30'000'000}, {"max", 40}}},
          {"handled", {{"lucid::fragment", handled}}}, {"state", {{"sealed", "7"}}},
          {"restarts", restarts == 0 ? json::array()
                                     : json::array({{{"at_us", 1}, {"incarnation", 1}, {"reason", "crashed: on purpose"}}})}};
}

top_data some_data(std::vector<json> actors, std::vector<session_summary> sessions = {}) {
  json node{{"name", "pi-1"}, {"software", "lucid 0.1.0"}, {"uptime_us", 61'000'000}, {"ledger_height", 3}};
  return read_top_data(node, {{"actors", actors}}, std::move(sessions)).value();
}

top_data usual(std::uint64_t handled = 0, std::uint64_t store_restarts = 0) {
  return some_data({actor("storage/store", handled, store_restarts, 0.25), actor("root"), actor("storage"),
                    actor("storage/ledger", 5 * handled), actor("recorder")});
}

session_summary session(session_state state) {
  session_summary s;
  s.id[0] = 0xab;
  s.state = state;
  s.title = "Night shift";
  return s;
}

std::string all_text(const top_model& model, int width = 80, int height = 24) {
  std::string text;
  for (auto& line : model.lines(width, height)) text.append(line.text).append("\n");
  return text;
}

std::string selected(const top_model& model) {
  for (auto& line : model.lines(80, 24))
    if (line.style == text_style::selected) return line.text;
  return {};
}

void press(top_model& model, std::initializer_list<int> keys) {
  for (auto key : keys) model.press(key, 80, 24);
}

constexpr int enter = static_cast<int>(screen_key::enter), escape = static_cast<int>(screen_key::escape);

std::optional<top_wishes> press(top_model& model, int key) { return model.press(key, 80, 24); }

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

} // namespace

BOOST_AUTO_TEST_CASE(answers_of_a_node_are_read_and_others_refused) {
  auto data = usual();
  BOOST_REQUIRE(data.actors.size() == 5u);
  BOOST_TEST(data.actors.front().path == "root");
  BOOST_TEST(data.actors.back().path == "storage/store");
  BOOST_TEST(data.actors.back().own_state[0].second == "7");
  for (auto* member : {"path", "handler_ns", "state", "restarts"}) {
    auto broken = actor("x");
    broken.erase(member);
    json node{{"name", ""}, {"software", ""}, {"uptime_us", 0}, {"ledger_height", 0}};
    BOOST_TEST((read_top_data(node, {{"actors", {broken}}}, {}).error().code == errc::protocol_violation), member);
  }
  BOOST_TEST(!read_top_data(json::array(), json::object(), {}).has_value());
}

BOOST_AUTO_TEST_CASE(rates_are_differences_and_a_new_incarnation_starts_from_nothing) {
  auto before = usual(10), now = usual(30);
  add_rates(now, before, 2);
  BOOST_TEST(now.actors.back().rate == 10.0);
  auto restarted = usual(4, 1);
  add_rates(restarted, before, 2);
  BOOST_TEST(restarted.actors.back().rate == 2.0);
}

BOOST_AUTO_TEST_CASE(the_tree_is_indented_folds_and_the_selection_stays_with_its_actor) {
  top_model model;
  model.update(usual());
  auto text = all_text(model);
  BOOST_TEST(contains(text, "\n    store"));
  BOOST_TEST(contains(text, "\n  storage"));
  press(model, {'j', 'j'}); // root, recorder, storage
  BOOST_TEST(contains(selected(model), "storage"));
  press(model, {' '});
  BOOST_TEST(!contains(all_text(model), "ledger  "));
  BOOST_TEST(contains(selected(model), "+ storage"));
  press(model, {' ', 'j', 'j'});
  BOOST_TEST(contains(selected(model), "store"));
  auto grown = usual();
  grown.actors.insert(grown.actors.begin() + 1, some_data({actor("another")}).actors[0]);
  model.update(grown);
  BOOST_TEST(contains(selected(model), "    store"));
}

BOOST_AUTO_TEST_CASE(other_nodes_stand_behind_this_one_folded_and_are_acted_on_by_their_whole_path) {
  top_model model;
  model.update(usual());
  auto cluster = some_data({actor("root"), actor("mesh"), actor("storage"), actor("storage/store"), actor("nodes/attic"),
                            actor("nodes/attic/storage"), actor("nodes/attic/storage/ledger", 0, 3), actor("nodes/cellar"),
                            actor("nodes/cellar/mesh")});
  BOOST_TEST(cluster.actors.back().path == "nodes/cellar/mesh");
  model.update(cluster);
  auto text = all_text(model);
  BOOST_TEST(contains(text, "\n+ nodes/attic"));
  BOOST_TEST(contains(text, "\n+ nodes/cellar"));
  BOOST_TEST(text.find("    store") < text.find("+ nodes/attic"));
  BOOST_TEST(!contains(text, "ledger"));
  press(model, {static_cast<int>(screen_key::home), ' '}); // The root of this node folds this node alone.
  BOOST_TEST(!contains(all_text(model), "mesh"));
  BOOST_TEST(contains(all_text(model), "+ nodes/attic"));
  press(model, {' ', 'j', 'j', 'j', 'j', ' '}); // root, mesh, storage, store, attic
  text = all_text(model);
  BOOST_TEST(contains(text, "\nnodes/attic"));
  BOOST_TEST(contains(text, "\n  storage"));
  BOOST_TEST(contains(text, "\n    ledger")); // Without a mark: it was restarted before it was seen.
  model.update(cluster);
  BOOST_TEST(contains(all_text(model), "\n    ledger")); // What was unfolded stays so.
  press(model, {'j', 'j'});
  auto wish = press(model, 'r');
  BOOST_REQUIRE(wish.has_value());
  BOOST_TEST(std::get<top_wish::consult>(*wish).action.target == "nodes/attic/storage/ledger");
  press(model, {'2'});
  BOOST_TEST(contains(all_text(model), "nodes/cellar/mesh"));
}

BOOST_AUTO_TEST_CASE(the_list_sorts_by_each_column_and_the_filter_narrows_it) {
  top_model model;
  auto now = usual(30);
  add_rates(now, usual(10), 1);
  model.update(now);
  press(model, {'2'});
  BOOST_TEST(contains(selected(model), "storage/store")); // The busiest first.
  press(model, {'s', 's', 's', 's', 's', 's'});           // restarts, p99, path, state, mailbox, messages a second
  press(model, {static_cast<int>(screen_key::home)});
  BOOST_TEST(contains(all_text(model), "sorted by messages/s"));
  BOOST_TEST(contains(selected(model), "storage/ledger"));
  press(model, {'/', 'r', 'e', 'c', enter});
  BOOST_TEST(contains(all_text(model), "recorder"));
  BOOST_TEST(!contains(all_text(model), "ledger"));
  press(model, {'/', 'q', 'q'});
  BOOST_TEST(contains(all_text(model), "Nothing contains \"recqq\""));
  press(model, {escape});
  BOOST_TEST(contains(all_text(model), "storage/ledger"));
}

BOOST_AUTO_TEST_CASE(a_restart_is_marked_until_it_was_looked_at) {
  top_model model;
  model.update(usual(0, 1)); // Before anybody looked: told by the number alone.
  BOOST_TEST(!contains(all_text(model), "* "));
  model.update(usual(0, 2));
  BOOST_TEST(contains(all_text(model), "* "));
  press(model, {static_cast<int>(screen_key::end), enter});
  auto text = all_text(model);
  BOOST_TEST(contains(text, "storage/store"));
  BOOST_TEST(contains(text, "crashed: on purpose"));
  BOOST_TEST(contains(text, "sealed"));
  press(model, {escape});
  BOOST_TEST(!contains(all_text(model), "* "));
  model.update(some_data({actor("root")}));
  BOOST_TEST(contains(selected(model), "root"));
}

BOOST_AUTO_TEST_CASE(what_changes_something_is_consulted_asked_and_only_then_done) {
  using kind = node_action::kind;
  top_model model;
  model.update(some_data({actor("root"), actor("storage"), actor("storage/store")}, {session(session_state::recording)}));
  press(model, {static_cast<int>(screen_key::end)});
  for (auto [key, what] : {std::pair('r', kind::restart), std::pair('K', kind::kill), std::pair('p', kind::suspend),
                           std::pair('d', kind::drain), std::pair('S', kind::stop_node)}) {
    auto wish = press(model, key);
    BOOST_REQUIRE(wish.has_value());
    auto action = std::get<top_wish::consult>(*wish).action;
    BOOST_TEST((action.what == what));
    BOOST_TEST(action.target == (what == kind::drain || what == kind::stop_node ? "" : "storage/store"));
    model.ask(action, "Something would happen: to this one, and to four others that wait for what it has to say to them.");
    BOOST_TEST(contains(all_text(model), "Something would happen"));
    BOOST_TEST(contains(all_text(model), fmt::format("{}? y does it", to_string(action))));
    BOOST_TEST(!press(model, 'n').has_value());
    BOOST_TEST(contains(all_text(model), "nothing was done"));
    model.ask(action, "Something would happen.");
    auto agreed = press(model, 'y');
    BOOST_REQUIRE(agreed.has_value());
    BOOST_TEST((std::get<top_wish::act>(*agreed).action.what == what));
    BOOST_TEST(!press(model, 'y').has_value()); // Once.
  }
  press(model, {'3'});
  BOOST_TEST(contains(all_text(model), "Night shift"));
  BOOST_TEST((std::get<top_wish::consult>(press(model, 'x').value()).action.what == kind::stop_session));
  auto longer = std::get<top_wish::consult>(press(model, 'e').value()).action;
  BOOST_TEST((longer.what == kind::extend_session));
  BOOST_TEST(longer.target == to_hex(session(session_state::recording).id));
  model.update(some_data({actor("root")}, {session(session_state::completed)}));
  BOOST_TEST(!press(model, 'x').has_value());
  BOOST_TEST(contains(all_text(model), "has ended already"));
  BOOST_TEST(std::holds_alternative<top_wish::quit>(press(model, 'q').value()));
}

BOOST_AUTO_TEST_CASE(suspended_is_resumed_and_draining_is_ended_by_the_same_keys) {
  using kind = node_action::kind;
  auto asleep = actor("root");
  asleep["state_now"] = "suspended";
  auto data = some_data({asleep});
  data.draining = true;
  top_model model;
  model.update(data);
  BOOST_TEST(contains(all_text(model), "DRAINING"));
  BOOST_TEST((std::get<top_wish::consult>(press(model, 'p').value()).action.what == kind::resume));
  BOOST_TEST((std::get<top_wish::consult>(press(model, 'd').value()).action.what == kind::accept));
}

BOOST_AUTO_TEST_CASE(requests_are_those_of_the_contract) {
  using kind = node_action::kind;
  auto told = [](node_action action) {
    auto asked = consequence_request(action), done = action_request(action);
    return fmt::format("{} {} {} {} {}", asked.method, asked.target, done.method, done.target, done.body);
  };
  BOOST_TEST(told({kind::kill, "sessions/ab/seal"}) ==
             "GET /v1/actors/sessions%2Fab%2Fseal/consequence?action=kill POST /v1/actors/sessions%2Fab%2Fseal/kill ");
  BOOST_TEST(told({kind::drain, {}}) == "GET /v1/node/consequence?action=drain POST /v1/node/drain {\"on\":true}");
  BOOST_TEST(told({kind::accept, {}}) == "GET /v1/node/consequence?action=accept POST /v1/node/drain {\"on\":false}");
  BOOST_TEST(told({kind::stop_node, {}}) == "GET /v1/node/consequence?action=stop POST /v1/node/stop ");
  BOOST_TEST(told({kind::extend_session, "ab"}) ==
             "GET /v1/sessions/ab/consequence?action=extend POST /v1/sessions/ab/extend {\"seconds\":600}");
  BOOST_TEST(percent_encoded("a/b c%\xc3\xa9?") == "a%2Fb%20c%25%C3%A9%3F");
}

BOOST_AUTO_TEST_CASE(pages_ask_for_what_they_show_and_drop_what_comes_late) {
  using view = top_view::kind;
  top_model model;
  model.update(usual());
  BOOST_TEST((model.view() == top_view{}));
  press(model, {static_cast<int>(screen_key::end), 't'});
  top_view tap{view::tap, "storage/store"};
  BOOST_TEST((model.view() == tap));
  BOOST_TEST(contains(all_text(model), "asking the node"));
  model.show({view::log, {}}, {{{"a line of another page"}}});
  BOOST_TEST(!contains(all_text(model), "another page"));
  model.show(tap, {{{"the first message"}}});
  press(model, {' '});
  model.show(tap, {{{"the second message"}}});
  BOOST_TEST(contains(all_text(model), "the first message")); // Held.
  press(model, {' '});
  model.show(tap, {{{"the second message"}}});
  BOOST_TEST(contains(all_text(model), "the second message"));
  press(model, {'l'});
  BOOST_TEST((model.view() == top_view{view::log, "storage/store"}));
  press(model, {escape, escape});
  BOOST_TEST((model.view() == top_view{}));
  BOOST_TEST(contains(selected(model), "store")); // Where it was.
  press(model, {'6'});
  BOOST_TEST((model.view() == top_view{view::log, {}}));
  model.show_failed(model.view(), "the node has no log today");
  BOOST_TEST(contains(all_text(model), "no log today"));
  press(model, {'5'});
  BOOST_TEST((model.view() == top_view{view::letters, {}}));
}

BOOST_AUTO_TEST_CASE(capsules_are_listed_and_read) {
  json heads{
      {"capsules",
       {{{"id", "00a1"}, {"path", "storage/store"}, {"incarnation", 2}, {"at_us", 1'000'000}, {"reason", "crashed: on purpose"}},
        {{"id", "00a0"}, {"path", "recorder"}, {"incarnation", 1}, {"at_us", 1}, {"reason", "threw"}}}}};
  top_model model;
  model.update(usual());
  press(model, {'4'});
  model.show(model.view(), capsule_list_rows(heads, {}).value());
  BOOST_TEST(contains(selected(model), "storage/store (2)  crashed: on purpose"));
  press(model, {'j', enter});
  BOOST_TEST((model.view() == top_view{top_view::kind::capsule, "00a0"}));
  json message{{"at_us", 7'125'000},
               {"type", "lucid::fragment"},
               {"size_bytes", 2048},
               {"sender", "sessions/" + std::string(64, 'a') + "/capture"},
               {"fields", "sequence=7"}};
  json capsule{{"id", "00a0"},
               {"path", "recorder"},
               {"incarnation", 1},
               {"at_us", 1},
               {"reason", "threw"},
               {"messages", {message}},
               {"failing", true},
               {"state", {{{"key", "running"}, {"value", "3"}}}},
               {"spec", {{"restart_kind", "permanent"}}},
               {"restart_count", 0}};
  model.show(model.view(), capsule_rows(capsule).value());
  auto text = all_text(model);
  BOOST_TEST(contains(text, "00:00:07.125  lucid::fragment  2.0 KiB  from sessions/aaaaaaaaaaaa/capture"));
  BOOST_TEST(contains(text, "sequence=7"));
  BOOST_TEST(contains(text, "its handler failed on this one"));
  BOOST_TEST(contains(text, "restart_kind permanent"));
  for (auto* member : {"path", "messages", "failing", "state", "spec"}) {
    auto broken = capsule;
    broken.erase(member);
    BOOST_TEST((capsule_rows(broken).error().code == errc::protocol_violation), member);
  }
  press(model, {escape, static_cast<int>(screen_key::home)});
  BOOST_TEST((capsule_list_rows(heads, "recorder").value().ids == std::vector<std::string>{"00a0"}));
}

BOOST_AUTO_TEST_CASE(a_tap_keeps_the_newest_and_counts_what_it_missed) {
  tap_log log("recorder");
  auto told = [](const std::string& path, int first, int count, int missed) {
    auto messages = json::array();
    for (int i = 0; i < count; ++i)
      messages.push_back(
          {{"at_us", 1}, {"type", fmt::format("m{}", first + i)}, {"size_bytes", 0}, {"sender", ""}, {"fields", ""}});
    return json{{"topic", "tap"}, {"path", path}, {"messages", messages}, {"missed", missed}}.dump();
  };
  BOOST_TEST(log.hear(told("recorder", 0, 2, 0)).has_value());
  BOOST_TEST(log.hear(told("storage", 7, 1, 9)).has_value());
  BOOST_TEST(log.hear(R"({"topic":"node","seq":1,"full":true,"set":{}})").has_value());
  BOOST_TEST(log.hear("no JSON").has_value());
  auto rows = log.rows();
  BOOST_REQUIRE(rows.lines.size() == 3u);
  BOOST_TEST(rows.lines[0].text == "2 messages");
  BOOST_TEST(contains(rows.lines[1].text, "m1  from outside the tree"));
  BOOST_TEST(log.hear(told("recorder", 2, static_cast<int>(tap_log::messages_max), 5)).has_value());
  rows = log.rows();
  BOOST_TEST(rows.lines.size() == tap_log::messages_max + 1);
  BOOST_TEST(rows.lines[0].text == "502 messages, 5 more came too fast to be told");
  BOOST_TEST((log.hear(R"({"topic":"tap","path":"recorder"})").error().code == errc::protocol_violation));
}

BOOST_AUTO_TEST_CASE(log_lines_and_letters_are_put_into_words) {
  json lines{{"lines", {{{"at_us", 1'000'000}, {"level", "info"}, {"path", "recorder"}, {"text", "older"}},
                        {{"at_us", 2'000'000}, {"level", "error"}, {"path", "storage/store"}, {"text", "newer\n"}}}}};
  auto log = log_rows(lines).value();
  BOOST_TEST(log.lines[0].text == "00:00:02.000  error  storage/store: newer\\n");
  BOOST_TEST((log.lines[0].style == text_style::alert));
  BOOST_TEST(contains(log.lines[1].text, "older"));
  json letters{
      {"dead_letters", {{{"path", "recorder"}, {"count", 3}}}},
      {"refusals", {{{"at_us", 1'000'000}, {"kind", "http"}, {"source", "127.0.0.1"}, {"what", "too large"}, {"count", 2}}}}};
  auto text = letter_rows(letters).value();
  BOOST_TEST(contains(text.lines[1].text, "3  recorder"));
  BOOST_TEST(contains(text.lines[4].text, "2  http from 127.0.0.1, last at 00:00:01.000: too large"));
  BOOST_TEST(!letter_rows(json::object()).has_value());
}

BOOST_AUTO_TEST_CASE(an_actors_page_tells_what_the_contract_knows) {
  auto full = actor("storage/store", 4, 1);
  full.update({{"restart_kind", "permanent"}, {"strategy", "rest_for_one"}, {"senders", {{{"path", ""}, {"count", 3}}}},
               {"handler_by_type", {{{"type", "lucid::store_chunk"}, {"count", 4}, {"p50_ns", 1}, {"p99_ns", 2}, {"max_ns", 3}}}},
               {"capsules", {"00a1"}}});
  std::string text;
  for (auto& line : actor_page(read_top_actor(full).value())) text.append(line.text).append("\n");
  for (auto* part : {"a permanent child, supervisor, rest_for_one", "lucid::store_chunk", "3  outside the tree", "00a1",
                     "crashed: on purpose", "1 restart, 0 dead letters"})
    BOOST_TEST(contains(text, part), part);
}

BOOST_AUTO_TEST_CASE(long_text_is_wrapped_between_words_and_never_beyond_the_width) {
  BOOST_TEST((wrapped("one two three", 7, 2) == std::vector<std::string>{"one two", "  three"}));
  BOOST_TEST(cut_path_to("sessions/a36737fa7750/seal", 20) == "...a36737fa7750/seal");
  BOOST_TEST(cut_path_to("storage/store", 20) == "storage/store");
  BOOST_TEST((wrapped("", 10) == std::vector<std::string>{""}));
  BOOST_TEST((wrapped("abcdefgh", 4) == std::vector<std::string>{"abcd", "efgh"}));
  for (unsigned seed = 1; seed <= 300; ++seed) {
    std::mt19937 dice(seed);
    std::string text;
    for (auto n = dice() % 120; n > 0; --n) text += std::array{"a", " ", "\xc3\xa9", "\xf0\x9f\x98\x80", "\x1b"}.at(dice() % 5);
    auto width = 4 + static_cast<int>(dice() % 40);
    std::string joined;
    for (auto& line : wrapped(text, width, static_cast<int>(dice() % 8))) {
      BOOST_REQUIRE_LE(line.size(), static_cast<std::size_t>(width));
      BOOST_REQUIRE_EQUAL(printable(line), line); // No character was torn.
      joined += line;
    }
    auto letters = [](std::string from) { return std::erase(from, ' '), from; };
    BOOST_REQUIRE_EQUAL(letters(joined), letters(printable(text)));
  }
}

BOOST_AUTO_TEST_CASE(trouble_is_said_and_what_was_there_stays) {
  top_model model;
  model.update(usual());
  model.update_failed("no news: the node does not answer");
  BOOST_TEST(contains(all_text(model), "no news"));
  BOOST_TEST(contains(all_text(model), "recorder"));
}

BOOST_AUTO_TEST_CASE(whatever_is_pressed_and_told_the_lines_fit_the_screen) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    std::mt19937 dice(seed);
    top_model model;
    for (int step = 0; step < 120; ++step) {
      if (dice() % 5 == 0) {
        std::vector<json> actors{actor("root")};
        for (auto count = dice() % 60; count > 0; --count)
          actors.push_back(
              actor("sessions/" + std::string(64, static_cast<char>('a' + dice() % 6)) + "/a" + std::to_string(count), dice(),
                    dice() % 3, 0.5));
        std::vector<session_summary> sessions(dice() % 40, session(session_state::recording));
        model.update(some_data(actors, sessions));
      }
      constexpr int keys[] = {'1', '2', '3', '4', '5', '6', '?', '/', 's', ' ', 'x', 'e', 'y', 'n', 'j', 'k',
                              't', 'l', 'c', 'r', 'p', 256, 257, 258, 259, 260, 261, 262, 263, 264, 265, 'S'};
      auto width = 20 + static_cast<int>(dice() % 200), height = 5 + static_cast<int>(dice() % 60);
      auto wish = model.press(keys[dice() % std::size(keys)], width, height);
      if (auto* consult = wish ? std::get_if<top_wish::consult>(&*wish) : nullptr)
        model.ask(consult->action, std::string(dice() % 900, 'w'));
      if (dice() % 3 == 0) model.show(model.view(), {std::vector<text_line>(dice() % 80, {std::string(dice() % 300, 'v')})});
      if (dice() % 9 == 0) model.say(std::string(dice() % 900, 'u'), dice() % 2 == 0);
      auto lines = model.lines(width, height);
      BOOST_REQUIRE_LE(lines.size(), static_cast<std::size_t>(height));
      for (auto& line : lines) BOOST_REQUIRE_LE(line.text.size(), static_cast<std::size_t>(width));
    }
  }
}
