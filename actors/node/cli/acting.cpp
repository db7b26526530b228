// actors/node/cli/acting.cpp - the question before an action.
#include "actors/node/cli/acting.hpp"

#include <iostream>

#include <fmt/core.h>
#include <unistd.h>

#include "actors/node/cli/actor_paths.hpp"
#include "runtime/log/text.hpp"

namespace lucid {
outcome<node_client> node_of(const command_context& context) {
  auto settings = context.load_settings();
  if (!settings) return pass_on(std::move(settings));
  return node_client(settings->values);
}

std::shared_ptr<bool> add_yes_option(command_options& app) {
  auto yes = std::make_shared<bool>(false);
  app.add_flag("--yes", *yes, "Do it without asking");
  return yes;
}

outcome<void> confirm(command_context& context, const std::string& what) {
  if (!is_terminal(STDIN_FILENO))
    return fail(errc::invalid_input, "lucid",
                fmt::format("nobody can be asked whether to {}: there is no terminal; --yes answers it", what));
  context.err << "Go on? [y/N] " << std::flush;
  std::string line;
  std::getline(std::cin, line);
  if (line == "y" || line == "yes") return {};
  return fail(errc::cancelled, "lucid", "nothing was done");
}

outcome<nlohmann::json> act(command_context& context, const node_client& client, const node_action& action, bool yes) {
  auto consequence = client.consequence(action);
  if (!consequence) return pass_on(std::move(consequence));
  if (!yes || !context.options.quiet)
    context.err << fmt::format("{}: {}\n", to_string(action), with_short_ids(printable(*consequence)));
  if (!yes)
    if (auto agreed = confirm(context, to_string(action)); !agreed) return pass_on(std::move(agreed));
  return client.carry_out(action);
}

} // namespace lucid
