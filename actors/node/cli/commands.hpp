// actors/node/cli/commands.hpp - the list of all commands.
#pragma once

#include <string>
#include <vector>

#include "actors/node/cli/command.hpp"

namespace lucid {

/// A word that only stands before others: "config" in "config check".
struct command_group {
  std::string name;
  std::string summary;
};

/// All groups and commands, in the order of help and documentation.
std::vector<command_group> command_groups();
std::vector<command_spec> all_commands();

command_spec config_check_command();
command_spec config_explain_command();
command_spec config_show_command();
command_spec doctor_command();
command_spec version_command();
command_spec completion_bash_command();
command_spec docs_cli_command();

} // namespace lucid
