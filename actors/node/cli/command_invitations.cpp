// actors/node/cli/command_invitations.cpp - `lucid cluster invitations|uninvite`.
#include <nlohmann/json.hpp>

#include "actors/node/cli/acting.hpp"
#include "actors/node/cli/commands.hpp"
#include "actors/node/cli/json.hpp"
#include "actors/node/session_text.hpp"
#include "runtime/log/text.hpp"

namespace lucid {
namespace {

command_result list(command_context& context) {
  auto client = node_of(context);
  if (!client) return pass_on(std::move(client));
  auto answer = client->invitations();
  if (!answer) return pass_on(std::move(answer));
  if (context.options.json) {
    print_json(context.out, json(*answer));
    return exit_code::ok;
  }
  table rows({{"id"}, {"issued"}, {"expires"}});
  try {
    for (auto& one : answer->at("invitations"))
      rows.add({printable(one.at("id").get<std::string>()), time_text(one.at("issued_us").get<unix_time_us>()),
                time_text(one.at("expires_us").get<unix_time_us>())});
    if (answer->at("invitations").empty()) context.out << "No invitation of this node is open.\n";
    else rows.print(context.out);
  } catch (const json::exception&) {
    return fail(errc::protocol_violation, "control", "the node answered with no list of invitations");
  }
  return exit_code::ok;
}

command_result take_back(command_context& context, const std::string& id) {
  auto client = node_of(context);
  if (!client) return pass_on(std::move(client));
  auto done = client->uninvite(id);
  if (!done) return pass_on(std::move(done));
  if (context.options.json) {
    print_json(context.out, json(*done));
    return exit_code::ok;
  }
  context.out << printable(done->value("text", std::string("taken back"))) << '\n';
  return exit_code::ok;
}

} // namespace

command_spec cluster_invitations_command() {
  return {.name = "cluster invitations",
          .summary = "List the open invitations of this node.",
          .details = "Those that other members made are listed there. The text of an invitation is kept nowhere.",
          .examples = {{"lucid cluster invitations", "ids, since when, until when by this node's clock"}},
          .hidden = false,
          .declare = [](command_options&) -> command_action { return list; }};
}

command_spec cluster_uninvite_command() {
  return {.name = "cluster uninvite",
          .summary = "Take an open invitation back: whoever has it is let in no more.",
          .details = "On the node that made it. Who has joined with it stays; `lucid cluster remove` puts a member out.",
          .examples = {{"lucid cluster uninvite a1b2c3d4", "an id from `lucid cluster invitations`"},
                       {"lucid cluster uninvite all", "every open one of this node"}},
          .hidden = false,
          .declare = [](command_options& app) -> command_action {
            auto id = std::make_shared<std::string>();
            app.add_option("ID", *id, "The eight digits of its id, or \"all\"").required().type_name("");
            return [id](command_context& context) { return take_back(context, *id); };
          }};
}

} // namespace lucid
