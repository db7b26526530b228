// actors/node/cli/command_top.cpp - `lucid top`: the running node on a terminal, once a second.
#include <algorithm>
#include <chrono>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actors/node/cli/acting.hpp"
#include "actors/node/cli/commands.hpp"
#include "actors/node/cli/top/top_model.hpp"
#include "adapters/terminal/screen.hpp"

namespace lucid {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr auto redraw_interval = 1s;
constexpr auto tap_interval = 250ms; ///< Messages are shown sooner than numbers.
constexpr std::uint32_t log_line_count = 200;
constexpr std::size_t shown_sessions_max = 200; ///< The newest; `lucid sessions list` has all.

outcome<top_data> ask(const node_client& client) {
  auto node = client.status();
  if (!node) return pass_on(std::move(node));
  auto actors = client.actors();
  if (!actors) return pass_on(std::move(actors));
  auto sessions = client.sessions(0, shown_sessions_max);
  if (!sessions) return pass_on(std::move(sessions));
  return read_top_data(*node, *actors, std::move(*sessions));
}

/// The messages of one actor, told on a stream. A stream that ended is opened anew with the next look.
class actor_tap {
public:
  explicit actor_tap(const std::string& path) : path_(path), log_(path) {}

  const std::string& path() const { return path_; }

  outcome<top_rows> look(const node_client& client) {
    if (!stream_) {
      auto opened = client.open_stream();
      if (!opened) return pass_on(std::move(opened));
      stream_ = std::move(*opened);
      if (auto told = stream_->send(nlohmann::json{{"tap", path_}}.dump()); !told) return pass_on(std::move(told));
    }
    auto news = stream_->poll();
    if (!news) {
      stream_.reset();
      return pass_on(std::move(news));
    }
    for (auto& message : *news)
      if (auto heard = log_.hear(message); !heard) return pass_on(std::move(heard));
    return log_.rows();
  }

private:
  std::string path_;
  tap_log log_;
  std::unique_ptr<stream_client> stream_;
};

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

  /// What the page on the screen shows beyond that.
  void look_at_page(top_model& model) {
    auto view = model.view();
    if (view.what != top_view::kind::tap) tap_.reset();
    if (view.what == top_view::kind::nothing) return;
    auto rows = rows_of(view);
    if (rows) model.show(view, std::move(*rows));
    else model.show_failed(view, rows.error().what);
  }

  bool is_tapping() const { return tap_.has_value(); }

  /// True when the screen is to be left.
  bool carry_out(const top_wishes& wish, top_model& model) const {
    if (std::holds_alternative<top_wish::quit>(wish)) return true;
    if (auto* consult = std::get_if<top_wish::consult>(&wish)) {
      auto consequence = client_.consequence(consult->action);
      if (consequence) model.ask(consult->action, std::move(*consequence));
      else model.say(consequence.error().what, false);
    }
    if (auto* act = std::get_if<top_wish::act>(&wish)) {
      auto done = client_.carry_out(act->action);
      if (done) model.say(to_string(act->action) + ": done, or under way", true);
      else model.say(done.error().what, false);
    }
    return false;
  }

private:
  /// `read` of what was asked, or why there is nothing.
  template <class Read>
  static outcome<top_rows> rows_from(outcome<nlohmann::json> answer, Read read) {
    if (!answer) return pass_on(std::move(answer));
    return read(*answer);
  }

  outcome<top_rows> rows_of(const top_view& view) {
    switch (view.what) {
      case top_view::kind::log: return rows_from(client_.log_lines(view.of, log_line_count), log_rows);
      case top_view::kind::capsules:
        return rows_from(client_.capsules(), [&](const nlohmann::json& answer) { return capsule_list_rows(answer, view.of); });
      case top_view::kind::capsule: return rows_from(client_.capsule(view.of), capsule_rows);
      case top_view::kind::letters: return rows_from(client_.letters(), letter_rows);
      case top_view::kind::tap:
        if (!tap_ || tap_->path() != view.of) tap_.emplace(view.of);
        return tap_->look(client_);
      case top_view::kind::nothing: break;
    }
    return top_rows{};
  }

  node_client client_;
  std::optional<actor_tap> tap_;
  top_data last_;
  steady::time_point asked_{};
};

command_result run_top(command_context& context) {
  auto client = node_of(context);
  if (!client) return pass_on(std::move(client));
  if (auto there = client->status(); !there) return pass_on(std::move(there)); // Said before the screen is taken over.
  auto opened = screen::open();
  if (!opened) return pass_on(std::move(opened));
  auto& display = **opened;

  watcher node(std::move(*client));
  top_model model;
  node.look(model);
  top_view looked_at;
  for (auto next = steady::now() + redraw_interval;;) {
    if (node.is_tapping() || model.view() != looked_at) node.look_at_page(model);
    looked_at = model.view();
    display.show(model.lines(display.width(), display.height()));
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(next - steady::now());
    if (node.is_tapping()) left = std::min<std::chrono::milliseconds>(left, tap_interval);
    auto pressed = display.next_key(std::max(left, 0ms));
    if (pressed != static_cast<int>(screen_key::none))
      if (auto wish = model.press(pressed, display.width(), display.height()); wish && node.carry_out(*wish, model))
        return exit_code::ok;
    if (steady::now() < next) continue;
    node.look(model);
    node.look_at_page(model);
    next = steady::now() + redraw_interval;
  }
}

} // namespace

command_spec top_command() {
  return {.name = "top",
          .summary = "Watch the running node on the terminal, and act on it: actors, messages, sessions, crashes.",
          .details = "Keys: 1 tree, 2 sorted list, 3 sessions, 4 crash capsules, 5 dead letters, 6 log, enter one actor, t its "
                     "messages as they come, ? all keys, q leave. What changes something says first what it would do, and "
                     "asks. Works from 80x24 on; NO_COLOR is heeded.",
          .examples = {{"lucid top", "the supervision tree, once a second"}},
          .hidden = false,
          .declare = [](command_options&) -> command_action { return run_top; }};
}

} // namespace lucid
