// actors/node/cli/command_reference.cpp - `lucid completion bash` and the hidden `lucid docs cli`.
#include "actors/node/cli/commands.hpp"
#include "actors/node/cli/reference.hpp"

namespace lucid {

command_spec completion_bash_command() {
  return {.name = "completion bash",
          .summary = "Print a script that completes lucid's commands in bash.",
          .details = {},
          .examples = {{"source <(lucid completion bash)", "in this shell"},
                       {"lucid completion bash > /etc/bash_completion.d/lucid", "in every shell"}},
          .hidden = false,
          .declare = [](command_options&) -> command_action {
            return [](command_context& context) -> command_result {
              context.out << bash_completion(shape_of(context.program));
              return exit_code::ok;
            };
          }};
}

command_spec docs_cli_command() {
  return {.name = "docs cli",
          .summary = "Print docs/cli.md.",
          .details = {},
          .examples = {},
          .hidden = true,
          .declare = [](command_options&) -> command_action {
            return [](command_context& context) -> command_result {
              context.out << cli_page(shape_of(context.program));
              return exit_code::ok;
            };
          }};
}

} // namespace lucid
