// actors/node/cli/command_top.cpp - `lucid top`: the running node on a terminal, once a second.
#include <chrono>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actors/node/cli/commands.hpp"
#include "actors/node/cli/node_client.hpp"
#include "actors/node/cli/top/top_model.hpp"
#include "adapters/terminal/screen.hpp"

namespace lucid {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr auto redraw_interval = 1s;

outcome<top_data> ask(const node_client& client) {
  auto node = client.status();
  if (!node) return pass_on(std::move(node));
  auto actors = client.actors();
  if (!actors) return pass_on(std::move(actors));
  auto sessions = client.sessions();
  if (!sessions) return pass_on(std::move(sessions));
  return read_top_data(*node, *actors, std::move(*sessions));
}

/// One look at the node after the other, with the rates between them.
class watcher {
public:
  explicit watcher(node_client client) : client_(std::move(client)) {}

  void look(top_model& model) {
    auto now = ask(client_);
    if (!now) return model.update_failed(fmt::format("no news: {}", now.error().what));
    auto at = steady::now();
    if (asked_ != steady::time_point{}) add_rates(*now, last_, std::chrono::duration<double>(at - asked_).count());
    asked_ = at;
    last_ = *now;
    model.update(std::move(*now));
  }

  /// True when the screen is to be left.
  bool carry_out(const top_wishes& wish, top_model& model) const {
    if (std::holds_alternative<top_wish::quit>(wish)) return true;
    outcome<void> done;
    auto of_session = [&](outcome<session_summary> answer) {
      if (!answer) done = pass_on(std::move(answer));
    };
    std::string said;
    if (auto* stop = std::get_if<top_wish::stop_session>(&wish)) {
      of_session(client_.stop(stop->id, "stopped by the operator"));
      said = "the session is being finished";
    } else if (auto* extend = std::get_if<top_wish::extend_session>(&wish)) {
      of_session(client_.extend(extend->id, extend->seconds));
      said = "the session may record longer";
    } else {
      done = client_.stop_node();
      said = "the node is stopping";
    }
    model.say(done ? said : to_string(done.error()), done.has_value());
    return false;
  }

private:
  node_client client_;
  top_data last_;
  steady::time_point asked_{};
};

command_result run_top(command_context& context) {
  auto settings = context.load_settings();
  if (!settings) return pass_on(std::move(settings));
  node_client client(settings->values);
  if (auto there = client.status(); !there) return pass_on(std::move(there)); // Said before the screen is taken over.
  auto opened = screen::open();
  if (!opened) return pass_on(std::move(opened));
  auto& display = **opened;

  watcher node(std::move(client));
  top_model model;
  node.look(model);
  for (auto next = steady::now() + redraw_interval;;) {
    display.show(model.lines(display.width(), display.height()));
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(next - steady::now());
    auto pressed = display.next_key(std::max(left, 0ms));
    if (pressed != static_cast<int>(screen_key::none))
      if (auto wish = model.press(pressed, display.height()); wish && node.carry_out(*wish, model)) return exit_code::ok;
    if (steady::now() < next) continue;
    node.look(model);
    next = steady::now() + redraw_interval;
  }
}

} // namespace

command_spec top_command() {
  return {.name = "top",
          .summary = "Watch the running node on the terminal: actors, sessions, restarts.",
          .details = "Keys: 1 tree, 2 sorted list, 3 sessions, enter one actor, / filter, ? all keys, q leave. Works from "
                     "80x24 on; NO_COLOR is heeded.",
          .examples = {{"lucid top", "the supervision tree, once a second"}},
          .hidden = false,
          .declare = [](CLI::App&) -> command_action { return run_top; }};
}

} // namespace lucid
