// actors/node/cli/command.hpp - what a command is. A new one is a file with one function and a line in commands.cpp.
//
//   command_spec verify_command() {
//     return {.name = "verify", .summary = "...", .examples = {{"lucid verify 3f9a", "..."}},
//             .declare = [](command_options& app) -> command_action {
//               auto id = std::make_shared<std::string>();
//               app.add_option("ID", *id, "...").required();
//               return [id](command_context& context) -> command_result { ... return exit_code::ok; };
//             }};
//   }
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "actors/node/cli/command_options.hpp"
#include "actors/node/cli/exit_code.hpp"
#include "actors/node/cli/terminal.hpp"
#include "messages/outcome.hpp"
#include "runtime/config/load.hpp"

namespace lucid {

/// Flags that stand before or after every command.
struct global_options {
  std::string config_file;
  std::string data_dir;
  std::string log_level;
  std::vector<std::string> settings; ///< "key=value"
  bool json = false;
  bool quiet = false;
};

/// What a command is given when it runs.
struct command_context {
  const global_options& options;
  std::ostream& out; ///< Results. Nothing else, so that they can be piped.
  std::ostream& err; ///< Progress, errors.
  const CLI::App& program;

  /// File, environment and flags, loaded now. Errors: `invalid_input` with every problem in its text.
  outcome<loaded_configuration> load_settings() const;
  /// The same without the errors being joined, for `config check`. `file` replaces the usual one.
  outcome<configuration_sources> setting_sources(const std::string& file) const;
  /// Loads the settings and starts the log by them. `in_background` for a node, not for a short command.
  outcome<loaded_configuration> start(bool in_background) const;

  /// A live line on standard error, silent unless somebody watches.
  progress make_progress(std::string label, std::uint64_t total, progress_unit unit) const;
};

using command_result = outcome<exit_code>;
using command_action = std::function<command_result(command_context&)>;

struct command_example {
  std::string line;
  std::string what;
};

/// A command, declared but not yet part of a program.
struct command_spec {
  std::string name;    ///< "config check": all words but the last name a group of `command_groups`.
  std::string summary; ///< One line, for lists.
  std::string details; ///< Further sentences, for help and docs/cli.md.
  std::vector<command_example> examples;
  bool hidden = false;
  std::function<command_action(command_options&)> declare; ///< Adds the options; answers what runs with them.
};

} // namespace lucid
