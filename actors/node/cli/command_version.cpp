// actors/node/cli/command_version.cpp - `lucid version`.
#include "actors/node/cli/commands.hpp"
#include "actors/node/cli/json.hpp"
#include "actors/node/cli/version.hpp"

namespace lucid {
namespace {

command_result print_versions(command_context& context) {
  if (context.options.json) {
    json libraries;
    for (auto& [name, version] : library_versions()) libraries[name] = version;
    print_json(context.out, {{"version", version_number()}, {"compiler", __VERSION__}, {"libraries", libraries}});
    return exit_code::ok;
  }
  context.out << software_version() << "\n\n";
  table versions({{"library"}, {"version"}});
  for (auto& [name, version] : library_versions()) versions.add({name, version});
  versions.print(context.out);
  return exit_code::ok;
}

} // namespace

command_spec version_command() {
  return {.name = "version",
          .summary = "Print the version, and those of the libraries it is built from.",
          .details = {},
          .examples = {{"lucid version --json", "the same for a program, for instance in a report of a defect"}},
          .hidden = false,
          .declare = [](command_options&) -> command_action { return print_versions; }};
}

} // namespace lucid
