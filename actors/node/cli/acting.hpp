// actors/node/cli/acting.hpp - commands that change a running node: asked for, confirmed, carried out.
#pragma once

#include <memory>
#include <string>

#include "actors/node/cli/command.hpp"
#include "actors/node/cli/node_action.hpp"
#include "actors/node/cli/node_client.hpp"

namespace lucid {

/// The node that the settings name. It need not run: the first question tells.
outcome<node_client> node_of(const command_context& context);

/// Adds --yes.
std::shared_ptr<bool> add_yes_option(command_options& app);

/// Asks whether to do `what`, such as "restart storage/store".
/// Errors: `cancelled` when the answer is no; `invalid_input` where nobody can be asked.
outcome<void> confirm(command_context& context, const std::string& what);

/// Shows what `action` would do and asks, unless `yes`; then has it done.
/// Errors: `cancelled` when the answer is no; `invalid_input` where nobody can be asked.
outcome<nlohmann::json> act(command_context& context, const node_client& client, const node_action& action, bool yes);

} // namespace lucid
