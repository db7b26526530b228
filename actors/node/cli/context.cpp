// actors/node/cli/context.cpp - settings and log as a command asks for them.
#include <fmt/core.h>

#include "actors/node/cli/command.hpp"
#include "runtime/log/log.hpp"

namespace lucid {
namespace {

log::level level_of(const std::string& name) { return log::level_from(name).value_or(log::level::info); }

log::settings log_settings(const configuration::log_settings& from, bool in_background) {
  log::settings to;
  to.standard = level_of(from.level);
  for (auto& [name, level] : from.levels) to.levels[name] = level_of(level);
  to.json = from.format == "json";
  to.file = from.file;
  to.file_bytes_max = from.file_bytes_max;
  to.file_count_max = from.file_count_max;
  to.in_background = in_background;
  to.colour = from.file.empty() && wants_colour();
  return to;
}

} // namespace

outcome<configuration_sources> command_context::setting_sources(const std::string& file) const {
  std::optional<std::filesystem::path> path;
  if (!file.empty()) path = file;
  else if (!options.config_file.empty()) path = options.config_file;
  else path = find_configuration_file();
  auto sources = process_sources(path);
  if (!sources) return sources;
  for (auto& pair : options.settings) {
    auto at = pair.find('=');
    if (at == std::string::npos) return fail(errc::invalid_input, "lucid", "--set needs KEY=VALUE, such as --set log.level=debug");
    sources->flags.push_back({"--set", pair.substr(0, at), pair.substr(at + 1)});
  }
  if (!options.data_dir.empty()) sources->flags.push_back({"--data-dir", "node.data_dir", options.data_dir});
  if (!options.log_level.empty()) sources->flags.push_back({"--log-level", "log.level", options.log_level});
  return sources;
}

outcome<loaded_configuration> command_context::load_settings() const {
  auto sources = setting_sources({});
  if (!sources) return pass_on(std::move(sources));
  auto loaded = load(*sources);
  if (!loaded) return tl::unexpected(to_error(loaded.error()));
  return std::move(*loaded);
}

outcome<loaded_configuration> command_context::start(bool in_background) const {
  auto loaded = load_settings();
  if (!loaded) return pass_on(std::move(loaded));
  // A command that somebody watches shows its own progress; its log is for what is wrong, unless more was asked for.
  if (!in_background && loaded->origins["log.level"].kind == origin_kind::default_value)
    loaded->values.log.level = "warn";
  if (auto started = log::start(log_settings(loaded->values.log, in_background)); !started) return pass_on(std::move(started));
  return loaded;
}

progress command_context::make_progress(std::string label, std::uint64_t total, progress_unit unit) const {
  return progress(err, !options.quiet && is_terminal(standard_error), std::move(label), total, unit);
}

} // namespace lucid
