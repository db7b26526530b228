// actors/node/cli/command_actors.cpp - `lucid actors restart|kill|suspend|resume`.
#include <memory>

#include <fmt/format.h>

#include "actors/node/cli/acting.hpp"
#include "actors/node/cli/actor_paths.hpp"
#include "actors/node/cli/commands.hpp"
#include "actors/node/cli/json.hpp"

namespace lucid {
namespace {

outcome<std::string> path_in_full(const node_client& client, const std::string& written) {
  auto answer = client.actors();
  if (!answer) return pass_on(std::move(answer));
  std::vector<std::string> paths;
  for (auto& one : answer->value("actors", nlohmann::json::array())) paths.push_back(one.value("path", ""));
  return find_path(written, paths);
}

command_result act_on_actor(command_context& context, node_action::kind what, const std::string& written, bool yes) {
  auto client = node_of(context);
  if (!client) return pass_on(std::move(client));
  auto path = path_in_full(*client, written);
  if (!path) return pass_on(std::move(path));
  auto done = act(context, *client, {what, *path}, yes);
  if (!done) return pass_on(std::move(done));
  if (context.options.json) print_json(context.out, json(*done));
  else context.out << fmt::format("It is under way; `lucid inspect {}` shows how it goes.\n", with_short_ids(*path));
  return exit_code::ok;
}

command_spec on_actor(node_action::kind what, std::string word, std::string summary, std::string details,
                      command_example example) {
  return {.name = "actors " + word,
          .summary = std::move(summary),
          .details = std::move(details) + "Says first what it would do, and asks. PATH is as `lucid inspect` shows it.",
          .examples = {std::move(example)},
          .hidden = false,
          .declare = [what](command_options& app) -> command_action {
            auto path = std::make_shared<std::string>();
            app.add_option("PATH", *path, "Actor").required();
            auto yes = add_yes_option(app);
            return [what, path, yes](command_context& context) { return act_on_actor(context, what, *path, *yes); };
          }};
}

} // namespace

command_spec actors_restart_command() {
  return on_actor(node_action::kind::restart, "restart", "End an actor in order and start it again.",
                  "The siblings that its supervisor's strategy names are restarted with it. It counts as no failure. ",
                  {"lucid actors restart storage/store", "what a recording has sent it is sent again"});
}

command_spec actors_kill_command() {
  return on_actor(node_action::kind::kill, "kill", "End an actor as if it had crashed: to see whether the node withstands it.",
                  "Its supervisor restarts it, and a crash capsule is kept. ",
                  {"lucid actors kill sessions/3f9a/seal --yes", "in a running recording, without being asked"});
}

command_spec actors_suspend_command() {
  return on_actor(node_action::kind::suspend, "suspend", "Have an actor handle nothing until it is resumed.",
                  "Messages wait in its mailbox, and whoever sends to it waits, too. ",
                  {"lucid actors suspend storage/ledger", "nothing is anchored meanwhile"});
}

command_spec actors_resume_command() {
  return on_actor(node_action::kind::resume, "resume", "Have a suspended actor handle what has waited, and go on.", "",
                  {"lucid actors resume storage/ledger", "in the order in which it was sent"});
}

} // namespace lucid
