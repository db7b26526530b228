// actors/node/cli/command_adopt.cpp - `lucid store adopt`: recordings of a recorder that is lost for good.
#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

#include <fmt/format.h>

#include "actors/console/api_json.hpp"
#include "actors/node/cli/acting.hpp"
#include "actors/node/cli/cluster_text.hpp"
#include "actors/node/cli/commands.hpp"
#include "actors/node/cli/json.hpp"
#include "actors/node/cli/signals.hpp"
#include "actors/node/session_text.hpp"
#include "actors/store/recording_store.hpp"
#include "adapters/files/posix_file_system.hpp"
#include "messages/data_layout.hpp"
#include "runtime/log/text.hpp"

namespace lucid {
namespace {

using namespace std::chrono_literals;

/// A recording of another node of which a copy is kept here.
struct kept_copy {
  session_summary what;
  node_id origin{};
  std::string origin_name;    ///< Or the beginning of its id.
  bool origin_is_member = false;
  std::size_t chunk_count = 0;
  bool has_manifest = false;
};

void name_origin(kept_copy& copy, const cluster_view& cluster) {
  copy.origin_name = short_node_id(copy.origin);
  for (auto& gone : cluster.former)
    if (gone.id == copy.origin) copy.origin_name = gone.name;
  for (auto& member : cluster.members) {
    if (member.id != copy.origin) continue;
    copy.origin_name = member.name;
    copy.origin_is_member = member.state != member_state::removed;
  }
}

outcome<std::optional<kept_copy>> read_copy(recording_store& store, const session_summary& what) {
  auto origin = store.origin_of(what.id);
  if (!origin) return pass_on(std::move(origin));
  if (!*origin) return std::optional<kept_copy>();
  auto chunks = store.chunks(what.id);
  if (!chunks) return pass_on(std::move(chunks));
  auto manifest = store.has_manifest(what.id);
  if (!manifest) return pass_on(std::move(manifest));
  kept_copy copy;
  copy.what = what;
  copy.origin = **origin;
  copy.chunk_count = chunks->size();
  copy.has_manifest = *manifest;
  return std::optional(std::move(copy));
}

/// All copies that are kept here, the newest first. A node without any has none.
outcome<std::vector<kept_copy>> kept_copies(const configuration& settings, const cluster_view& cluster) {
  posix_file_system files;
  std::vector<kept_copy> copies;
  auto store = recording_store::open_read_only({.folder = replicas_folder(settings.node.data_dir)}, files);
  if (!store && store.error().code == errc::not_found) return copies;
  if (!store) return pass_on(std::move(store));
  for (std::uint32_t offset = 0;; offset += recording_store::session_page_count_max) {
    auto page = store->sessions({false, offset, recording_store::session_page_count_max});
    if (!page) return pass_on(std::move(page));
    for (auto& what : *page) {
      auto copy = read_copy(*store, what);
      if (!copy && copy.error().code == errc::not_found) continue; // Removed meanwhile.
      if (!copy) return pass_on(std::move(copy));
      if (!*copy) continue;
      name_origin(**copy, cluster);
      copies.push_back(std::move(**copy));
    }
    if (page->size() < recording_store::session_page_count_max) return copies;
  }
}

outcome<cluster_view> cluster_of(const node_client& client) {
  auto answer = client.cluster();
  if (!answer) return pass_on(std::move(answer));
  auto view = read_cluster_view(*answer);
  if (view && view->name.empty())
    return fail(errc::wrong_state, "lucid", "this node is in no cluster: only a member knows whether a recorder is one still");
  return view;
}

// --- the list -----------------------------------------------------------------------------------------------------------

command_result list(command_context& context, const std::vector<kept_copy>& lost) {
  if (context.options.json) {
    auto rows = json::array();
    for (auto& c : lost)
      rows.push_back({{"session", to_hex(c.what.id)}, {"origin", to_hex(c.origin)}, {"origin_name", c.origin_name},
                      {"title", c.what.title}, {"created_us", c.what.created_us}, {"chunk_count", c.chunk_count},
                      {"has_manifest", c.has_manifest}});
    print_json(context.out, {{"recordings", rows}});
    return exit_code::ok;
  }
  if (lost.empty()) {
    if (!context.options.quiet) context.err << "All recordings of which copies are kept here are of members of the cluster.\n";
    return exit_code::ok;
  }
  table rows({{"recording"}, {"recorder"}, {"begun"}, {"chunks", table::align::right}, {"manifest"}, {"title"}});
  for (auto& c : lost)
    rows.add({short_id(c.what.id), c.origin_name, time_text(c.what.created_us), std::to_string(c.chunk_count),
              c.has_manifest ? "yes" : "no", c.what.title});
  rows.print(context.out);
  return exit_code::ok;
}

// --- adopting -----------------------------------------------------------------------------------------------------------

tl::unexpected<error> recorder_is_member(const std::string& name) {
  return fail(errc::wrong_state, "lucid",
              fmt::format("{0} is a member of the cluster and finishes its recordings itself when it comes back; if it is lost "
                          "for good: `lucid cluster remove {0}`, then adopt",
                          name));
}

bool is_named(const kept_copy& copy, const std::string& written) {
  return copy.origin_name == written || (written.size() >= 6 && to_hex(copy.origin).starts_with(written));
}

/// What `written` stands for: a session, or a node and all its recordings.
outcome<std::vector<session_id>> chosen(const std::vector<kept_copy>& copies, const cluster_view& cluster,
                                        const std::string& written) {
  std::vector<session_id> of_node, sessions;
  bool is_member = std::ranges::any_of(cluster.members,
                                       [&](auto& m) { return m.name == written && m.state != member_state::removed; });
  if (is_member) return recorder_is_member(written);
  for (auto& copy : copies) {
    if (is_named(copy, written) && !copy.origin_is_member) of_node.push_back(copy.what.id);
    if (to_hex(copy.what.id).starts_with(written)) sessions.push_back(copy.what.id);
  }
  if (!of_node.empty()) return of_node;
  if (sessions.size() == 1) return sessions;
  if (sessions.size() > 1)
    return fail(errc::invalid_input, "lucid",
                fmt::format("{} recordings begin with {}; give more digits", sessions.size(), printable(written)));
  session_id whole{};
  if (from_hex_into(written, whole)) return std::vector{whole}; // The node says whether it has adopted it already.
  return fail(errc::not_found, "lucid",
              fmt::format("no copy is kept here of a recording {0}, or of a lost node {0}; `lucid store adopt --list` shows what "
                          "can be adopted",
                          printable(written)));
}

/// As long as it takes; the node goes on also when nobody waits.
outcome<session_summary> adopt_one(const node_client& client, const session_id& id, stop_signals& signals) {
  for (;;) {
    auto done = client.adopt(id);
    if (done || done.error().code != errc::timeout) return done;
    if (signals.wait(0ms)) return fail(errc::cancelled, "lucid", "stopped waiting; the node goes on");
  }
}

command_result adopt(command_context& context, const std::string& written, bool list_only) {
  auto loaded = context.load_settings();
  if (!loaded) return pass_on(std::move(loaded));
  node_client client(loaded->values);
  auto cluster = cluster_of(client);
  if (!cluster) return pass_on(std::move(cluster));
  auto copies = kept_copies(loaded->values, *cluster);
  if (!copies) return pass_on(std::move(copies));
  if (list_only) {
    std::erase_if(*copies, [](const kept_copy& c) { return c.origin_is_member; });
    return list(context, *copies);
  }
  if (written.empty()) return fail(errc::invalid_input, "lucid", "name a recording or a node that is lost, or give --list");
  auto ids = chosen(*copies, *cluster, written);
  if (!ids) return pass_on(std::move(ids));
  stop_signals signals;
  auto done = json::array();
  bool any_failed = false;
  for (auto& id : *ids) {
    auto one = adopt_one(client, id, signals);
    if (!one) return pass_on(std::move(one));
    any_failed = any_failed || one->state == session_state::failed;
    if (context.options.json) done.push_back(json(to_json(*one)));
    else context.out << fmt::format("{} {}, {} chunks, {}: {}\n", short_id(id), to_string(one->state), one->chunk_count,
                                    block_sentence(one->block_height, one->block_producer, chain_names_of(*cluster)),
                                    printable(one->reason));
  }
  if (context.options.json) print_json(context.out, {{"sessions", done}});
  return any_failed ? exit_code::damaged : exit_code::ok;
}

} // namespace

command_spec store_adopt_command() {
  return {.name = "store adopt",
          .summary = "Finish recordings whose recorder is lost for good, from the copies that this node keeps.",
          .details = "WHAT is the beginning of a session id, or the name of a node that was removed from the cluster: then all "
                     "its recordings. A recorder that is a member finishes its recordings itself when it comes back, so it has to be "
                     "removed first. The recording becomes this node's own: all chunks up to the first that is missing, a "
                     "manifest that this node signs and that says so, and a place in a chain, anew. One that has its recorder's "
                     "manifest keeps it. Asking again is harmless, and goes on where a crash ended it. Ends with 4 when "
                     "no chunk of a recording is what was sealed.",
          .examples = {{"lucid store adopt --list", "what can be adopted here"},
                       {"lucid cluster remove pi-1", "first: the recorder must not come back"},
                       {"lucid store adopt pi-1", "all recordings of the lost node pi-1"},
                       {"lucid store adopt 3f9a", "one of them"}},
          .hidden = false,
          .declare = [](command_options& app) -> command_action {
            auto what = std::make_shared<std::string>();
            auto list_only = std::make_shared<bool>(false);
            app.add_option("WHAT", *what, "Session or lost node");
            app.add_flag("--list", *list_only, "Only show what can be adopted");
            return [what, list_only](command_context& context) { return adopt(context, *what, *list_only); };
          }};
}

} // namespace lucid
