// actors/node/cli/command_config.cpp - `lucid config check|explain|show`.
#include <memory>

#include <fmt/core.h>

#include "actors/node/cli/commands.hpp"
#include "actors/node/cli/json.hpp"
#include "runtime/config/explain.hpp"
#include "runtime/config/key_table.hpp"
#include "runtime/log/text.hpp"

namespace lucid {
namespace {

json problem_json(const configuration_problem& problem) {
  json line{{"key", problem.key}, {"where", to_string(problem.where)}};
  if (problem.where.line > 0) {
    line["line"] = problem.where.line;
    line["column"] = problem.where.column;
  }
  line["problem"] = problem.what;
  line["advice"] = problem.right;
  return line;
}

command_result check(command_context& context, const std::string& file) {
  auto sources = context.setting_sources(file);
  if (!sources) return pass_on(std::move(sources));
  auto loaded = load(*sources);
  auto problems = loaded ? std::vector<configuration_problem>() : loaded.error();
  if (context.options.json) {
    json list = json::array();
    for (auto& problem : problems) list.push_back(problem_json(problem));
    print_json(context.out, {{"file", sources->file_name}, {"good", problems.empty()}, {"problems", list}});
  } else {
    for (auto& problem : problems) context.out << printable(to_string(problem)) << '\n';
    auto name = sources->text ? printable(sources->file_name) : std::string("the defaults");
    auto verdict = problems.empty() ? std::string("good") : fmt::format("{} problem{}", problems.size(), problems.size() == 1 ? "" : "s");
    if (!context.options.quiet) context.out << name << ": " << verdict << '\n';
  }
  return problems.empty() ? exit_code::ok : exit_code::usage;
}

json key_json(const key_spec& key) {
  return {{"key", key.name},
          {"type", show_type(key)},
          {"default", key.default_value},
          {"allowed", show_bounds(key)},
          {"variable", environment_name(key.name)},
          {"secret", key.secret()},
          {"description", key.description}};
}

command_result explain_memory_to(command_context& context) {
  auto loaded = context.load_settings();
  if (!loaded) return pass_on(std::move(loaded));
  if (!context.options.json) {
    context.out << explain_memory(loaded->values);
    return exit_code::ok;
  }
  json list = json::array();
  for (auto& bound : memory_bounds(loaded->values))
    list.push_back({{"name", bound.name},
                    {"bytes", bound.size_bytes},
                    {"arithmetic", bound.arithmetic},
                    {"per_session", bound.per_session},
                    {"in_worker", bound.in_worker}});
  print_json(context.out, {{"session_count_max", loaded->values.session.count_max}, {"bounds", list}});
  return exit_code::ok;
}

command_result explain_to(command_context& context, const std::string& what, bool markdown) {
  if (what == "memory") return explain_memory_to(context);
  auto text = explain(what);
  if (!text) return pass_on(std::move(text));
  if (markdown) context.out << configuration_page();
  else if (!context.options.json) context.out << *text;
  else {
    json list = json::array();
    for (auto& key : key_table())
      if (what.empty() || key.name == what || key.name.rfind(what + ".", 0) == 0) list.push_back(key_json(key));
    print_json(context.out, list);
  }
  return exit_code::ok;
}

command_result show(command_context& context) {
  auto loaded = context.load_settings();
  if (!loaded) return pass_on(std::move(loaded));
  json list = json::array();
  table rows({{"key"}, {"value"}, {"from"}});
  for (auto& key : key_table()) {
    auto value = show_value(key, loaded->values);
    auto from = to_string(loaded->origins.at(std::string(key.name)));
    rows.add({std::string(key.name), value, from});
    list.push_back({{"key", key.name}, {"value", value}, {"from", from}});
  }
  if (context.options.json) print_json(context.out, list);
  else rows.print(context.out);
  return exit_code::ok;
}

} // namespace

command_spec config_check_command() {
  return {.name = "config check",
          .summary = "Name everything that is wrong with a configuration.",
          .details = "Environment variables and --set are checked along with the file. Ends with 2 if something is wrong.",
          .examples = {{"lucid config check config/production.toml", "every problem with its line and column"},
                       {"lucid config check", "the file that would be read now"}},
          .hidden = false,
          .declare = [](command_options& app) -> command_action {
            auto file = std::make_shared<std::string>();
            app.add_option("FILE", *file, "File to check; without it the one that would be read").type_name("");
            return [file](command_context& context) { return check(context, *file); };
          }};
}

command_spec config_explain_command() {
  return {.name = "config explain",
          .summary = "Explain a key, a section, everything, or the memory a node may use.",
          .details = {},
          .examples = {{"lucid config explain journal.sync_interval", "one key: meaning, default, bounds"},
                       {"lucid config explain capture", "one section"},
                       {"lucid config explain memory", "the sum of all bounds under the settings in force"}},
          .hidden = false,
          .declare = [](command_options& app) -> command_action {
            auto what = std::make_shared<std::string>();
            auto markdown = std::make_shared<bool>(false);
            app.add_option("KEY", *what, "A key, a section, or \"memory\"; without it everything").type_name("");
            app.add_flag("--markdown", *markdown, "Print docs/configuration.md");
            return [what, markdown](command_context& context) { return explain_to(context, *what, *markdown); };
          }};
}

command_spec config_show_command() {
  return {.name = "config show",
          .summary = "Show the settings in force and where each comes from.",
          .details = "Secrets are masked.",
          .examples = {{"lucid config show", "every key with its value and its origin"},
                       {"LUCID_LOG_LEVEL=debug lucid config show --json", "the same for a program"}},
          .hidden = false,
          .declare = [](command_options&) -> command_action { return show; }};
}

} // namespace lucid
