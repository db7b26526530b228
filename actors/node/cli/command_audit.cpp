// actors/node/cli/command_audit.cpp - `lucid audit show|verify`: what was done to the node.
#include <memory>

#include <fmt/format.h>

#include "actors/node/cli/acting.hpp"
#include "actors/node/cli/actor_paths.hpp"
#include "actors/node/cli/commands.hpp"
#include "actors/node/cli/json.hpp"
#include "actors/node/session_text.hpp"
#include "runtime/log/text.hpp"

namespace lucid {
namespace {

constexpr std::uint32_t shown_count = 20;
constexpr auto damage_text = "NOT INTACT: an entry of the log is missing, was altered, or is not signed by this node";

struct audit_log_answer {
  json entries;
  bool intact = false;
};

outcome<audit_log_answer> ask(const command_context& context, std::uint32_t count) {
  auto client = node_of(context);
  if (!client) return pass_on(std::move(client));
  auto answer = client->audit(count);
  if (!answer) return pass_on(std::move(answer));
  auto entries = answer->find("entries"), intact = answer->find("intact");
  if (entries == answer->end() || !entries->is_array() || intact == answer->end() || !intact->is_boolean())
    return fail(errc::protocol_violation, "control", "the node's audit log cannot be read");
  return audit_log_answer{json(*entries), intact->get<bool>()};
}

/// Four short lines: the sentences are long, and a terminal is narrow.
void print_entry(std::ostream& out, const json& entry) {
  auto text = [&](const char* member) { return with_short_ids(printable(entry.value(member, ""))); };
  out << fmt::format("{}  {}  {} {}\n", entry.value("number", std::uint64_t{0}), time_text(entry.value("at_us", std::int64_t{0})),
                     text("action"), text("target"));
  out << fmt::format("    by       {}\n    told     {}\n    outcome  {}\n", text("operator"), text("consequence"),
                     text("outcome"));
}

command_result show(command_context& context, std::uint32_t count) {
  auto log = ask(context, count);
  if (!log) return pass_on(std::move(log));
  if (context.options.json) {
    print_json(context.out, {{"entries", log->entries}, {"intact", log->intact}});
    return exit_code::ok;
  }
  if (log->entries.empty() && !context.options.quiet) context.err << "Nothing was done to this node yet.\n";
  for (auto& one : log->entries) print_entry(context.out, one);
  if (!log->intact) context.err << damage_text << ".\n";
  return exit_code::ok;
}

command_result verify(command_context& context) {
  auto log = ask(context, 1);
  if (!log) return pass_on(std::move(log));
  auto count = log->entries.empty() ? std::uint64_t{0} : log->entries[0].value("number", std::uint64_t{0});
  if (context.options.json)
    print_json(context.out, {{"intact", log->intact}, {"entry_count", count}});
  else if (log->intact)
    context.out << fmt::format("INTACT: {} entries; each is signed and follows the one before it.\n", count);
  else
    context.out << damage_text << ".\n";
  return log->intact ? exit_code::ok : exit_code::damaged;
}

} // namespace

command_spec audit_show_command() {
  return {.name = "audit show",
          .summary = "Show what was done to the running node: by whom, when, and what came of it; newest first.",
          .details = "--json adds the hashes and signatures of the entries.",
          .examples = {{"lucid audit show --count 5", "the last five actions"}},
          .hidden = false,
          .declare = [](command_options& app) -> command_action {
            auto count = std::make_shared<std::uint32_t>(shown_count);
            app.add_option("--count", *count, "How many entries").between(1, 1000).type_name("N");
            return [count](command_context& context) { return show(context, *count); };
          }};
}

command_spec audit_verify_command() {
  return {.name = "audit verify",
          .summary = "Check the running node's audit log: every entry signed, none missing, none altered.",
          .details = "The node checks it and is believed: who must not believe it reads the log itself (docs/format.md, \"Audit "
                     "log\"). Ends with 4 when it is not intact.",
          .examples = {{"lucid audit verify", "the whole log"}},
          .hidden = false,
          .declare = [](command_options&) -> command_action { return verify; }};
}

} // namespace lucid
