// actors/node/cli/command_node.cpp - `lucid node`: the node in the foreground; `node drain|accept`, `status` and `stop` ask it.
#include <chrono>
#include <memory>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "actors/node/cli/acting.hpp"
#include "actors/node/cli/commands.hpp"
#include "actors/node/cli/json.hpp"
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
  auto loaded = context.start(true);
  if (!loaded) return pass_on(std::move(loaded));
  node_options options;
  options.origins = std::move(loaded->origins);
  auto started = node::start(loaded->values, options);
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

command_result show_status(command_context& context) {
  auto client = node_of(context);
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
  auto client = node_of(context);
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

command_result set_draining(command_context& context, bool on, bool yes) {
  auto client = node_of(context);
  if (!client) return pass_on(std::move(client));
  auto done = act(context, *client, {on ? node_action::kind::drain : node_action::kind::accept, {}}, yes);
  if (!done) return pass_on(std::move(done));
  if (context.options.json) print_json(context.out, json(*done));
  else context.out << (done->value("on", false) ? "The node starts no new sessions.\n" : "The node starts new sessions.\n");
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
          .declare = [](command_options&) { return plain(run_node); }};
}

command_spec status_command() {
  return {.name = "status",
          .summary = "Ask whether a node runs on this data folder.",
          .details = {},
          .examples = {{"lucid status --json", "the same for a program"}},
          .hidden = false,
          .declare = [](command_options&) { return plain(show_status); }};
}

command_spec stop_command() {
  return {.name = "stop",
          .summary = "Ask the running node to stop in order, and wait for it.",
          .details = {},
          .examples = {{"lucid stop", "end running sessions, anchor them, and stop"}},
          .hidden = false,
          .declare = [](command_options&) { return plain(stop_node); }};
}

command_spec node_drain_command() {
  return {.name = "node drain",
          .summary = "Have the running node start no new sessions; those that run go on to their end.",
          .details =
              "Says first what it would do, and asks. `lucid node accept` takes it back, and so does a restart of the node.",
          .examples = {{"lucid node drain", "before an update: wait for the last session, then `lucid stop`"}},
          .hidden = false,
          .declare = [](command_options& app) -> command_action {
            auto yes = add_yes_option(app);
            return [yes](command_context& context) { return set_draining(context, true, *yes); };
          }};
}

command_spec node_accept_command() {
  return {.name = "node accept",
          .summary = "Have a node that was drained start new sessions again.",
          .details = {},
          .examples = {{"lucid node accept --yes", "without being asked"}},
          .hidden = false,
          .declare = [](command_options& app) -> command_action {
            auto yes = add_yes_option(app);
            return [yes](command_context& context) { return set_draining(context, false, *yes); };
          }};
}

} // namespace lucid
