// actors/node/cli/command_capsules.cpp - `lucid capsules list|show`: what crashed actors left.
#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "actors/node/cli/acting.hpp"
#include "actors/node/cli/actor_paths.hpp"
#include "actors/node/cli/commands.hpp"
#include "actors/node/cli/json.hpp"
#include "actors/node/cli/top/top_records.hpp"
#include "actors/node/session_text.hpp"
#include "runtime/log/text.hpp"

namespace lucid {
namespace {

command_result list(command_context& context) {
  auto client = node_of(context);
  if (!client) return pass_on(std::move(client));
  auto answer = client->capsules();
  if (!answer) return pass_on(std::move(answer));
  if (context.options.json) {
    print_json(context.out, json(*answer));
    return exit_code::ok;
  }
  auto heads = read_capsule_heads(*answer);
  if (!heads) return pass_on(std::move(heads));
  if (heads->empty()) {
    if (!context.options.quiet) context.err << "No capsules: no actor has crashed.\n";
    return exit_code::ok;
  }
  table rows({{"id"}, {"crashed"}, {"actor"}, {"start", table::align::right}, {"reason"}});
  for (auto& one : *heads)
    rows.add({one.id, time_text(one.at_us), with_short_ids(one.path), fmt::format("{}", one.incarnation), one.reason});
  rows.print(context.out);
  return exit_code::ok;
}

/// The id that begins as `written` does.
outcome<std::string> id_in_full(const node_client& client, const std::string& written) {
  auto answer = client.capsules();
  if (!answer) return pass_on(std::move(answer));
  auto heads = read_capsule_heads(*answer);
  if (!heads) return pass_on(std::move(heads));
  std::vector<std::string> found;
  for (auto& one : *heads) {
    if (one.id == written) return one.id;
    if (one.id.starts_with(written)) found.push_back(one.id);
  }
  if (found.size() == 1) return found.front();
  if (found.empty())
    return fail(errc::not_found, "lucid",
                fmt::format("there is no capsule {}; `lucid capsules list` lists those that are kept", printable(written)));
  return fail(errc::invalid_input, "lucid",
              fmt::format("{} stands for {} capsules; write more of it", printable(written), found.size()));
}

command_result show(command_context& context, const std::string& written) {
  auto client = node_of(context);
  if (!client) return pass_on(std::move(client));
  auto id = id_in_full(*client, written);
  if (!id) return pass_on(std::move(id));
  auto capsule = client->capsule(*id);
  if (!capsule) return pass_on(std::move(capsule));
  if (context.options.json) {
    print_json(context.out, json(*capsule));
    return exit_code::ok;
  }
  auto rows = capsule_rows(*capsule);
  if (!rows) return pass_on(std::move(rows));
  for (auto& line : rows->lines) context.out << line.text << '\n';
  return exit_code::ok;
}

} // namespace

command_spec capsules_list_command() {
  return {.name = "capsules list",
          .summary = "List the crash capsules of the running node, newest first.",
          .details =
              "When an actor crashes, what it handled last, its last state and its child specification are kept: the newest 64.",
          .examples = {{"lucid capsules list", "which actors crashed, when, and why"}},
          .hidden = false,
          .declare = [](command_options&) -> command_action { return list; }};
}

command_spec capsules_show_command() {
  return {.name = "capsules show",
          .summary = "Show what an actor was doing when it crashed.",
          .details = "ID is the beginning of a capsule's id, as long as it takes to be the only one.",
          .examples = {{"lucid capsules show 0006 --json > capsule.json", "to be sent along with a report"}},
          .hidden = false,
          .declare = [](command_options& app) -> command_action {
            auto id = std::make_shared<std::string>();
            app.add_option("ID", *id, "Capsule").required();
            return [id](command_context& context) { return show(context, *id); };
          }};
}

} // namespace lucid
