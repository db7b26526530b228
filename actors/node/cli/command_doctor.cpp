// actors/node/cli/command_doctor.cpp - `lucid doctor`.
#include <algorithm>

#include "actors/node/cli/commands.hpp"
#include "actors/node/cli/doctor.hpp"
#include "actors/node/cli/json.hpp"

namespace lucid {
namespace {

command_result examine(command_context& context) {
  auto loaded = context.load_settings();
  if (!loaded) return pass_on(std::move(loaded));
  std::vector<doctor_line> lines;
  for (auto check : doctor_checks())
    for (auto& line : check(loaded->values)) lines.push_back(std::move(line));

  auto worst = verdict::ok;
  json list = json::array();
  table rows({{"check"}, {"verdict"}, {"found"}, {"advice"}});
  for (auto& line : lines) {
    worst = std::max(worst, line.what);
    rows.add({line.check, std::string(to_string(line.what)), line.found, line.advice});
    list.push_back({{"check", line.check}, {"verdict", to_string(line.what)}, {"found", line.found}, {"advice", line.advice}});
  }
  if (context.options.json) print_json(context.out, {{"verdict", to_string(worst)}, {"checks", list}});
  else rows.print(context.out);
  return worst == verdict::fail ? exit_code::failure : exit_code::ok;
}

} // namespace

std::string_view to_string(verdict v) noexcept {
  switch (v) {
    case verdict::ok: return "ok";
    case verdict::warn: return "warn";
    case verdict::fail: return "fail";
  }
  return "fail";
}

std::vector<doctor_check> doctor_checks() {
  return {check_clock, check_disk, check_encoders, check_kernel, check_limits, check_memory};
}

command_spec doctor_command() {
  return {.name = "doctor",
          .summary = "Check whether this machine can record well.",
          .details = "Looks at clock, disk, encoder, kernel, limits and memory under the settings in force. Ends with 1 if something must be mended.",
          .examples = {{"lucid doctor", "one line for each check, with advice"},
                       {"lucid doctor --data-dir /mnt/recordings", "another disk"}},
          .hidden = false,
          .declare = [](command_options&) -> command_action { return examine; }};
}

} // namespace lucid
