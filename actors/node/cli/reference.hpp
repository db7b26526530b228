// actors/node/cli/reference.hpp - what is generated from the program: docs/cli.md and completion.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace lucid {

/// An option or argument as it is documented.
struct option_shape {
  std::vector<std::string> names; ///< "-o", "--out"; empty for an argument.
  std::string value;              ///< "FILE"; empty for a flag. Of an argument: its name.
  std::string description;
  bool required = false;
};

/// A command as it is documented, hidden ones left out.
struct command_shape {
  std::string name; ///< "lucid config check"
  std::string summary;
  std::string footer; ///< Details and examples as in help.
  std::vector<option_shape> options;
  std::vector<option_shape> arguments;
  std::vector<command_shape> commands;
  bool runs = true; ///< By itself; false for a word that only stands before others.
};

command_shape shape_of(const CLI::App& app);

/// docs/cli.md.
std::string cli_page(const command_shape& program);

/// A script for bash that completes commands, options and file names.
std::string bash_completion(const command_shape& program);

} // namespace lucid
