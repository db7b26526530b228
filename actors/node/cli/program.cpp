// actors/node/cli/program.cpp - builds CLI11's tree from the command list and runs the command that was named.
#include "actors/node/cli/program.hpp"

#include <algorithm>
#include <exception>
#include <map>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "actors/node/cli/commands.hpp"
#include "actors/node/cli/version.hpp"
#include "runtime/config/nearest.hpp"
#include "runtime/log/text.hpp"

namespace lucid {
namespace {

std::string help_footer(const command_spec& command) {
  std::string text = command.details.empty() ? "" : command.details + "\n";
  if (!command.examples.empty()) text += "\nExamples:\n";
  for (auto& example : command.examples) text += fmt::format("  {}\n      {}\n", example.line, example.what);
  return text;
}

/// The CLI11 tree and what hangs on its leaves.
class program {
public:
  program() : app_("Records remote-desktop sessions so that the recording can be neither altered nor denied later.", "lucid") {
    app_.require_subcommand(1);
    app_.fallthrough();
    app_.set_help_flag("-h,--help", "Print help with examples, and end");
    app_.set_version_flag("--version", software_version(), "Print the version, and end");
    add_global_options();
    for (auto& group : command_groups()) add_group(group);
    for (auto& command : all_commands()) add_command(command);
    app_.footer("`lucid COMMAND --help` explains a command. All of them: docs/cli.md.\n");
  }

  int run(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
    // CLI11 takes the arguments from the back.
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    try {
      app_.parse(reversed);
    } catch (const CLI::ParseError& e) {
      if (e.get_exit_code() == 0) return app_.exit(e, out, err);
      print_error(err, refusal(e, arguments));
      return static_cast<int>(exit_code::usage);
    }
    command_context context{options_, out, err, app_};
    auto result = actions_.at(chosen())(context);
    out.flush();
    if (!result) {
      print_error(err, result.error());
      return static_cast<int>(exit_code_for(result.error().code));
    }
    if (!out) {
      print_error(err, {errc::io_failed, "lucid", "the output could not be written", nullptr});
      return static_cast<int>(exit_code::storage);
    }
    return static_cast<int>(*result);
  }

private:
  void add_global_options() {
    auto* group = "Options of all commands";
    app_.add_option("--config", options_.config_file, "Configuration file (docs/configuration.md says what is read without it)")
        ->type_name("FILE")->group(group);
    app_.add_option("--data-dir", options_.data_dir, "Folder of store, journals and keys: node.data_dir")->type_name("DIR")->group(group);
    app_.add_option("--set", options_.settings, "Sets one key of the configuration; may be repeated")
        ->type_name("KEY=VALUE")->allow_extra_args(false)->group(group);
    app_.add_option("--log-level", options_.log_level, "trace, debug, info, warn, error or off: log.level")->type_name("LEVEL")->group(group);
    app_.add_flag("--json", options_.json, "Print results as JSON")->group(group);
    app_.add_flag("--quiet", options_.quiet, "No progress, no remarks")->group(group);
  }

  void add_group(const command_group& group) {
    auto* sub = app_.add_subcommand(group.name, group.summary);
    sub->require_subcommand(1);
    if (group.summary.empty()) sub->group("");
  }

  void add_command(const command_spec& command) {
    auto space = command.name.find(' ');
    auto* parent = space == std::string::npos ? &app_ : app_.get_subcommand(command.name.substr(0, space));
    auto* sub = parent->add_subcommand(space == std::string::npos ? command.name : command.name.substr(space + 1), command.summary);
    sub->footer(help_footer(command));
    if (command.hidden) sub->group("");
    command_options options(*sub);
    actions_[sub] = command.declare(options);
  }

  const CLI::App* chosen() const {
    const CLI::App* at = &app_;
    while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
    return at;
  }

  /// What CLI11 could not parse, with a suggestion where a name is near.
  error refusal(const CLI::ParseError& e, const std::vector<std::string>& arguments) const {
    if (arguments.empty()) return usage("no command is given; `lucid --help` lists them");
    const CLI::App* at = chosen();
    auto left = app_.remaining(true);
    auto flag = std::find_if(left.begin(), left.end(), [](auto& word) { return word.size() > 1 && word[0] == '-'; });
    if (!at->get_subcommands([](const CLI::App*) { return true; }).empty()) {
      auto word = std::find_if(left.begin(), left.end(), [](auto& w) { return w.empty() || w[0] != '-'; });
      if (word != left.end()) return unknown("command", *word, command_names(*at), at);
      if (flag == left.end() && e.get_name() == "RequiredError") return usage(fmt::format("\"{}\" needs one of its commands; `{} --help` lists them", path_of(at), path_of(at)));
    }
    if (flag != left.end()) return unknown("option", *flag, option_names(*at), at);
    return usage(fmt::format("{}; see `{} --help`", printable(e.what()), path_of(at)));
  }

  static error unknown(std::string_view kind, const std::string& word, const std::vector<std::string>& known, const CLI::App* at) {
    auto near = nearest(word, known);
    auto hint = near.empty() ? fmt::format("see `{} --help`", path_of(at)) : fmt::format("did you mean \"{}\"?", near);
    return usage(fmt::format("there is no {} \"{}\"; {}", kind, printable(word), hint));
  }

  static error usage(std::string what) { return {errc::invalid_input, "lucid", std::move(what), nullptr}; }

  static std::string path_of(const CLI::App* at) {
    return at->get_parent() ? path_of(at->get_parent()) + " " + at->get_name() : at->get_name();
  }

  static std::vector<std::string> command_names(const CLI::App& at) {
    std::vector<std::string> names;
    for (auto* sub : at.get_subcommands([](const CLI::App* a) { return !a->get_group().empty(); })) names.push_back(sub->get_name());
    return names;
  }

  static std::vector<std::string> option_names(const CLI::App& at) {
    std::vector<std::string> names;
    for (const CLI::App* one = &at; one; one = one->get_parent())
      for (auto* option : one->get_options())
        for (auto& name : option->get_lnames()) names.push_back("--" + name);
    return names;
  }

  global_options options_;
  CLI::App app_;
  std::map<const CLI::App*, command_action> actions_;
};

} // namespace

int run_program(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
  try {
    return program().run(arguments, out, err);
  } catch (const std::exception& e) {
    // No command throws on purpose: this is a defect or a lack of memory, and still no crash.
    print_error(err, {errc::internal, "lucid", e.what(), nullptr});
    return static_cast<int>(exit_code::failure);
  }
}

} // namespace lucid
