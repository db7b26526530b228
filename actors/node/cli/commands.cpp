// actors/node/cli/commands.cpp - the one place where commands are listed.
#include "actors/node/cli/commands.hpp"

namespace lucid {

std::vector<command_group> command_groups() {
  return {
      {"config", "Check, explain and show the configuration."},
      {"completion", "Completion of commands in a shell."},
      {"docs", ""},
  };
}

std::vector<command_spec> all_commands() {
  return {
      config_check_command(),
      config_explain_command(),
      config_show_command(),
      doctor_command(),
      version_command(),
      completion_bash_command(),
      docs_cli_command(),
  };
}

} // namespace lucid
