// tests/unit/top_tests.cpp - `lucid top` without a terminal: what the keys do and what the lines say.
#define BOOST_TEST_MODULE top_tests
#include <boost/test/unit_test.hpp>

#include <random>

#include <nlohmann/json.hpp>

#include "actors/node/cli/top/top_model.hpp"

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
  for (auto key : keys) model.press(key, 24);
}

constexpr int enter = static_cast<int>(screen_key::enter), escape = static_cast<int>(screen_key::escape);

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

BOOST_AUTO_TEST_CASE(sessions_are_stopped_and_extended_after_a_question_only) {
  top_model model;
  model.update(some_data({actor("root")}, {session(session_state::recording)}));
  press(model, {'3'});
  BOOST_TEST(contains(all_text(model), "Night shift"));
  BOOST_TEST(!model.press('x', 24).has_value());
  BOOST_TEST(contains(all_text(model), "Stop recording ab0000000000?"));
  BOOST_TEST(!model.press('n', 24).has_value());
  BOOST_TEST(contains(all_text(model), "nothing was done"));
  BOOST_TEST(!model.press('x', 24).has_value());
  auto wish = model.press('y', 24);
  BOOST_REQUIRE(wish.has_value());
  BOOST_TEST((std::get<top_wish::stop_session>(*wish).id == session(session_state::recording).id));
  BOOST_TEST(!model.press('e', 24).has_value());
  BOOST_TEST(std::holds_alternative<top_wish::extend_session>(model.press('y', 24).value()));
  BOOST_TEST(!model.press('S', 24).has_value());
  BOOST_TEST(contains(all_text(model), "It ends 1 running session in order"));
  BOOST_TEST(std::holds_alternative<top_wish::stop_node>(model.press('y', 24).value()));
  model.update(some_data({actor("root")}, {session(session_state::completed)}));
  BOOST_TEST(!model.press('x', 24).has_value());
  BOOST_TEST(contains(all_text(model), "has ended already"));
  BOOST_TEST(!model.press('y', 24).has_value());
  BOOST_TEST(std::holds_alternative<top_wish::quit>(model.press('q', 24).value()));
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
          actors.push_back(actor("sessions/" + std::string(64, static_cast<char>('a' + dice() % 6)) + "/a" + std::to_string(count),
                                 dice(), dice() % 3, 0.5));
        std::vector<session_summary> sessions(dice() % 40, session(session_state::recording));
        model.update(some_data(actors, sessions));
      }
      constexpr int keys[] = {'1', '2', '3', '?', '/', 's', ' ', 'x', 'e', 'y', 'n', 'j', 'k', 256, 257, 258, 259, 260, 261,
                              262, 263, 264, 265, 'S'};
      auto width = 20 + static_cast<int>(dice() % 200), height = 5 + static_cast<int>(dice() % 60);
      model.press(keys[dice() % std::size(keys)], height);
      auto lines = model.lines(width, height);
      BOOST_REQUIRE_LE(lines.size(), static_cast<std::size_t>(height));
      for (auto& line : lines) BOOST_REQUIRE_LE(line.text.size(), static_cast<std::size_t>(width));
    }
  }
}
