// actors/node/cli/command_sessions.cpp - `lucid sessions list|show|stop|extend|rm`.
#include <memory>

#include <fmt/format.h>

#include "actors/console/api_json.hpp"
#include "actors/console/api_request.hpp"
#include "actors/node/cli/chain_members.hpp"
#include "actors/node/cli/commands.hpp"
#include "actors/node/cli/json.hpp"
#include "actors/node/cli/node_client.hpp"
#include "actors/node/cli/recording_access.hpp"
#include "actors/node/session_text.hpp"
#include "actors/store/recording_store.hpp"
#include "adapters/files/folder_lock.hpp"
#include "adapters/files/posix_file_system.hpp"

namespace lucid {
namespace {

posix_file_system& machine_files() {
  static posix_file_system files; // It has no state.
  return files;
}

/// All sessions: the store's rows, those that run as the node sees them now.
outcome<std::vector<session_summary>> all_sessions(const configuration& settings) {
  std::vector<session_summary> all;
  auto store = recording_store::open_read_only({settings.node.data_dir, 0}, machine_files());
  if (!store && store.error().code == errc::not_found) return all;
  if (!store) return pass_on(std::move(store));
  for (;;) {
    auto page = store->sessions({false, static_cast<std::uint32_t>(all.size()), recording_store::session_page_count_max});
    if (!page) return page;
    all.insert(all.end(), page->begin(), page->end());
    if (page->size() < recording_store::session_page_count_max) break;
  }
  node_client client(settings);
  for (auto& one : all)
    if (!is_final(one.state))
      if (auto now = client.session(one.id)) one = std::move(*now);
  return all;
}

command_result list(command_context& context) {
  auto settings = context.load_settings();
  if (!settings) return pass_on(std::move(settings));
  auto sessions = all_sessions(settings->values);
  if (!sessions) return pass_on(std::move(sessions));
  if (context.options.json) {
    auto rows = json::array();
    for (auto& one : *sessions) rows.push_back(json(to_json(one)));
    print_json(context.out, {{"sessions", rows}});
    return exit_code::ok;
  }
  if (sessions->empty()) {
    if (!context.options.quiet) context.err << "No sessions yet. `lucid record --help` shows how to make one.\n";
    return exit_code::ok;
  }
  table rows({{"id"}, {"state"}, {"started"}, {"length", table::align::right}, {"frames", table::align::right},
              {"stored", table::align::right}, {"chunks", table::align::right}, {"block", table::align::right},
              {"title"}, {"source"}});
  auto names = names_for(node_client(settings->values), *sessions);
  for (auto& s : *sessions)
    rows.add({short_id(s.id), std::string(to_string(s.state)), time_text(s.started_us),
              duration_text(recorded_length_us(s)), std::to_string(s.frame_count), size_text(s.stored_bytes),
              std::to_string(s.chunk_count), s.block_height == 0 ? "-" : block_text(s.block_height, s.block_producer, names), s.title,
              s.source});
  rows.print(context.out);
  return exit_code::ok;
}

void print_session(command_context& context, const session_summary& s, const chain_names& names) {
  if (context.options.json) return print_json(context.out, json(to_json(s)));
  auto& out = context.out;
  auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out << fmt::format("{:<10}{}\n", name, value);
  };
  line("session", to_hex(s.id));
  line("title", s.title);
  line("owner", s.owner);
  line("source", s.source);
  line("state", std::string(to_string(s.state)) + (s.interrupted ? " (the node went down while it recorded)" : ""));
  line("reason", s.reason);
  line("created", time_text(s.created_us));
  line("started", time_text(s.started_us));
  line("length", duration_text(recorded_length_us(s)));
  line("frames", fmt::format("{} in {} fragments, {} gaps", s.frame_count, s.fragment_count, s.gap_count));
  line("captured", size_text(s.captured_bytes));
  line("stored", fmt::format("{} in {} chunks", size_text(s.stored_bytes), s.chunk_count));
  line("anchored", s.block_height == 0 ? "not yet" : "in " + block_sentence(s.block_height, s.block_producer, names));
}

/// What a command does to the session that was found.
using session_step = outcome<session_summary> (*)(const configuration&, const session_summary&);

/// Finds the session by the beginning of its id, then takes `step`.
template <class Step>
command_result on_session(command_context& context, const std::string& prefix, Step step) {
  auto settings = context.load_settings();
  if (!settings) return pass_on(std::move(settings));
  auto recording = stored_recording::open(settings->values.node.data_dir, prefix);
  if (!recording) return pass_on(std::move(recording));
  outcome<session_summary> result = step(settings->values, (*recording)->row().summary);
  if (!result) return pass_on(std::move(result));
  print_session(context, *result, names_for(node_client(settings->values), {*result}));
  return exit_code::ok;
}

outcome<session_summary> show(const configuration& settings, const session_summary& stored) {
  if (!is_final(stored.state))
    if (auto now = node_client(settings).session(stored.id)) return now;
  return stored;
}

outcome<session_summary> stop(const configuration& settings, const session_summary& stored) {
  return node_client(settings).stop(stored.id, "stopped by the user");
}

// Without a node, this process takes the node's place for a moment: it holds the folder's lock while it writes.
outcome<session_summary> remove(const configuration& settings, const session_summary& stored) {
  node_client client(settings);
  if (client.reachable()) return client.remove(stored.id);
  auto lock = folder_lock::acquire(settings.node.data_dir);
  if (!lock) return pass_on(std::move(lock));
  auto store = recording_store::open({settings.node.data_dir, 0}, machine_files());
  if (!store) return pass_on(std::move(store));
  return store->remove_session(stored.id);
}

command_spec on_one(std::string name, std::string summary, std::vector<command_example> examples,
                    session_step step) {
  return {.name = std::move(name),
          .summary = std::move(summary),
          .details = "ID is the beginning of a session id, as long as it takes to be the only one.",
          .examples = std::move(examples),
          .hidden = false,
          .declare = [step](command_options& app) -> command_action {
            auto id = std::make_shared<std::string>();
            app.add_option("ID", *id, "Session").required();
            return [id, step](command_context& context) { return on_session(context, *id, step); };
          }};
}

} // namespace

command_spec sessions_list_command() {
  return {.name = "sessions list",
          .summary = "List all sessions, newest first.",
          .details = {},
          .examples = {{"lucid sessions list --json", "the same for a program"}},
          .hidden = false,
          .declare = [](command_options&) -> command_action { return list; }};
}

command_spec sessions_show_command() {
  return on_one("sessions show", "Show one session.", {{"lucid sessions show 3f9a", "where it stands and what it holds"}},
                show);
}

command_spec sessions_rm_command() {
  return on_one("sessions rm", "Remove a finished session: its chunks and rows. What is in the ledger stays.",
                {{"lucid sessions rm 3f9a", "there is no way back: export it first"}}, remove);
}

command_spec sessions_stop_command() {
  return on_one("sessions stop", "Ask the node to end a running session in order.",
                {{"lucid sessions stop 3f9a", "it is sealed and anchored before it is completed"}},
                stop);
}

command_spec sessions_extend_command() {
  return {.name = "sessions extend",
          .summary = "Give a running session more time.",
          .details = {},
          .examples = {{"lucid sessions extend 3f9a 1800", "half an hour beyond its maximum length"}},
          .hidden = false,
          .declare = [](command_options& app) -> command_action {
            auto id = std::make_shared<std::string>();
            auto seconds = std::make_shared<std::uint32_t>(0);
            app.add_option("ID", *id, "Session").required();
            app.add_option("SECONDS", *seconds, "How much longer").required().between(1u, extend_seconds_max);
            return [id, seconds](command_context& context) {
              return on_session(context, *id,
                                [&](const configuration& settings, const session_summary& stored) {
                                  return node_client(settings).extend(stored.id, *seconds);
                                });
            };
          }};
}

} // namespace lucid
