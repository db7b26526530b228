// actors/node/cli/command_node.cpp - `lucid node`: the node in the foreground; `status`, `stop` and `inspect` ask it.
#include <chrono>
#include <memory>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "actors/node/cli/commands.hpp"
#include "actors/node/cli/json.hpp"
#include "actors/node/cli/node_client.hpp"
#include "actors/node/cli/signals.hpp"
#include "actors/node/node.hpp"
#include "actors/node/session_text.hpp"
#include "runtime/log/log.hpp"

namespace lucid {
namespace {

using namespace std::chrono_literals;

constexpr auto poll_interval = 200ms;
constexpr auto stop_patience = 60s; ///< Running sessions are ended, sealed and anchored before the node goes.

command_result run_node(command_context& context) {
  stop_signals signals; // Before any thread is started, so that all of them leave the signals to us.
  auto settings = context.start(true);
  if (!settings) return pass_on(std::move(settings));
  auto started = node::start(*settings);
  if (!started) return pass_on(std::move(started));
  for (;;) {
    if (auto ended = (*started)->wait(poll_interval)) {
      if (!*ended) return pass_on(std::move(*ended));
      break;
    }
    if (signals.wait(0ms)) {
      log::info("node", "asked by a signal to stop");
      break;
    }
  }
  started->reset();
  return exit_code::ok;
}

outcome<node_client> running_node(command_context& context) {
  auto settings = context.load_settings();
  if (!settings) return pass_on(std::move(settings));
  return node_client(settings->values);
}

command_result show_status(command_context& context) {
  auto client = running_node(context);
  if (!client) return pass_on(std::move(client));
  auto status = client->status();
  if (!status) return pass_on(std::move(status));
  if (context.options.json) {
    print_json(context.out, json(*status));
    return exit_code::ok;
  }
  context.out << fmt::format("{} ({}), process {}, up {}\ndata in {}, ledger at block {}\n",
                             status->value("name", ""), status->value("software", ""), status->value("pid", 0),
                             duration_text(status->value("uptime_us", std::int64_t(0))),
                             status->value("data_dir", ""), status->value("ledger_height", 0));
  return exit_code::ok;
}

command_result stop_node(command_context& context) {
  auto client = running_node(context);
  if (!client) return pass_on(std::move(client));
  if (auto asked = client->stop_node(); !asked) return pass_on(std::move(asked));
  auto line = context.make_progress("stopping", 0, progress_unit::seconds);
  auto begun = std::chrono::steady_clock::now();
  while (client->reachable()) {
    auto passed = std::chrono::steady_clock::now() - begun;
    if (passed > stop_patience)
      return fail(errc::timeout, "node", "the node was asked to stop and still answers; its log says what it waits for");
    line.update(static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(passed).count()));
    std::this_thread::sleep_for(poll_interval);
  }
  return exit_code::ok;
}

/// "sessions/67d0fc966324/seal": ids as short as in every other list.
std::string shown_path(std::string path) {
  constexpr std::size_t id_at = 9, id_length = 64, shown_length = 12;
  if (path.starts_with("sessions/") && path.size() >= id_at + id_length)
    path.erase(id_at + shown_length, id_length - shown_length);
  return path;
}

command_result show_actors(command_context& context) {
  auto client = running_node(context);
  if (!client) return pass_on(std::move(client));
  auto tree = client->actors();
  if (!tree) return pass_on(std::move(tree));
  if (context.options.json) {
    print_json(context.out, json(*tree));
    return exit_code::ok;
  }
  table actors({{"path"}, {"kind"}, {"state"}, {"start", table::align::right}, {"mailbox", table::align::right},
                {"handled", table::align::right}, {"busy", table::align::right}, {"p99", table::align::right}});
  for (auto& one : (*tree)["actors"])
    actors.add({shown_path(one.value("path", "")), one.value("kind", ""), one.value("present", false) ? "running" : "gone",
                fmt::format("{}", one.value("incarnation", 0)), fmt::format("{}", one.value("mailbox_length", 0)),
                fmt::format("{}", one.value("handled_count", 0)),
                fmt::format("{:.1f} %", one.value("busy_share", 0.0) * 100),
                fmt::format("{:.2f} ms", static_cast<double>(one["handler_ns"].value("p99", std::int64_t(0))) / 1e6)});
  actors.print(context.out);
  return exit_code::ok;
}

command_action plain(command_result (*run)(command_context&)) { return run; }

} // namespace

command_spec node_command() {
  return {.name = "node",
          .summary = "Run a node in the foreground until it is asked to stop.",
          .details = "Ctrl-C, SIGTERM or `lucid stop` end it in order: running sessions are ended, sealed and "
                     "anchored first. What an earlier run left unfinished is finished at the start.",
          .examples = {{"lucid node --config config/pi.toml", "a node with the settings for a Raspberry Pi"}},
          .hidden = false,
          .declare = [](CLI::App&) { return plain(run_node); }};
}

command_spec status_command() {
  return {.name = "status",
          .summary = "Ask whether a node runs on this data folder.",
          .details = {},
          .examples = {{"lucid status --json", "the same for a program"}},
          .hidden = false,
          .declare = [](CLI::App&) { return plain(show_status); }};
}

command_spec stop_command() {
  return {.name = "stop",
          .summary = "Ask the running node to stop in order, and wait for it.",
          .details = {},
          .examples = {{"lucid stop", "end running sessions, anchor them, and stop"}},
          .hidden = false,
          .declare = [](CLI::App&) { return plain(stop_node); }};
}

command_spec inspect_command() {
  return {.name = "inspect",
          .summary = "List every actor of the running node and how it is doing.",
          .details = {},
          .examples = {{"lucid inspect --json", "with message counts, handler times, restarts and own state"}},
          .hidden = false,
          .declare = [](CLI::App&) { return plain(show_actors); }};
}

} // namespace lucid
