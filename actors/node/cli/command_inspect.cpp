// actors/node/cli/command_inspect.cpp - `lucid inspect`: actors of the running node, for people and scripts.
#include <charconv>
#include <chrono>
#include <memory>

#include <fmt/format.h>

#include "actors/node/cli/acting.hpp"
#include "actors/node/cli/actor_paths.hpp"
#include "actors/node/cli/commands.hpp"
#include "actors/node/cli/json.hpp"
#include "actors/node/cli/signals.hpp"
#include "actors/node/cli/top/top_actors.hpp"
#include "actors/node/cli/top/top_text.hpp"
#include "actors/node/session_text.hpp"
#include "runtime/log/text.hpp"

namespace lucid {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr double watch_seconds_min = 0.1, watch_seconds_max = 3600;

struct inspect_options {
  std::string path;
  std::string watch_text;   ///< A number, checked by the parser (CLI11 gives flags whole numbers alone); empty: once.
  double watch_seconds = 1;
};

/// The node's answer with those actors alone that are asked for. `must_be_some`: none is an error.
outcome<json> look(const node_client& client, const std::string& path, bool must_be_some) {
  auto answer = client.actors();
  if (!answer) return pass_on(std::move(answer));
  json seen(*answer);
  auto all = seen.value("actors", json::array());
  auto& actors = seen["actors"] = json::array();
  for (auto& one : all)
    if (path_matches(path, one.value("path", ""))) actors.push_back(one);
  if (!actors.empty() || !must_be_some) return seen;
  std::vector<std::string> known;
  for (auto& one : all) known.push_back(one.value("path", ""));
  if (auto one = find_path(path, known); !one) return pass_on(std::move(one)); // It says what is near.
  return seen;
}

void print_rows(std::ostream& out, const std::vector<top_actor>& actors) {
  table rows({{"path"}, {"kind"}, {"state"}, {"start", table::align::right}, {"mailbox", table::align::right},
              {"handled", table::align::right}, {"msg/s", table::align::right}, {"busy", table::align::right},
              {"restarts", table::align::right}, {"p99", table::align::right}});
  for (auto& one : actors)
    rows.add({with_short_ids(one.path), one.kind, one.state, fmt::format("{}", one.incarnation),
              fmt::format("{}", one.mailbox_length), fmt::format("{}", one.handled_count), rate_text(one.rate),
              fmt::format("{:.1f} %", one.busy_share * 100), fmt::format("{}", one.restart_count), nanoseconds_text(one.p99_ns)});
  rows.print(out);
}

/// A single actor is shown with all that is known of it.
outcome<void> print_people(command_context& context, const json& seen) {
  auto actors = read_top_actors(seen);
  if (!actors) return pass_on(std::move(actors));
  if (actors->size() != 1) print_rows(context.out, *actors);
  else
    for (auto& line : actor_page(actors->front())) context.out << line.text << '\n';
  return {};
}

/// The one actor that was found, with what only it is told of: its history and capsules.
outcome<json> in_full(const node_client& client, json seen) {
  if (seen["actors"].size() != 1) return seen;
  auto whole = client.actor(seen["actors"][0].value("path", ""));
  if (!whole) return pass_on(std::move(whole));
  seen["actors"][0] = json(*whole);
  return seen;
}

command_result show_once(command_context& context, const node_client& client, const inspect_options& options) {
  auto seen = look(client, options.path, true);
  if (!seen) return pass_on(std::move(seen));
  auto whole = in_full(client, std::move(*seen));
  if (!whole) return pass_on(std::move(whole));
  if (context.options.json) print_json(context.out, *whole);
  else if (auto printed = print_people(context, *whole); !printed) return pass_on(std::move(printed));
  return exit_code::ok;
}

std::string now_text() {
  return time_text(
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count());
}

command_result watch(command_context& context, const node_client& client, const inspect_options& options) {
  stop_signals signals(broken_pipe::fatal);
  auto interval = std::chrono::duration_cast<steady::duration>(std::chrono::duration<double>(options.watch_seconds));
  auto next = steady::now();
  for (bool is_first = true;; is_first = false) {
    auto seen = look(client, options.path, is_first); // Later the actor may go and come back.
    if (!seen) return pass_on(std::move(seen));
    if (context.options.json) {
      context.out << seen->dump(-1, ' ', false, json::error_handler_t::replace) << '\n';
    } else {
      context.out << (is_first ? "" : "\n") << now_text() << '\n';
      if (auto printed = print_people(context, *seen); !printed) return pass_on(std::move(printed));
    }
    if (!context.out.flush()) return exit_code::ok; // The program says what could not be written.
    next = std::max(next + interval, steady::now()); // Looks that took too long are not made up for.
    auto left = std::chrono::ceil<std::chrono::milliseconds>(next - steady::now());
    if (signals.wait(std::max(left, 0ms))) return exit_code::ok;
  }
}

} // namespace

command_spec inspect_command() {
  return {.name = "inspect",
          .summary = "Show actors of the running node and how they are doing, once or again and again.",
          .details =
              "PATH is an actor and what is below it; each part may be a pattern (`sessions/*/seal`) or the beginning of a "
              "session's id. One actor alone is shown in full. --json prints objects as docs/api/console.openapi.yaml "
              "describes them, with --watch one line a look. Ctrl-C ends a watch, with 0.",
          .examples = {{"lucid inspect", "all actors"},
                       {"lucid inspect storage/store", "one: its state, senders, handler times, and why it was restarted"},
                       {"lucid inspect 'sessions/*/capture' --watch=5", "those of all sessions, every five seconds"},
                       {"lucid inspect --json --watch | jq -c '.actors[] | select(.mailbox_length > 100) | .path'",
                        "who falls behind"}},
          .hidden = false,
          .declare = [](command_options& app) -> command_action {
            auto o = std::make_shared<inspect_options>();
            app.add_option("PATH", o->path, "Actors; all if it is missing");
            app.add_flag("--watch{1}", o->watch_text, "Look again every second (--watch=SECONDS), until Ctrl-C")
              .between(watch_seconds_min, watch_seconds_max);
            return [o](command_context& context) -> command_result {
              auto client = node_of(context);
              if (!client) return pass_on(std::move(client));
              if (o->watch_text.empty()) return show_once(context, *client, *o);
              auto& text = o->watch_text;
              std::from_chars(text.data(), text.data() + text.size(), o->watch_seconds);
              return watch(context, *client, *o);
            };
          }};
}

} // namespace lucid
